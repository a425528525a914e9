package sim

import (
	"fmt"
	"testing"
	"time"

	"github.com/systole-ha/systole/agent/event"
)

// outOfReach is ping nodes that answer one node no longer, or none, for a while.
var outOfReach = []fault{
	{"ping node missed", 3, func(t *trouble) { t.miss(t.node(), t.while(15_000)) }},
	{"ping node dead", 1, func(t *trouble) {
		for _, n := range t.w.Nodes {
			t.miss(n, 5*time.Second)
		}
	}},
}

func (t *trouble) miss(n *Node, long time.Duration) {
	name := t.w.Cluster.Pings[t.w.Random.IntN(len(t.w.Cluster.Pings))]
	t.say("%s by %s for %v", name, n.Name, long)
	n.Reach(name, false)
	back := func() { n.Reach(name, true) }
	t.w.After(long, back)
	t.atPeace(back)
}

func pinging(seed uint64) Cluster {
	c := pair(seed)
	c.Pings = []string{"router", "dns"}
	return c
}

// TestPings plays histories in which ping nodes are missed beside every other
// fault, carriers too.
func TestPings(t *testing.T) {
	playAll(t, *seeds/2, story{cluster: pinging, faults: [][]fault{times(3, outOfReach), cables, endings, cuts, requests, freezes, breakage}})
}

// TestPingsAlone plays histories of nothing but ping nodes: no address is ever
// on two nodes, and groups go only to where more ping nodes are reached, for a
// while.
func TestPingsAlone(t *testing.T) {
	playAll(t, *seeds/2, story{cluster: pinging, faults: [][]fault{outOfReach}, never: true, begin: noLesserReach})
}

// noLesserReach objects to a move for the sake of ping nodes to a node that
// had not reached more when it was decided, and to groups that go to and fro.
func noLesserReach(w *World) {
	tell, reached, moves := w.Watch, map[string]event.PingsCompared{}, map[string]int{}
	w.Watch = func(n *Node, e event.Event) {
		tell(n, e)
		switch e := e.(type) {
		case event.PingsCompared:
			reached[n.Name] = e
		case event.TakeoverStarted:
			if e.Trigger != "ping" {
				return
			}
			if c := reached[n.Name]; c.Ours <= c.Theirs {
				panic(fmt.Sprintf("%s takes %v and reaches %d, its peer %d", n.Name, e.Groups, c.Ours, c.Theirs))
			}
			for _, g := range e.Groups {
				if moves[g]++; moves[g] > 15 {
					panic(fmt.Sprintf("%s moves to and fro: %d times", g, moves[g]))
				}
			}
		}
	}
}
