package takeover

import "time"

// Restart answers what an operator waits for: this daemon ends, and the next
// one does not know of it. Nothing is given up, and what is under way is for
// the next one to go on with.
func (t *Takeover) Restart(now time.Time) Output {
	return t.step(now, func() {
		reason := t.cfg.Self + " is restarting"
		if t.swap != nil && t.swap.role == giver && t.swap.step == asking {
			t.abortSwap(now, reason)
		}
		if t.demanded.id != 0 {
			t.refuseDemand(reason)
		}
	})
}
