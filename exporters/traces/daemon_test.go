package traces

import (
	"testing"
	"time"

	otlp "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/systole-ha/systole/agent/event"
)

// TestWhatSurroundsADeath: which links were up when the peer fell silent, and
// who else was heard meanwhile.
func TestWhatSurroundsADeath(t *testing.T) {
	s := newSink(t)
	s.point(t)
	tr := open(t, "alpha")
	say := func(at float64, e event.Event) {
		tr.Record(event.Record{Time: epoch.Add(time.Duration(at * float64(time.Second))), Node: "alpha", Event: e})
	}
	for _, link := range []string{"eth0", "eth1", "eth2"} {
		say(0, event.LinkUp{Peer: "beta", Link: link})
	}
	say(0, event.LinkUp{Peer: "gamma", Link: "eth0"})
	say(20, event.LinkDown{Peer: "beta", Link: "eth2", LinksLeft: 2}) // long before
	say(55, event.PingAnswered{PingNode: "router", RoundTrip: time.Millisecond})
	say(12, event.PingAnswered{PingNode: "far", RoundTrip: time.Millisecond})
	say(58, event.LinkDown{Peer: "beta", Link: "eth1", LinksLeft: 1})
	say(60, event.PeerDead{Peer: "beta", Silence: 10 * time.Second, Deadtime: 10 * time.Second})
	const id = "0102030405060708090a0b0c0d0e0f10"
	say(60, event.TakeoverStarted{ID: 1, Trigger: "peer_dead", Peer: "beta", Groups: []string{"g"}, Trace: id})
	say(60, event.LinkDown{Peer: "beta", Link: "eth0"})
	say(61, event.TakeoverPhase{ID: 1, Phase: "silence", Took: 10 * time.Second})
	say(61, event.TakeoverCompleted{ID: 1, Trigger: "peer_dead", Peer: "beta", Groups: []string{"g"}, Result: "success", Took: time.Second})
	closeSoon(t, tr)
	got := s.spans()
	if up := integer(find(t, got, "alpha detect"), "systole.links.up"); up != 2 {
		t.Errorf("%d links were up, want eth0 and eth1", up)
	}
	answers := map[string]bool{}
	for _, e := range find(t, got, "alpha confirm").Events {
		for _, a := range e.Attributes {
			if a.Key == "systole.answered" {
				answers[texts(e.Attributes)["systole.ping_node"]] = a.Value.GetBoolValue()
			}
		}
	}
	if heard, ok := answers["router"]; !ok || !heard {
		t.Errorf("the router answered while beta was silent: %v", answers)
	}
	if heard, ok := answers["far"]; !ok || heard {
		t.Errorf("far did not: %v", answers)
	}
}

func integer(s seen, key string) int64 {
	for _, a := range s.Attributes {
		if a.Key == key {
			return a.Value.GetIntValue()
		}
	}
	return -1
}

func TestReloads(t *testing.T) {
	s := newSink(t)
	s.point(t)
	tr := open(t, "alpha")
	for _, e := range []event.Event{
		event.ConfigReloaded{File: "authkeys", Keys: []string{"2 sha1"}, Changed: []string{"key 2"}},
		event.ConfigReloadFailed{File: "haresources", Error: "line 3: no such driver", Errors: 2},
	} {
		tr.Record(event.Record{Time: epoch, Node: "alpha", Event: e})
	}
	closeSoon(t, tr)
	var reloads []seen
	for _, span := range s.spans() {
		if span.Name == "config.reload" && len(span.ParentSpanId) == 0 {
			reloads = append(reloads, span)
		}
	}
	if len(reloads) != 2 {
		t.Fatalf("%d roots of reloads, want 2", len(reloads))
	}
	if good := reloads[0]; good.text("systole.result") != "accepted" || good.Status.GetCode() == otlp.Status_STATUS_CODE_ERROR {
		t.Errorf("the first is %v", good)
	}
	if bad := reloads[1]; bad.text("systole.result") != "refused" || bad.Status.GetMessage() != "line 3: no such driver" {
		t.Errorf("the second is %v", bad)
	}
}
