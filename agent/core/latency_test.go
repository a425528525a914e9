package core_test

import (
	"testing"
	"time"

	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/agent/sim"
)

// TestRoundTripIsTwiceTheDelay measures a link of known delay by the echoes:
// what the peer holds an echo for must not count.
func TestRoundTripIsTwiceTheDelay(t *testing.T) {
	w := sim.New(1, sim.Cluster{
		Nodes: []string{"alpha", "beta"}, Links: []string{"eth0", "eth1"},
		Keepalive: 100 * time.Millisecond, Deadtime: time.Second, Initdead: 3 * time.Second,
	})
	for i, delay := range []time.Duration{20 * time.Millisecond, 50 * time.Millisecond} {
		w.Link(i).Delay, w.Link(i).Jitter = delay, 0
	}
	seen := map[string]int{}
	w.Watch = func(n *sim.Node, e event.Event) {
		hb, ok := e.(event.HeartbeatReceived)
		if !ok || hb.RoundTrip == 0 {
			return
		}
		seen[hb.Link]++
		want := map[string]time.Duration{"eth0": 40 * time.Millisecond, "eth1": 100 * time.Millisecond}[hb.Link]
		if off := (hb.RoundTrip - want).Abs(); off > 2*time.Microsecond {
			t.Errorf("%s: round trip on %s is %v, want %v", n.Name, hb.Link, hb.RoundTrip, want)
		}
		if hb.OffsetError != hb.RoundTrip/2 || hb.Offset.Abs() > 2*time.Microsecond {
			t.Errorf("%s: the other clock is off by %v ± %v, want 0", n.Name, hb.Offset, hb.OffsetError)
		}
		if hb.Variation > 2*time.Microsecond {
			t.Errorf("%s: transit on %s varies by %v on a link that does not", n.Name, hb.Link, hb.Variation)
		}
	}
	w.Node("alpha").Boot()
	w.RunUntil(sim.Epoch.Add(333 * time.Millisecond))
	w.Node("beta").Boot()
	w.RunUntil(sim.Epoch.Add(10 * time.Second))
	for _, link := range []string{"eth0", "eth1"} {
		if seen[link] < 100 {
			t.Errorf("%d round trips on %s in ten seconds of ten heartbeats each way", seen[link], link)
		}
	}
}

// TestVariationIsTheChangeOfTransit lets a link jitter.
func TestVariationIsTheChangeOfTransit(t *testing.T) {
	w := sim.New(1, sim.Cluster{
		Nodes: []string{"alpha", "beta"}, Links: []string{"eth0"},
		Keepalive: 100 * time.Millisecond, Deadtime: time.Second, Initdead: 3 * time.Second,
	})
	w.Link(0).Delay, w.Link(0).Jitter = 10*time.Millisecond, 8*time.Millisecond
	var sum time.Duration
	var count int
	w.Watch = func(_ *sim.Node, e event.Event) {
		if hb, ok := e.(event.HeartbeatReceived); ok && hb.Interval > 0 {
			sum += hb.Variation
			count++
		}
	}
	w.Node("alpha").Boot()
	w.Node("beta").Boot()
	w.RunUntil(sim.Epoch.Add(60 * time.Second))
	// Two draws from 0 to 8 ms differ by a third of that in the mean.
	if mean := sum / time.Duration(count); mean < 2400*time.Microsecond || mean > 2900*time.Microsecond {
		t.Errorf("transit varies by %v in the mean of %d, want about 2.67 ms", mean, count)
	}
}
