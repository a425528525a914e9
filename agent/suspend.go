package agent

import (
	"context"
	"time"

	"golang.org/x/sys/unix"

	"github.com/systole-ha/systole/agent/core"
)

// noticed is the suspension of the machine that is worth a word: the clocks are
// read one after the other, which takes some µs, or ms where the process is
// interrupted between.
const noticed = 20 * time.Millisecond

// checkSuspended tells the core that the machine was suspended since the last
// look: Go's clock has stood still, the peer's has not.
func (a *Agent) checkSuspended(ctx context.Context) {
	before := a.suspended
	a.suspended = a.cfg.Suspended()
	if long := a.suspended - before; before != 0 && long > noticed {
		now := time.Now()
		a.act(ctx, now, a.core.Step(now, core.Suspended{For: long}))
	}
}

// suspended is how long this machine was suspended since it booted.
func suspended() time.Duration { return clock(unix.CLOCK_BOOTTIME) - clock(unix.CLOCK_MONOTONIC) }

func clock(id int32) time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(id, &t); err != nil {
		panic("agent: a clock of every Linux is not there: " + err.Error())
	}
	return time.Duration(t.Nano())
}
