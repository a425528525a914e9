package metrics

import (
	"slices"
	"strings"
	"testing"

	"github.com/systole-ha/systole/agent/event"
)

// of are the samples of a page that begin with a name.
func of(page, prefix string) []string {
	return slices.DeleteFunc(samples(page), func(line string) bool { return !strings.HasPrefix(line, prefix) })
}

// While a node boots there is no series: 0 would page, 1 would promise.
func TestReadiness(t *testing.T) {
	m := open(t, reference())
	for _, step := range []struct {
		name   string
		events []event.Event
		want   []string
	}{
		{name: "nothing is known at first"},
		{name: "a check that does not exist", events: []event.Event{event.ReadinessChanged{Check: "mood", Ready: true}}},
		{
			name: "some verdicts are none of all", events: []event.Event{
				event.ReadinessChanged{Check: "units_loadable", Ready: true}, event.ReadinessChanged{Check: "interface_up", Ready: true},
				event.ReadinessChanged{Check: "address_free"}, event.ReadinessChanged{Check: "link_redundant", Ready: true},
				event.ReadinessChanged{Check: "config_match", Ready: true}, event.ReadinessChanged{Check: "clock", Ready: true},
			},
			want: []string{
				`systole_takeover_ready_check{check="address_free"} 0`, `systole_takeover_ready_check{check="clock"} 1`,
				`systole_takeover_ready_check{check="config_match"} 1`, `systole_takeover_ready_check{check="interface_up"} 1`,
				`systole_takeover_ready_check{check="link_redundant"} 1`, `systole_takeover_ready_check{check="units_loadable"} 1`,
			},
		},
		{
			name: "one that fails is enough", events: []event.Event{event.ReadinessChanged{Check: "disk", Ready: true}},
			want: []string{
				`systole_takeover_ready 0`,
				`systole_takeover_ready_check{check="address_free"} 0`, `systole_takeover_ready_check{check="clock"} 1`,
				`systole_takeover_ready_check{check="config_match"} 1`, `systole_takeover_ready_check{check="disk"} 1`, `systole_takeover_ready_check{check="interface_up"} 1`,
				`systole_takeover_ready_check{check="link_redundant"} 1`, `systole_takeover_ready_check{check="units_loadable"} 1`,
			},
		},
		{
			name: "mended", events: []event.Event{event.ReadinessChanged{Check: "address_free", Ready: true}},
			want: []string{
				`systole_takeover_ready 1`,
				`systole_takeover_ready_check{check="address_free"} 1`, `systole_takeover_ready_check{check="clock"} 1`,
				`systole_takeover_ready_check{check="config_match"} 1`, `systole_takeover_ready_check{check="disk"} 1`, `systole_takeover_ready_check{check="interface_up"} 1`,
				`systole_takeover_ready_check{check="link_redundant"} 1`, `systole_takeover_ready_check{check="units_loadable"} 1`,
			},
		},
	} {
		tell(m, boot, step.events...)
		if got := of(page(t, m), "systole_takeover_ready"); !slices.Equal(got, step.want) {
			t.Errorf("%s:\n got %s\nwant %s", step.name, strings.Join(got, "\n     "), strings.Join(step.want, "\n     "))
		}
	}
}

func TestReload(t *testing.T) {
	cfg := reference()
	cfg.Keys = []Key{{"1", "sha1"}, {"2", "sha256"}}
	m := open(t, cfg)
	const since = `systole_config_last_reload_success_timestamp_seconds `
	for _, step := range []struct {
		name  string
		event event.Event
		keys  []string
		fine  string
		since string
	}{
		{
			name: "the start was a success", fine: "1", since: "1.7952624e+09",
			keys: []string{`systole_auth_key_info{key_id="1",method="sha1"} 1`, `systole_auth_key_info{key_id="2",method="sha256"} 1`},
		},
		{
			name: "keys that are gone vanish", event: event.ConfigReloaded{File: "authkeys", Keys: []string{"2 sha512", "3 sha1"}}, fine: "1", since: "1.79526246e+09",
			keys: []string{`systole_auth_key_info{key_id="2",method="sha512"} 1`, `systole_auth_key_info{key_id="3",method="sha1"} 1`},
		},
		{
			name: "what is refused changes nothing", event: event.ConfigReloadFailed{File: "ha.cf", Error: "no", Errors: 1}, fine: "0", since: "1.79526246e+09",
			keys: []string{`systole_auth_key_info{key_id="2",method="sha512"} 1`, `systole_auth_key_info{key_id="3",method="sha1"} 1`},
		},
	} {
		if step.event != nil {
			tell(m, instant(60), step.event)
		}
		shown := page(t, m)
		if got := of(shown, "systole_auth_key_info"); !slices.Equal(got, step.keys) {
			t.Errorf("%s:\n got %v\nwant %v", step.name, got, step.keys)
		}
		want := []string{since + step.since, "systole_config_last_reload_successful " + step.fine}
		if got := of(shown, "systole_config_last_reload"); !slices.Equal(got, want) {
			t.Errorf("%s:\n got %v\nwant %v", step.name, got, want)
		}
	}
}

// Where the peer is fenced there is no verdict on all before that on the devices.
func TestReadinessWithFencing(t *testing.T) {
	cfg := reference()
	cfg.Fencing = []string{"fence_ipmilan"}
	m := open(t, cfg)
	for _, check := range readinessChecks {
		if got := of(page(t, m), "systole_takeover_ready "); len(got) > 0 {
			t.Errorf("before %s: %v", check, got)
		}
		tell(m, boot, event.ReadinessChanged{Check: check, Ready: true})
	}
	if got := of(page(t, m), "systole_takeover_ready "); !slices.Equal(got, []string{"systole_takeover_ready 1"}) {
		t.Errorf("with all: %v", got)
	}
}
