package control

import (
	"reflect"
	"testing"
	"time"

	"github.com/systole-ha/systole/agent/event"
)

var t0 = time.Date(2026, 11, 21, 20, 38, 13, 123_456_789, time.UTC)

// told is a node's facts after some events, one second apart from t0 on.
func told(events ...event.Event) facts {
	f := newFacts()
	for i, e := range events {
		f.note(event.Record{Sequence: uint64(i + 1), Time: t0.Add(time.Duration(i) * time.Second), Event: e})
	}
	return f
}

func TestFactsOfLinksAndPeers(t *testing.T) {
	f := told(
		event.NodeStarted{Generation: 42},
		event.LinkOpened{Link: "eth0", Medium: "bcast"},
		event.LinkOpened{Link: "eth1", Medium: "ucast"},
		event.LinkClosed{Link: "eth1", Medium: "ucast", Error: "no such device"},
		event.PeerIdentified{Peer: "beta", Wire: "systole", Version: "0.1.0", AutoFailback: "on"},
		event.ConfigDrift{Peer: "beta", File: "ha.cf", Ours: "a", Theirs: "b"},
		event.ConfigDrift{Peer: "beta", File: "haresources", Ours: "c", Theirs: "d"},
		event.ConfigDrift{Peer: "beta", File: "ha.cf", Ours: "a", Theirs: "a"},
		event.HeartbeatReceived{Peer: "beta", Link: "eth0", RoundTrip: 300 * time.Microsecond},
		event.HeartbeatReceived{Peer: "beta", Link: "eth0"}, // no echo in this one: the last stays
		event.HeartbeatReceived{Peer: "beta", Link: "eth1", RoundTrip: time.Millisecond},
		event.LinkDown{Peer: "beta", Link: "eth1"},
		event.PingAnswered{PingNode: "192.0.2.1", RoundTrip: 200 * time.Microsecond},
	)
	want := newFacts()
	want.began, want.recent = t0, f.recent // TestRecent's
	want.generation = 42
	want.media = map[string]medium{"eth0": {kind: "bcast", open: true}, "eth1": {kind: "ucast", reason: "no such device"}}
	want.peers["beta"] = identity{wire: "systole", version: "0.1.0", autoFailback: "on", drift: []string{"haresources"}}
	want.roundTrips = map[route]Seconds{{"beta", "eth0"}: Seconds(300 * time.Microsecond), {node: "192.0.2.1"}: Seconds(200 * time.Microsecond)}
	if !reflect.DeepEqual(f, want) {
		t.Errorf("facts:\n got %+v\nwant %+v", f, want)
	}
}

func TestFactsOfReadiness(t *testing.T) {
	at := func(s int) time.Time { return t0.Truncate(time.Millisecond).Add(time.Duration(s) * time.Second) }
	f := told(
		event.ReadinessChanged{Check: "disk", Ready: true},
		event.ReadinessChanged{Check: "clock", Ready: true},
		event.ReadinessChanged{Check: "disk", Reason: "full"},
	)
	before := f.checks
	f.note(event.Record{Time: t0.Add(time.Minute), Event: event.ReadinessChanged{Check: "disk", Reason: "read-only"}})
	if want := []Check{{"disk", false, "full", at(2)}, {"clock", true, "", at(1)}}; !reflect.DeepEqual(before, want) {
		t.Errorf("what was read before:\n got %v\nwant %v", before, want)
	}
	if want := []Check{{"disk", false, "read-only", at(2)}, {"clock", true, "", at(1)}}; !reflect.DeepEqual(f.checks, want) {
		t.Errorf("checks:\n got %v\nwant %v", f.checks, want)
	}
}

func TestFactsOfSplitBrain(t *testing.T) {
	suspected := event.SplitBrainSuspected{Evidence: "peer_claims", Peer: "beta", Groups: []string{"nginx"}}
	f := told(suspected)
	want := &SplitBrain{Since: t0.Truncate(time.Millisecond), Evidence: "peer_claims", Peer: "beta", Groups: []string{"nginx"}}
	if !reflect.DeepEqual(f.split, want) {
		t.Errorf("split:\n got %+v\nwant %+v", f.split, want)
	}
	if f = told(suspected, event.SplitBrainCleared{Peer: "beta"}); f.split != nil {
		t.Errorf("cleared, but split is %+v", f.split)
	}
}

func TestFactsOfTakeovers(t *testing.T) {
	const ms = time.Millisecond
	groups := []string{"192.0.2.10", "nginx"}
	at := func(s int) time.Time { return t0.Add(time.Duration(s) * time.Second).Truncate(ms) }
	f := told(
		event.TakeoverStarted{ID: 1, Trigger: "peer_dead", Peer: "beta", Groups: groups},
		event.TakeoverStarted{ID: 3, Trigger: "standby", Peer: "beta", Groups: []string{"x"}}, // 2 was a release
		event.TakeoverPhase{ID: 1, Phase: "silence", Took: 10 * time.Second},
		event.TakeoverPhase{ID: 1, Phase: "address", Took: 2 * ms},
		event.TakeoverPhase{ID: 99, Phase: "address", Took: 2 * ms}, // of one that was forgotten
		event.TakeoverFailed{ID: 3, Group: "x", Resource: "x", Operation: "start", Error: "no such unit", Next: "offered to beta"},
		event.TakeoverCompleted{ID: 1, Trigger: "peer_dead", Peer: "beta", Groups: groups, Result: "success", Took: 40 * ms, Outage: 10040 * ms},
	)
	want := takeovers{
		{
			ID: 1, Trigger: "peer_dead", Peer: "beta", Groups: groups, Started: at(0), Finished: at(6),
			Result: "success", Took: Seconds(40 * ms), Outage: Seconds(10040 * ms),
			Phases: []Phase{{"silence", Seconds(10 * time.Second)}, {"address", Seconds(2 * ms)}},
		},
		{
			ID: 3, Trigger: "standby", Peer: "beta", Groups: []string{"x"}, Started: at(1),
			Phases: []Phase{}, Failures: []Failure{{"x", "x", "no such unit", "offered to beta"}},
		},
	}
	if !reflect.DeepEqual(f.takeovers, want) {
		t.Errorf("takeovers:\n got %+v\nwant %+v", f.takeovers, want)
	}
}

func TestTheSeventeenthTakeoverReplacesTheFirst(t *testing.T) {
	f := newFacts()
	for id := range uint64(17) {
		f.note(event.Record{Event: event.TakeoverStarted{ID: id + 1, Groups: []string{"a"}}})
	}
	f.note(event.Record{Event: event.TakeoverStarted{ID: 18}}) // of nothing
	if n := len(f.takeovers); n != 16 || f.takeovers[0].ID != 2 || f.takeovers[15].ID != 17 {
		t.Errorf("%d are kept, from %d to %d; want 16, from 2 to 17", n, f.takeovers[0].ID, f.takeovers[n-1].ID)
	}
}

func TestAClonedPictureStandsStill(t *testing.T) {
	f := told(
		event.TakeoverStarted{ID: 1, Groups: []string{"a"}}, event.PeerIdentified{Peer: "beta", Wire: "systole"},
		event.HeartbeatReceived{Peer: "beta", Link: "eth0", Silence: 1, Deadtime: 10},
	)
	before, copied := f.clone(), f.clone()
	for _, e := range []event.Event{
		event.TakeoverPhase{ID: 1, Phase: "address"}, event.TakeoverCompleted{ID: 1, Result: "failed"},
		event.PeerIdentified{Peer: "beta", Wire: "heartbeat3"}, event.ConfigDrift{Peer: "beta", File: "ha.cf", Theirs: "x"},
		event.LinkOpened{Link: "eth0"}, event.PingAnswered{PingNode: "p", RoundTrip: 1},
		event.HeartbeatReceived{Peer: "beta", Link: "eth0", Silence: 9, Deadtime: 10},
	} {
		f.note(event.Record{Time: t0, Event: e})
	}
	if !reflect.DeepEqual(before, copied) || reflect.DeepEqual(f.takeovers, before.takeovers) {
		t.Errorf("the copy became\n     %+v\nfrom %+v", before, copied)
	}
}

func TestRecordDoesNotAllocateForWhatComesOften(t *testing.T) {
	s := newServer(nil)
	number := uint64(0)
	for _, e := range []event.Event{
		event.HeartbeatReceived{Peer: "beta", Link: "eth0", RoundTrip: time.Millisecond},
		event.HeartbeatSent{}, event.PingAnswered{PingNode: "p", RoundTrip: 1},
		event.LinkUp{Peer: "beta", Link: "eth0"}, event.ResourceOperation{Result: "ok"},
	} {
		if allocations := testing.AllocsPerRun(100, func() {
			number++
			s.Record(event.Record{Sequence: number, Event: e})
		}); allocations > 0 {
			t.Errorf("Record of %s allocates %v times", e.Kind(), allocations)
		}
	}
}

func BenchmarkRecord(b *testing.B) {
	for _, e := range []event.Event{
		event.HeartbeatReceived{Peer: "beta", Link: "eth0", RoundTrip: time.Millisecond}, event.LinkUp{Peer: "beta", Link: "eth0"},
	} {
		b.Run(e.Kind(), func(b *testing.B) {
			s := newServer(nil)
			b.ReportAllocs()
			for i := range b.N {
				s.Record(event.Record{Sequence: uint64(i + 1), Event: e})
			}
		})
	}
}
