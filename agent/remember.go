package agent

import (
	"time"

	"github.com/systole-ha/systole/agent/core"
)

// remember hands out what to leave to the next daemon: when it changes, and
// four times a deadtime with nothing new but that this one still lives. A next
// daemon believes it until a deadtime after the newest heartbeat told.
func (a *Agent) remember(now time.Time, out core.Output) {
	if a.cfg.Remember == nil {
		return
	}
	if out.Renew {
		a.beaten = now
	}
	if out.Memory != nil {
		a.memory = *out.Memory
	}
	if out.Memory == nil && a.beaten.Sub(a.recorded) < a.cfg.Core.Members.Deadtime/4 {
		return
	}
	a.recorded = a.beaten
	a.cfg.Remember(a.memory, a.beaten)
}
