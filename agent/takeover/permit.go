package takeover

import (
	"slices"
	"time"
)

// A Permit is what this node may do with groups: see package permission.
type Permit struct {
	Keep bool // hold what it holds
	Take bool // take more
}

// Permit says what this node may do from now on. Until it is called everything
// is permitted. A node that may not keep what it holds gives it all up at once,
// and what was agreed on before is void.
func (t *Takeover) Permit(now time.Time, p Permit) Output {
	return t.step(now, func() {
		t.forbidden = Permit{Keep: !p.Keep, Take: !p.Take}
		if p.Keep {
			return
		}
		t.abortSwap(now, t.cfg.Self+" has no permission to hold anything")
		var gone []*group
		for _, g := range t.groups {
			if g.aim == hold {
				gone = append(gone, g)
			}
		}
		t.relinquish(now, byLapse, gone)
	})
}

// mayReplace reports whether this node may take the groups of a peer that is
// not alive, now: every condition beyond its silence stands here, and nowhere
// else.
func (t *Takeover) mayReplace() bool { return !t.forbidden.Take }

// HoldsNothing reports that nothing of any group runs here, or may.
func (t *Takeover) HoldsNothing() bool { return !slices.ContainsFunc(t.groups, (*group).holds) }

// Serves reports whether anything is held here, or is to be, or was found
// running when the daemon started.
func (t *Takeover) Serves() bool {
	for _, g := range t.groups {
		if g.aim == hold || g.aim == undecided && g.foundHolding() {
			return true
		}
	}
	return false
}
