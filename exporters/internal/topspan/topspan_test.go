package topspan

import (
	"reflect"
	"testing"

	"github.com/systole-ha/systole/agent/event"
)

const trace = "0af7651916cd43dd8448eb211c80319c"

// TestEveryTraceIsRead finds an event with a Trace that Of does not know.
func TestEveryTraceIsRead(t *testing.T) {
	some := 0
	for _, entry := range event.Catalogue {
		v := reflect.New(reflect.TypeOf(entry.Event)).Elem()
		field := v.FieldByName("Trace")
		if field.IsValid() {
			field.SetString(trace)
			some++
		}
		p, ok := Of(event.Record{Node: "alpha", Event: v.Interface().(event.Event)})
		if ok != field.IsValid() || ok && p.Traceparent()[:36] != "00-"+trace+"-" {
			t.Errorf("%s: Of = %s, %t", entry.Event.Kind(), p.Traceparent(), ok)
		}
	}
	if some < 8 {
		t.Errorf("only %d kinds have a trace", some)
	}
}

func TestOf(t *testing.T) {
	started := event.TakeoverStarted{Trace: trace}
	at := func(node string, e event.Event) string {
		p, ok := Of(event.Record{Node: node, Event: e})
		if !ok {
			return ""
		}
		return p.Traceparent()
	}
	for _, tt := range []struct {
		name string
		got  string
		want string
	}{
		{"the first 8 bytes of the SHA-256 of text, trace, node and top", at("alpha", started), "00-" + trace + "-0d63dd5df9de052d-01"},
		{"both ends of a takeover are one place", at("alpha", event.TakeoverCompleted{Trace: trace}), at("alpha", started)},
		{"a group that we gave belongs to our release", at("alpha", event.OwnerChanged{From: "alpha", To: "beta", Trace: trace}), at("alpha", event.ReleaseStarted{Trace: trace})},
		{"a group that we got to our takeover", at("beta", event.OwnerChanged{From: "alpha", To: "beta", Trace: trace}), at("beta", started)},
		{"what is no id is no trace", at("alpha", event.TakeoverStarted{Trace: "0af765"}), ""},
		{"nor is one of zeros", at("alpha", event.TakeoverStarted{Trace: "00000000000000000000000000000000"}), ""},
	} {
		if tt.got != tt.want {
			t.Errorf("%s:\n got %q\nwant %q", tt.name, tt.got, tt.want)
		}
	}
	if at("alpha", started) == at("beta", started) || at("alpha", started) == at("alpha", event.ReleaseStarted{Trace: trace}) {
		t.Error("two top spans have one id")
	}
}
