package sim

import "testing"

// thefts take an address from a node.
var thefts = []fault{
	{"theft", 4, func(t *trouble) {
		n := t.node()
		g := t.w.Cluster.Groups[t.w.Random.IntN(len(t.w.Cluster.Groups))]
		for _, r := range g.Resources {
			if name := r.Spec.String(); r.Announced {
				t.say("of %s from %s", name, n.Name)
				n.Steal(name)
				break
			}
		}
	}},
}

// TestThefts plays histories in which addresses are taken away by others beside
// every other fault: in the end every group is whole.
func TestThefts(t *testing.T) {
	playAll(t, *seeds/2, story{cluster: pair, faults: [][]fault{times(3, thefts), endings, cuts, requests, freezes, breakage, cables}})
}
