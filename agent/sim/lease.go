package sim

import (
	"github.com/systole-ha/systole/agent/takeover"
)

// renew renews the leases. That they have not run out was seen to before.
func (n *Node) renew() {
	n.renewed = n.world.Now
	life := n.renewed
	n.world.After(n.world.Cluster.Lease, func() {
		if n.world.Cluster.Lease > 0 && n.renewed.Equal(life) {
			n.expire()
		}
	})
}

// lapsed reports whether the leases have run out. A daemon that starts has not
// had any.
func (n *Node) lapsed() bool {
	lease := n.world.Cluster.Lease
	return lease > 0 && n.renewed.After(n.Started) && n.world.Now.Sub(n.renewed) >= lease
}

// expire is the kernel's part: the daemon may be frozen, dead or none.
func (n *Node) expire() {
	for _, g := range n.world.Cluster.Groups {
		for _, r := range g.Resources {
			if r.Leased {
				delete(n.running, r.Spec.String())
			}
		}
	}
	n.world.Check(n)
}

// Has reports whether any address of a group is here.
func (n *Node) Has(g takeover.Group) bool {
	for _, r := range g.Resources {
		if r.Announced && n.running[r.Spec.String()] {
			return true
		}
	}
	return false
}
