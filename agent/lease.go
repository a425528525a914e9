package agent

import (
	"context"
	"errors"
	"time"

	"github.com/systole-ha/systole/agent/core"
	"github.com/systole-ha/systole/agent/event"
)

// checkLeases tells the core, before it is told anything else, that this node
// stood still for longer than its leases.
func (a *Agent) checkLeases(ctx context.Context) {
	lapsed := time.Duration(0)
	for _, l := range a.cfg.Leasers {
		if l.Lapsed() {
			lapsed = max(lapsed, l.Lease())
		}
	}
	if lapsed == 0 {
		return
	}
	now := time.Now()
	a.record(now, event.LeaseLapsed{Lease: lapsed, Stood: now.Sub(a.renewed)})
	a.act(ctx, now, a.core.Step(now, core.Lapsed{}))
}

// renew renews every lease. What could not be renewed is said once for each
// spell of failures, and runs out in its time.
func (a *Agent) renew(now time.Time) {
	var errs []error
	for _, l := range a.cfg.Leasers {
		errs = append(errs, l.Renew())
	}
	a.renewed = now
	err := errors.Join(errs...)
	if err != nil && !a.unrenewed {
		a.record(now, event.LeaseNotRenewed{Error: err.Error()})
	}
	a.unrenewed = err != nil
}
