package agent

import (
	"context"
	"fmt"
	"time"

	"github.com/systole-ha/systole/agent/core"
	"github.com/systole-ha/systole/agent/takeover"
)

// fence has one device switch the peer off, in a goroutine of its own, and
// tells the core what it says. It ends when the device does or its time is up.
func (a *Agent) fence(ctx context.Context, f takeover.Fence) {
	a.work.Go(func() {
		began := time.Now()
		err := a.cfg.Fence.try(ctx, f)
		a.tell(core.FenceDone{FenceDone: takeover.FenceDone{Fence: f.ID, Took: time.Since(began), Err: err}})
	})
}

// A Fencer switches the peer off, by the devices of core.Config.Fence.
type Fencer struct {
	Timeout time.Duration // of one try
	Do      func(ctx context.Context, level, device int) error
}

func (f Fencer) try(ctx context.Context, order takeover.Fence) (err error) {
	ctx, cancel := context.WithTimeout(ctx, f.Timeout)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the device panicked: %v", p)
		}
	}()
	return f.Do(ctx, order.Level, order.Device)
}
