package journal

import (
	"maps"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/systole-ha/systole/agent/event"
)

func TestFields(t *testing.T) {
	common := map[string]string{
		"SYSLOG_IDENTIFIER": "systole", "SYSTOLE_SEQUENCE": "42", "SYSTOLE_TIME": "2026-11-21T12:00:00.123456Z",
		"SYSTOLE_CLUSTER": "web", "SYSTOLE_NODE": "beta",
	}
	tests := []struct {
		name  string
		event event.Event
		want  map[string]string
	}{
		{
			"durations are seconds, instants RFC 3339, and a peer's sequence is not the record's",
			event.PeerDead{Peer: "alpha", LastHeard: noon.Add(-512 * time.Millisecond), Silence: 512 * time.Millisecond, Deadtime: 500 * time.Millisecond, Sequence: 73, NeverHeard: true},
			map[string]string{
				"MESSAGE_ID": "936706e2793748b686b66e3d3e7dfbaa", "SYSTOLE_EVENT": "peer.dead", "SYSTOLE_PEER": "alpha",
				"SYSTOLE_LAST_HEARD": "2026-11-21T11:59:59.611456Z", "SYSTOLE_SILENCE_SECONDS": "0.512", "SYSTOLE_DEADTIME_SECONDS": "0.5",
				"SYSTOLE_PEER_SEQUENCE": "73", "SYSTOLE_NEVER_HEARD": "true",
			},
		},
		{
			"lists have commas, and what is zero is left out",
			event.TakeoverStarted{ID: 1, Trigger: "start", Groups: []string{web, sql}},
			map[string]string{
				"MESSAGE_ID": "b01172b390bd42e5a96e63bf05d2af5a", "SYSTOLE_EVENT": "takeover.started", "SYSTOLE_ID": "1",
				"SYSTOLE_TRIGGER": "start", "SYSTOLE_GROUPS": "IPaddr::192.0.2.10,IPaddr::192.0.2.20",
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			maps.Copy(tt.want, common)
			if got := fields(record(tt.event)); !maps.Equal(got, tt.want) {
				t.Errorf("fields\n got %v\nwant %v", got, tt.want)
			}
		})
	}
}

// TestFieldNamesAreTheEventsOwn: no field of an event hides one of the record.
func TestFieldNamesAreTheEventsOwn(t *testing.T) {
	for _, entry := range event.Catalogue {
		names := map[string]bool{}
		for _, taken := range []string{"EVENT", "SEQUENCE", "TIME", "CLUSTER", "NODE"} {
			names["SYSTOLE_"+taken] = true
		}
		full := filled(entry.Event)
		for name, value := range event.Fields(full) {
			_, isDuration := value.(time.Duration)
			journalName := fieldName(name, isDuration)
			if names[journalName] {
				t.Errorf("%s: %s would stand for two things", entry.Event.Kind(), journalName)
			}
			names[journalName] = true
			if strings.Trim(journalName, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != "" {
				t.Errorf("%s: the journal takes no field %s", entry.Event.Kind(), journalName)
			}
		}
	}
}

// filled is e with something in every field.
func filled(e event.Event) event.Event {
	v := reflect.New(reflect.TypeOf(e)).Elem()
	for i := range v.NumField() {
		switch f := v.Field(i); f.Interface().(type) {
		case string:
			f.SetString("x")
		case []string:
			f.Set(reflect.ValueOf([]string{"x"}))
		case bool:
			f.SetBool(true)
		case time.Time:
			f.Set(reflect.ValueOf(noon))
		default:
			if f.CanInt() {
				f.SetInt(1)
			} else {
				f.SetUint(1)
			}
		}
	}
	return v.Interface().(event.Event)
}

func TestLine(t *testing.T) {
	got := line(record(event.LinkDown{Peer: "alpha", Link: "eth0", Silence: 512 * time.Millisecond, LinksLeft: 1}))
	want := `time=2026-11-21T12:00:00.123456Z level=warning cluster=web node=beta sequence=42 event=link.down peer=alpha link=eth0 silence=512ms links_left=1 ` +
		`message="link alpha:eth0 dead: silent for 512ms; 1 link to alpha left"` + "\n"
	if got != want {
		t.Errorf("line\n got %s\nwant %s", got, want)
	}
	if got := line(record(event.LinkClosed{Link: "eth0", Error: "two\nlines"})); strings.Count(got, "\n") != 1 {
		t.Errorf("an error of two lines makes more than one:\n%s", got)
	}
}
