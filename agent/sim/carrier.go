package sim

import (
	"slices"

	"github.com/systole-ha/systole/agent/core"
	"github.com/systole-ha/systole/agent/takeover"
)

// serviceInterface is where every address of a node is.
const serviceInterface = "eth0"

// Carrier takes the carrier from the interface of the addresses, or gives it
// back, and with it these links, which begin or end at the same card.
func (n *Node) Carrier(lost bool, links ...string) {
	n.Cut = lost
	n.cutLinks = nil
	for i, name := range n.world.Cluster.Links {
		if !slices.Contains(links, name) {
			continue
		}
		for _, other := range n.world.Nodes {
			if lost {
				n.world.Cut(i, n.Name, other.Name)
				n.world.Cut(i, other.Name, n.Name)
			} else {
				n.world.Mend(i, n.Name, other.Name)
				n.world.Mend(i, other.Name, n.Name)
			}
		}
		if lost {
			n.cutLinks = append(n.cutLinks, i)
		} else {
			n.step(core.LinkState{Link: i, Usable: true})
		}
	}
	n.tellCarriers()
}

// tellCarriers is what the watch of the kernel tells a daemon when something
// has changed, and when it starts.
func (n *Node) tellCarriers() {
	var all []takeover.Carrier
	for _, g := range n.world.Cluster.Groups {
		for _, r := range g.Resources {
			if r.Announced {
				all = append(all, takeover.Carrier{Resource: r.Spec.String(), Interface: serviceInterface, Lost: n.Cut})
			}
		}
	}
	n.step(core.Carriers{Changed: all})
	for _, i := range n.cutLinks {
		n.step(core.LinkState{Link: i, Usable: true, Closed: true})
	}
}
