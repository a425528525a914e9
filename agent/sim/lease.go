package sim

import "time"

// renew renews the leases. That they have not run out was seen to before. A gate
// is renewed for less where the beat is late: the peer has waited no longer for it.
func (n *Node) renew() {
	life, c := n.world.Cluster.Lease, n.world.Cluster
	if late := n.world.Now.Sub(n.renewed) - c.Keepalive; c.Gated && n.renewed.After(n.Started) && late > 0 {
		life -= late
	}
	n.renewed, n.revoked = n.world.Now, false
	n.ends = n.world.Now.Add(life)
	for name := range n.until {
		n.until[name] = n.ends
	}
	n.expireAt(n.ends)
}

// lease begins the lease of an address: it is its own until the next renewal.
func (n *Node) lease(name string) {
	n.until[name] = n.world.Now.Add(n.world.Cluster.Lease)
	if n.world.Cluster.Gated && n.renewed.After(n.Started) {
		n.until[name] = n.ends
	}
	n.expireAt(n.until[name])
}

// revoke ends every lease at once; no address is started before the next
// renewal.
func (n *Node) revoke() {
	n.renewed, n.revoked = n.Started, true
	for name := range n.until {
		n.drop(name)
	}
}

// lapsed reports whether the leases have run out. A daemon that starts has not
// had any.
func (n *Node) lapsed() bool {
	return n.world.Cluster.Lease > 0 && n.renewed.After(n.Started) && !n.world.Now.Before(n.ends)
}

// expireAt is the kernel's part: the daemon may be frozen, dead or none.
func (n *Node) expireAt(at time.Time) {
	if len(n.until) == 0 {
		return
	}
	n.world.At(at, func() {
		if n.paused {
			return // so is its kernel
		}
		n.expire()
		n.world.Check(n)
	})
}

// expire drops what is over.
func (n *Node) expire() {
	for name, until := range n.until {
		if !until.After(n.world.Now) {
			n.drop(name)
		}
	}
}

func (n *Node) drop(name string) {
	delete(n.running, name)
	delete(n.until, name)
}

// Has reports whether any address of a group is here.
func (n *Node) Has(group int) bool {
	if n.paused {
		return false // and answers for none
	}
	for i, name := range n.world.names[group] {
		if n.running[name] && n.world.Cluster.Groups[group].Resources[i].Announced {
			return true
		}
	}
	return false
}
