package takeover

import (
	"slices"
	"time"
)

// listenAfterLapse is how many keepalives a node listens, after its leases have
// run out, before it takes anything: a peer that took over meanwhile says so
// with every message. What waited in the sockets may be from before.
const listenAfterLapse = 3

// Lapsed says that the leases of the addresses that this node held have run
// out, since it stood still: the kernel has taken them away, and the peer may
// have them. Every group with an address is given up, services and all, and
// what was agreed on before is void.
func (t *Takeover) Lapsed(now time.Time) Output {
	return t.lapse(now, "stood still for longer than its leases", (*group).leased)
}

// Slept says that this machine was suspended for so long that its peer may have
// taken everything: with or without a lease, all is given up.
func (t *Takeover) Slept(now time.Time) Output {
	return t.lapse(now, "was suspended", func(*group) bool { return true })
}

func (t *Takeover) lapse(now time.Time, what string, lost func(*group) bool) Output {
	return t.step(now, func() {
		t.listenUntil = now.Add(listenAfterLapse * t.cfg.Keepalive)
		t.abortSwap(now, t.cfg.Self+" "+what)
		if t.peer.alive && t.peer.systole {
			t.peer.told, t.peer.seen = false, now // what it said before is not what it holds: it says so again, or dies
		}
		var gone []*group
		for _, g := range t.groups {
			if g.aim == hold && lost(g) {
				gone = append(gone, g)
			}
		}
		t.relinquish(now, byLapse, gone)
	})
}

// leased reports whether any address of g is held by a lease.
func (g *group) leased() bool {
	return slices.ContainsFunc(g.Resources, func(r Resource) bool { return r.Leased })
}
