package agent

import (
	"time"

	"github.com/systole-ha/systole/agent/core"
)

// remember hands out what to leave to the next daemon: when it has changed, and
// four times a deadtime with nothing new but that this one still lives. A next
// daemon believes it until a deadtime after the newest heartbeat told.
func (a *Agent) remember(now time.Time, out core.Output) {
	if a.cfg.Remember == nil {
		return
	}
	if out.Renew {
		a.beaten = now
	}
	news := out.Memory != nil && !out.Memory.Equal(a.memory)
	if news {
		a.memory = *out.Memory
	}
	if !news && !out.Left && a.beaten.Sub(a.recorded) < a.cfg.Core.Members.Deadtime/4 {
		return
	}
	a.recorded = a.beaten
	a.cfg.Remember(a.memory, a.beaten)
}
