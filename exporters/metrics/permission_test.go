package metrics

import (
	"strings"
	"testing"

	"github.com/systole-ha/systole/agent/event"
)

func TestPermission(t *testing.T) {
	cfg := reference()
	cfg.Permission, cfg.Arbiters = true, []string{"192.0.2.9"}
	m := open(t, cfg)
	tell := func(events ...event.Event) {
		for _, e := range events {
			m.Record(event.Record{Node: "alpha", Event: e})
		}
	}
	line := func(name, label, value string) string {
		for _, l := range samples(body(t, scrape(t, m.Handler(), acceptText))) {
			if strings.HasPrefix(l, name+"{") && strings.Contains(l, label) {
				return l[strings.LastIndex(l, " ")+1:]
			}
		}
		return "absent; want " + value
	}
	for _, step := range []struct {
		event event.Event
		want  map[string]string // by evidence
		up    string
	}{
		{event.PermissionChanged{Policy: "arbiter", From: "nothing", To: "peer"}, map[string]string{"nothing": "0", "peer": "1", "vote": "0"}, "0"},
		{event.ArbiterChanged{Arbiter: "192.0.2.9", Up: true}, map[string]string{"peer": "1"}, "1"},
		{event.PermissionChanged{Policy: "arbiter", From: "peer", To: "vote"}, map[string]string{"peer": "0", "vote": "1"}, "1"},
		{event.ArbiterChanged{Arbiter: "192.0.2.9", Error: "no answer"}, map[string]string{"vote": "1"}, "0"},
		{event.ArbiterChanged{Arbiter: "of no configuration", Up: true}, map[string]string{"vote": "1"}, "0"},
	} {
		tell(step.event)
		for evidence, want := range step.want {
			if got := line("systole_permission", `evidence="`+evidence+`"`, want); got != want {
				t.Errorf("after %+v: systole_permission{evidence=%q} is %s, want %s", step.event, evidence, got, want)
			}
		}
		if got := line("systole_arbiter_up", `arbiter="192.0.2.9"`, step.up); got != step.up {
			t.Errorf("after %+v: systole_arbiter_up is %s, want %s", step.event, got, step.up)
		}
	}
}

func TestNoPermissionNoSeries(t *testing.T) {
	m := open(t, reference())
	m.Record(event.Record{Node: "alpha", Event: event.PermissionChanged{To: "peer"}})
	if page := body(t, scrape(t, m.Handler(), acceptText)); strings.Contains(page, "systole_permission{") || strings.Contains(page, "systole_arbiter_up{") {
		t.Error("series of a permission where none is needed")
	}
}
