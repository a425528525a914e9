package sim

// renew renews the leases. That they have not run out was seen to before.
func (n *Node) renew() {
	n.renewed, n.revoked = n.world.Now, false
	for name := range n.until {
		n.until[name] = n.world.Now.Add(n.world.Cluster.Lease)
	}
	n.expireLater()
}

// lease begins the lease of an address: it is its own until the next renewal.
func (n *Node) lease(name string) {
	n.until[name] = n.world.Now.Add(n.world.Cluster.Lease)
	n.expireLater()
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
	lease := n.world.Cluster.Lease
	return lease > 0 && n.renewed.After(n.Started) && n.world.Now.Sub(n.renewed) >= lease
}

// expireLater is the kernel's part: the daemon may be frozen, dead or none.
func (n *Node) expireLater() {
	if len(n.until) == 0 {
		return
	}
	n.world.After(n.world.Cluster.Lease, func() {
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
