package agent_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/systole-ha/systole/agent"
	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/agent/link/linktest"
)

// TestSuspension lets the kernel say that the machine was suspended: a node that
// missed its deadtime gives everything up, leases or none, and takes it again
// when its peer has said that it does not have it.
func TestSuspension(t *testing.T) {
	for _, tt := range []struct {
		name   string
		slept  time.Duration
		missed bool
	}{
		{"for an hour", time.Hour, true},
		{"for deadtime less a keepalive", deadtime - keepalive, true},
		{"for a millisecond less", deadtime - keepalive - time.Millisecond, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var slept atomic.Int64
				slept.Store(int64(time.Minute)) // earlier, before the daemon started
				bus := linktest.NewBus(1)
				alpha := startWith(t, bus, "alpha", "beta", 1, func(c *agent.Config) {
					c.Suspended = func() time.Duration { return time.Duration(slept.Load()) }
				})
				beta := start(t, bus, "beta", "alpha", 1)
				time.Sleep(30 * time.Second)
				slept.Add(int64(tt.slept))
				time.Sleep(20 * time.Second)
				synctest.Wait()

				told := all[event.NodeSuspended](alpha)
				if len(told) != 1 || told[0].Slept != tt.slept || told[0].Missed != tt.missed {
					t.Errorf("alpha reported %+v, want one of %v, missed %v", told, tt.slept, tt.missed)
				}
				released, taken := all[event.ReleaseCompleted](alpha), all[event.TakeoverStarted](alpha)
				if got := len(released) == 1 && len(taken) == 2; got != tt.missed {
					t.Errorf("alpha released %+v and took %+v, want its group given up and taken again: %v", released, taken, tt.missed)
				}
				if dead := all[event.PeerDead](alpha); len(dead) > 0 {
					t.Errorf("alpha reported %+v", dead)
				}
				alpha.kill()
				beta.kill()
			})
		})
	}
}
