package sim

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/systole-ha/systole/agent/core"
	"github.com/systole-ha/systole/agent/permission"
	"github.com/systole-ha/systole/agent/takeover"
)

// TestFencing plays histories in which nodes are cut off, frozen, killed and
// come back, and switch each other off, by devices that fail and lie in wait:
// nothing ever runs on two nodes, and in the end everything runs on one.
func TestFencing(t *testing.T) {
	var fenced atomic.Int64
	s := fencedStory(devices)
	begin := s.begin
	s.begin = func(w *World) {
		begin(w)
		reboot := w.Fenced
		w.Fenced = func(n *Node) { fenced.Add(1); reboot(n) }
	}
	playAll(t, *seeds/4, s)
	if *seed == 0 && fenced.Load() < int64(*seeds/4) {
		t.Errorf("%d nodes were switched off in %d histories: nothing was tried", fenced.Load(), *seeds/4)
	}
}

// TestFencingWithPermission is the same where a node needs evidence besides: that
// a device has switched its peer off is some, and what a daemon leaves to the
// next one tells of it.
func TestFencingWithPermission(t *testing.T) {
	for _, tt := range []struct {
		policy   permission.Policy
		arbiters []string
		faults   []fault
	}{{permission.Peer, nil, nil}, {permission.Arbiter, []string{"gamma"}, arbiterFaults}} {
		t.Run(string(tt.policy), func(t *testing.T) {
			s := fencedStory(devices)
			s.faults = append(s.faults, tt.faults)
			s.cluster = func(seed uint64) Cluster {
				c := fencedPair(seed)
				fence := c.Configure
				c.Configure = func(n *Node, cfg *core.Config) {
					fence(n, cfg)
					cfg.Fence.First = tt.policy == permission.Peer
				}
				c.Policy, c.Arbiters, c.Deadtime = tt.policy, tt.arbiters, 1500*time.Millisecond
				return leased(c, permission.MaxLease(c.Deadtime, c.Keepalive, slack))
			}
			begin := s.begin
			s.begin = func(w *World) { begin(w); healArbiters(w) }
			playAll(t, *seeds/10, s)
		})
	}
}

// TestFencingThatLies sees that the rule can fail: a device that only says that
// it has switched a node off leaves groups on two.
func TestFencingThatLies(t *testing.T) {
	s := fencedStory(func(*World) func(*Node, takeover.Fence) Try {
		return func(*Node, takeover.Fence) Try { return Try{Answer: time.Second} }
	})
	for seed := range uint64(100) {
		if err := s.play(seed+1, false); err != nil && strings.Contains(err.Error(), "both nodes hold") {
			return
		}
	}
	t.Error("no history of 100 had a group on two nodes")
}

func fencedStory(devices func(*World) func(*Node, takeover.Fence) Try) story {
	return story{
		cluster: fencedPair,
		faults:  [][]fault{endings, times(2, cuts), requests, times(3, freezes), breakage, {{"devices fail", 2, failDevices}, {"confirm", 1, confirm}}},
		begin: func(w *World) {
			w.Fencer = devices(w)
			if w.Random.IntN(2) == 0 { // the devices reboot
				w.Fenced = func(n *Node) { w.After(2*time.Second, n.Boot) }
			}
		},
		alone: true,
	}
}

// fencedPair is a pair with two devices a node, and in every third history a
// second level with two of them.
func fencedPair(seed uint64) Cluster {
	c := pair(seed)
	plan := &takeover.FencePlan{Levels: [][]string{{"first"}}, Action: "off", Delay: 2 * time.Second, Retry: 5 * time.Second, Tries: 2}
	if seed%3 == 0 {
		plan.Levels = append(plan.Levels, []string{"left", "right"})
	}
	c.Configure = func(_ *Node, cfg *core.Config) { cfg.Fence = plan }
	return c
}

var errDevice = errors.New("the device is not reachable")

// devices answer within three seconds, or not at all; some that say that they
// have failed have not.
func devices(w *World) func(*Node, takeover.Fence) Try {
	return func(_ *Node, f takeover.Fence) Try {
		off := time.Duration(w.Random.IntN(2000)) * time.Millisecond
		answer := off + time.Duration(w.Random.IntN(1000))*time.Millisecond
		switch w.Random.IntN(10) {
		case 0:
			return Try{Answer: answer, Err: errDevice}
		case 1:
			return Try{Hits: true, Off: off, Answer: 10 * time.Second, Err: context.DeadlineExceeded}
		}
		return Try{Hits: true, Off: off, Answer: answer}
	}
}

// failDevices has every device fail for a while.
func failDevices(t *trouble) {
	t.say("")
	t.w.Fencer = func(*Node, takeover.Fence) Try { return Try{Answer: 100 * time.Millisecond, Err: errDevice} }
	heal := func() { t.w.Fencer = devices(t.w) }
	t.w.After(t.while(30_000), heal)
	t.atPeace(heal)
}

// confirm has a person who sees that a node is off say so.
func confirm(t *trouble) {
	n := t.node()
	if other := t.other(n); other.Core == nil && !t.runsAnything(other) {
		t.say("%s on %s", other.Name, n.Name)
		n.Request("confirm", other.Name, nil)
	}
}

func (t *trouble) runsAnything(n *Node) bool {
	for i := range t.w.Cluster.Groups {
		if n.Holds(i) {
			return true
		}
	}
	return false
}
