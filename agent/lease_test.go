package agent_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/agent/link/linktest"
)

// A lessor has leases that run out when it is told so, in the midst of a
// renewal: the process was stopped there for longer than they last.
type lessor struct {
	runsOut, over atomic.Bool
	revoked       atomic.Int64
}

func (l *lessor) Lease() time.Duration { return 8 * time.Second }
func (l *lessor) Revoke() error        { l.revoked.Add(1); return nil }
func (l *lessor) Lapsed() bool         { return l.over.Swap(false) }

func (l *lessor) Renew() error {
	if l.runsOut.Swap(false) {
		l.over.Store(true)
	}
	return nil
}

func TestALapseIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus, leases := linktest.NewBus(1), &lessor{}
		alpha, beta := start(t, bus, "alpha", "beta", 1, leases), start(t, bus, "beta", "alpha", 1)
		time.Sleep(30 * time.Second)
		if s, err := alpha.Snapshot(t.Context()); err != nil || s.Lease.Length != 8*time.Second || s.Lease.Weaker || s.Lease.Unrenewed {
			t.Errorf("the picture of alpha has the lease %+v, %v, want 8s", s.Lease, err)
		}
		leases.runsOut.Store(true)
		time.Sleep(20 * time.Second)
		synctest.Wait()

		if got := all[event.LeaseLapsed](alpha); len(got) != 1 || got[0].Lease != 8*time.Second {
			t.Errorf("alpha reported the lapses %+v, want one of 8s", got)
		}
		if got := all[event.ReleaseStarted](alpha); len(got) != 1 || got[0].Trigger != "lapse" {
			t.Errorf("alpha gave up %+v, want its group, for the lapse", got)
		}
		var last event.OwnerChanged
		for _, e := range all[event.OwnerChanged](alpha) {
			last = e
		}
		if last.To != "alpha" || last.Cause != "lapse" || last.Unowned < 3*keepalive {
			t.Errorf("in the end %+v, want it with alpha again, after it has listened for three keepalives", last)
		}
		if split := all[event.SplitBrainSuspected](beta); len(split) > 0 {
			t.Errorf("beta suspects %+v", split)
		}
		alpha.kill()
		beta.kill()
	})
}
