package agent

import (
	"context"
	"errors"
	"time"

	"github.com/systole-ha/systole/agent/core"
	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/resources"
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
// spell of failures, and runs out in its time; so is a lease that cannot be
// had.
func (a *Agent) renew(now time.Time) {
	failed, weaker := false, false
	for _, l := range a.cfg.Leasers {
		err := l.Renew()
		switch {
		case err == nil:
		case errors.Is(err, resources.ErrLeaseRestored):
			a.record(now, event.LeaseRestored{Reason: err.Error()})
		case errors.Is(err, resources.ErrLeaseWeaker):
			weaker = true
			if !a.weaker {
				a.record(now, event.LeaseWeaker{Error: err.Error(), Lease: l.Lease()})
			}
		default:
			failed = true
			if !a.unrenewed {
				a.record(now, event.LeaseNotRenewed{Error: err.Error()})
			}
		}
	}
	a.renewed, a.unrenewed, a.weaker = now, failed, weaker
}

// leaseView is what there is to see of the leases.
func (a *Agent) leaseView() core.LeaseView {
	v := core.LeaseView{Weaker: a.weaker, Unrenewed: a.unrenewed}
	for _, l := range a.cfg.Leasers {
		if length := l.Lease(); length > 0 && (v.Length == 0 || length < v.Length) {
			v.Length = length
		}
	}
	return v
}

// revoke ends every lease now.
func (a *Agent) revoke(now time.Time) {
	for _, l := range a.cfg.Leasers {
		if err := l.Revoke(); err != nil {
			a.record(now, event.LeaseNotRenewed{Error: "revoke: " + err.Error()})
		}
	}
}
