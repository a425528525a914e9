package main

import (
	"fmt"
	"time"

	"github.com/systole-ha/systole/agent/config"
)

// leases says by what addresses are held, what becomes of those of a node that
// stands still, and where that allows two nodes to answer for one, and for how
// long.
func (p *plan) leases() {
	c, origin := p.c, "leases"
	gate, lifetime, safe := c.Gate(), c.Lifetime(), c.Lease()
	switch {
	case gate > 0:
		p.setting("lease", config.Human(gate)+", by nftables: a frozen node is silent before its peer takes over", origin, gateOrigin(c))
		p.row("", config.Human(lifetime)+", by lifetime: and then loses its addresses", "")
	case safe > 0:
		p.setting("lease", config.Human(safe)+": a frozen node has lost its addresses before its peer takes them", origin, lifetimeOrigin(c))
	case lifetime > 0:
		p.setting("lease", fmt.Sprintf("%s: a frozen node may answer beside the one that takes over, for %s", config.Human(lifetime), config.Human(longestOverlap(c))), origin, noLease(c))
	default:
		p.setting("lease", "none: a frozen node keeps its addresses beside the one that takes over", origin, noLease(c))
	}
}

// lifetimeLate is how late the kernel was seen to end an address.
const lifetimeLate = 160 * time.Millisecond

// longestOverlap is how long a frozen node may have an address that its peer
// has taken: from when the peer takes it to when the kernel ends it.
func longestOverlap(c *config.Config) time.Duration {
	return max(0, c.Keepalive+c.Lifetime()+lifetimeLate-c.Deadtime)
}

func lifetimeOrigin(c *config.Config) string {
	if c.Permission.Judges() {
		return "default: deadtime less three keepalives and 250ms"
	}
	return "default: deadtime less a keepalive and 250ms"
}

func gateOrigin(c *config.Config) string {
	if c.Permission.Judges() {
		return "default: deadtime less three keepalives and 20ms"
	}
	if c.Deadtime >= 4*c.Keepalive {
		return "default: deadtime less two keepalives and 20ms"
	}
	return "default: deadtime less a keepalive and 20ms"
}

func noLease(c *config.Config) string {
	if c.Lifetime() > 0 {
		return "deadtime leaves no whole second"
	}
	return "deadtime is too short for its keepalive"
}
