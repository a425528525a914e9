package sim

import (
	"fmt"
	"testing"
	"time"

	"github.com/systole-ha/systole/agent/event"
)

// cables is the cable of the clients, with the first link in it, pulled and put
// back: after seconds, or at once as with a loose contact; of one node or, as
// when their switch fails, of all.
var cables = []fault{
	{"cable", 3, func(t *trouble) { t.pull(t.node(), t.while(20_000)) }},
	{"loose contact", 1, func(t *trouble) { t.pull(t.node(), t.while(50)) }},
	{"switch", 1, func(t *trouble) {
		long := t.while(5000)
		for _, n := range t.w.Nodes {
			t.w.After(t.while(3), func() { t.pull(n, long) })
		}
	}},
}

func (t *trouble) pull(n *Node, long time.Duration) {
	if n.Cut {
		return
	}
	t.say("%s for %v", n.Name, long)
	n.Carrier(true, "eth0")
	back := func() {
		if n.Cut {
			t.say("of %s is back", n.Name)
			n.Carrier(false, "eth0")
		}
	}
	t.w.After(long, back)
	t.atPeace(back)
}

// TestCarriers plays histories in which cables are pulled beside every other
// fault.
func TestCarriers(t *testing.T) {
	playAll(t, *seeds/2, story{cluster: pair, faults: [][]fault{times(3, cables), endings, cuts, requests, freezes, breakage}})
}

// TestCarriersAlone plays histories of nothing but cables, beside a second link
// that lives: no address is ever on two nodes, and groups go only to where
// clients reach them, and not to and fro.
func TestCarriersAlone(t *testing.T) {
	playAll(t, *seeds/2, story{
		cluster: func(seed uint64) Cluster {
			c := pair(seed)
			c.Links = []string{"eth0", "eth1"}
			return c
		},
		faults: [][]fault{cables}, never: true, begin: noIdleMoves,
	})
}

// noIdleMoves objects to a move because of a carrier to a node that has none,
// and to more than two moves of a group, there and back, for each turn of a
// cable: 12 in the time of trouble have two nodes with 4 s between faults.
func noIdleMoves(w *World) {
	tell, moves := w.Watch, map[string]int{}
	w.Watch = func(n *Node, e event.Event) {
		tell(n, e)
		s, is := e.(event.TakeoverStarted)
		if !is || s.Trigger != "carrier" {
			return
		}
		if n.Cut {
			panic(fmt.Sprintf("%s takes %v and has no carrier", n.Name, s.Groups))
		}
		for _, g := range s.Groups {
			if moves[g]++; moves[g] > 12 {
				panic(fmt.Sprintf("%s moves to and fro: %d times", g, moves[g]))
			}
		}
	}
}
