package sim

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/systole-ha/systole/agent/core"
	"github.com/systole-ha/systole/agent/permission"
)

// arbiterFaults befall arbiters and the ways to them.
var arbiterFaults = []fault{
	{"cut from an arbiter", 1, func(t *trouble) {
		a, n := t.arbiter(), t.node()
		t.say("%s and %s, both ways", a.Name, n.Name)
		a.Cut(a.Name, n.Name)
		a.Cut(n.Name, a.Name)
	}},
	{"cut from an arbiter one way", 1, func(t *trouble) {
		a, n := t.arbiter(), t.node()
		from, to := n.Name, a.Name
		if t.w.Random.IntN(2) == 0 {
			from, to = to, from
		}
		t.say("%s to %s", from, to)
		a.Cut(from, to)
	}},
	{"mend ways to an arbiter", 2, func(t *trouble) { a := t.arbiter(); t.say("%s", a.Name); clear(a.cut) }},
	{"restart of an arbiter", 1, func(t *trouble) { a := t.arbiter(); t.say("%s", a.Name); a.Restart(t.w.Now) }},
	{"loss of an arbiter", 1, func(t *trouble) {
		a := t.arbiter()
		t.say("%s", a.Name)
		a.Down = true
		t.w.After(t.while(10000), func() { a.Restart(t.w.Now) })
	}},
	{"cut all", 2, func(t *trouble) {
		t.say("links")
		a, b := t.w.Nodes[0].Name, t.w.Nodes[1].Name
		for link := range t.w.links {
			t.w.Cut(link, a, b)
			if t.w.Random.IntN(3) > 0 {
				t.w.Cut(link, b, a)
			}
		}
		t.w.After(t.while(15000), func() {
			for link := range t.w.links {
				t.w.Mend(link, a, b)
				t.w.Mend(link, b, a)
			}
		})
	}},
}

func (t *trouble) arbiter() *Arbiter { return t.w.Arbiters[t.w.Random.IntN(len(t.w.Arbiters))] }

// voting is a pair with leases and arbiters.
func voting(policy permission.Policy, arbiters ...string) func(seed uint64) Cluster {
	return func(seed uint64) Cluster {
		c := pair(seed)
		c.Deadtime = 1500 * time.Millisecond
		c.Policy, c.Arbiters = policy, arbiters
		return leased(c, permission.MaxLease(c.Deadtime, c.Keepalive, slack))
	}
}

var arbiterStory = story{
	cluster: voting(permission.Arbiter, "gamma"),
	faults:  [][]fault{endings, cuts, requests, freezes, breakage, arbiterFaults},
	begin:   healArbiters,
	never:   true,
}

// healArbiters puts the arbiters in order at peace: their faults end by
// themselves, the cuts do not.
func healArbiters(w *World) {
	w.At(Epoch.Add(troubled), func() {
		for _, a := range w.Arbiters {
			clear(a.cut)
		}
	})
}

// TestArbiter plays histories in which all links are cut, one way and both, and
// nodes freeze, while an arbiter that fails too has the casting vote: no address
// is on two nodes at any instant.
func TestArbiter(t *testing.T) { playAll(t, *seeds/4, arbiterStory) }

// TestQuorum is the same with three arbiters.
func TestQuorum(t *testing.T) {
	s := arbiterStory
	s.cluster = voting(permission.Quorum, "gamma", "delta", "epsilon")
	playAll(t, *seeds/10, s)
}

// TestPeer is the same without anybody else: a node serves only while its peer
// hears it.
func TestPeer(t *testing.T) {
	playAll(t, *seeds/10, story{
		cluster: voting(permission.Peer),
		faults:  [][]fault{endings, cuts, requests, freezes, breakage},
		never:   true,
	})
}

// TestPermissionCanFail sees that the rule of these histories can fail.
func TestPermissionCanFail(t *testing.T) {
	forgetful := fault{"restart of a forgetful arbiter", 8, func(t *trouble) {
		t.say("")
		t.arbiter().book = permission.NewBook(Epoch.Add(-time.Hour))
	}}
	tests := []struct {
		name    string
		faults  []fault
		cluster func(c *Cluster)
	}{
		{name: "an arbiter that lends at once after its start", faults: []fault{forgetful}},
		{name: "leases that the permission does not know of", faults: times(6, freezes), cluster: func(c *Cluster) {
			*c = leased(*c, 3*c.Deadtime)
			c.Configure = func(_ *Node, cfg *core.Config) { cfg.Permission.Lease = 0 }
		}},
		{name: "no permission asked for", cluster: func(c *Cluster) { c.Policy = permission.None }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := arbiterStory
			s.faults = append(slices.Clone(s.faults), tt.faults)
			s.cluster = func(seed uint64) Cluster {
				c := arbiterStory.cluster(seed)
				if tt.cluster != nil {
					tt.cluster(&c)
				}
				return c
			}
			for seed := range uint64(500) {
				if err := s.play(seed+1, false); err != nil && strings.Contains(err.Error(), "both nodes have an address") {
					return
				}
			}
			t.Error("no history of 500 had an address on two nodes")
		})
	}
}
