package webhook

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"

	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/exporters/internal/topspan"
)

var noon = time.Date(2026, 11, 21, 13, 0, 0, 123456789, time.FixedZone("CET", 3600))

var reporter = Config{Cluster: "web shop", Node: "beta.example.org", BootID: "4f2a91c0-7c1d-4a3e-9b1f-0d6a5c0e8f11", Generation: 1763770012}

func TestEnvelope(t *testing.T) {
	dead := event.PeerDead{
		Peer: "alpha", LastHeard: noon.Add(-2 * time.Second), Silence: 2 * time.Second, Deadtime: 2 * time.Second, Sequence: 73,
		Trace: "0af7651916cd43dd8448eb211c80319c",
	}
	r := event.Record{Sequence: 42, Time: noon, Cluster: "web shop", Node: "beta.example.org", Event: dead}
	place, _ := topspan.Of(r)
	want := `{"specversion":"1.0","id":"beta_example_org-4f2a91c0-1763770012-42","source":"/web%20shop/beta.example.org",` +
		`"type":"io.systole.peer.dead","time":"2026-11-21T12:00:00.123456789Z","datacontenttype":"application/json",` +
		`"traceparent":"` + place.Traceparent() + `","data":{` +
		`"deadtime_seconds":2,"last_heard":"2026-11-21T12:59:58.123+01:00","message":"peer alpha is dead: silent for 2s, deadtime 2s",` +
		`"peer":"alpha","sequence":73,"severity":"critical","silence_seconds":2,"trace":"0af7651916cd43dd8448eb211c80319c"}}`
	var asWanted, asGot map[string]any
	got := originOf(reporter).envelope(r)
	if err := json.Unmarshal([]byte(want), &asWanted); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(got, &asGot); err != nil || !reflect.DeepEqual(asGot, asWanted) {
		t.Errorf("envelope: %v\n got %s\nwant %s", err, got, want)
	}
}

// TestEveryKindIsACloudEvent has the CloudEvents SDK read each envelope.
func TestEveryKindIsACloudEvent(t *testing.T) {
	ids := map[string]bool{}
	for i, entry := range event.Catalogue {
		r := event.Record{Sequence: uint64(i + 1), Time: noon, Cluster: "web", Node: "beta", Event: entry.Event}
		var e cloudevents.Event
		if err := json.Unmarshal(originOf(reporter).envelope(r), &e); err != nil {
			t.Errorf("%s: %v", entry.Event.Kind(), err)
			continue
		}
		if err := e.Validate(); err != nil {
			t.Errorf("%s: %v", entry.Event.Kind(), err)
		}
		if e.Type() != "io.systole."+entry.Event.Kind() || !e.Time().Equal(noon) || ids[e.ID()] {
			t.Errorf("%s: type %s, time %s, id %s", entry.Event.Kind(), e.Type(), e.Time(), e.ID())
		}
		ids[e.ID()] = true
		var data map[string]any
		if err := e.DataAs(&data); err != nil || data["severity"] != event.SeverityOf(entry.Event).String() || data["message"] == "" {
			t.Errorf("%s: data %v, %v", entry.Event.Kind(), data, err)
		}
	}
}

// TestNoFieldIsHidden: no event has a field by the name of what is added.
func TestNoFieldIsHidden(t *testing.T) {
	for _, entry := range event.Catalogue {
		for i := range reflect.TypeOf(entry.Event).NumField() {
			if name := reflect.TypeOf(entry.Event).Field(i).Name; name == "Severity" || name == "Message" {
				t.Errorf("%s has a field %s", entry.Event.Kind(), name)
			}
		}
	}
}
