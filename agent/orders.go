package agent

import (
	"context"
	"fmt"
	"time"

	"github.com/systole-ha/systole/agent/core"
	"github.com/systole-ha/systole/agent/takeover"
	"github.com/systole-ha/systole/resources"
)

// carryOut gives one order to its driver, in a goroutine of its own with a
// time limit, and tells the core how it ended. The core never gives two orders
// for one resource at once.
func (a *Agent) carryOut(ctx context.Context, order takeover.Order) {
	ctx, cancel := context.WithTimeout(ctx, a.cfg.Timeout(order.Op))
	a.cancels[order.ID] = cancel
	driver := a.cfg.Driver(order.Resource.Spec)
	a.work.Go(func() {
		defer cancel()
		began := time.Now()
		found, err := perform(ctx, driver, order)
		a.tell(core.Done{Done: takeover.Done{Order: order.ID, Took: time.Since(began), Err: err, Found: found}})
	})
}

func perform(ctx context.Context, driver resources.Driver, order takeover.Order) (found resources.Status, err error) {
	spec := order.Resource.Spec
	defer func() {
		// A driver that panics is a broken resource, not a dead node.
		if p := recover(); p != nil {
			err = &resources.Error{Op: string(order.Op), Spec: spec, Err: fmt.Errorf("the driver panicked: %v", p)}
		}
	}()
	switch order.Op {
	case takeover.Start:
		return 0, driver.Start(ctx, spec)
	case takeover.Stop:
		return 0, driver.Stop(ctx, spec)
	case takeover.Status:
		return driver.Status(ctx, spec)
	case takeover.Announce:
		return 0, driver.(resources.Announcer).Announce(ctx, spec)
	}
	panic(fmt.Sprintf("agent: unknown operation %q", order.Op))
}
