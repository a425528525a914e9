package agent_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/systole-ha/systole/agent"
	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/agent/link/linktest"
)

// A dog is a watchdog device that notes when it was fed.
type dog struct {
	mu     sync.Mutex
	waits  time.Duration // how long its driver takes, once
	fed    []time.Time
	closed int
}

func (d *dog) Timeout() time.Duration { return 8 * time.Second }

func (d *dog) Feed() error {
	d.mu.Lock()
	waits := d.waits
	d.waits = 0
	d.mu.Unlock()
	time.Sleep(waits)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fed = append(d.fed, time.Now())
	return nil
}

func (d *dog) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed++
	return nil
}

// longest is the longest time between two feedings, and when it began.
func (d *dog) longest() (gap time.Duration, began time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := 1; i < len(d.fed); i++ {
		if g := d.fed[i].Sub(d.fed[i-1]); g > gap {
			gap, began = g, d.fed[i-1]
		}
	}
	return gap, began
}

// A stuffed sink keeps the loop from going on, once.
type stuffed struct {
	mu    sync.Mutex
	until time.Time
}

func (s *stuffed) Record(event.Record) {
	s.mu.Lock()
	until := s.until
	s.mu.Unlock()
	time.Sleep(time.Until(until))
}

func TestWatchdog(t *testing.T) {
	withDog := func(t *testing.T, run func(t *testing.T, n *node, d *dog, s *stuffed)) {
		synctest.Test(t, func(t *testing.T) {
			d, s := &dog{}, &stuffed{}
			bus := linktest.NewBus(1)
			n := startWith(t, bus, "alpha", "beta", 1, func(c *agent.Config) {
				c.Watchdog = d
				c.Sinks = append(c.Sinks, s)
			})
			beta := start(t, bus, "beta", "alpha", 1)
			time.Sleep(30 * time.Second)
			if gap, _ := d.longest(); gap > time.Second {
				t.Errorf("a gap of %v, want a second at most", gap)
			}
			run(t, n, d, s)
			beta.kill()
		})
	}
	t.Run("a loop that stands still feeds nothing, and is told to have been near", func(t *testing.T) {
		withDog(t, func(t *testing.T, n *node, d *dog, s *stuffed) {
			began := time.Now()
			s.mu.Lock()
			s.until = began.Add(6 * time.Second)
			s.mu.Unlock()
			time.Sleep(20 * time.Second)
			synctest.Wait()
			gap, from := d.longest()
			if gap < 5*time.Second || from.Sub(began) > time.Second {
				t.Errorf("the longest gap was %v, %v after the loop began to stand still for 6s", gap, from.Sub(began))
			}
			near := all[event.WatchdogNearMiss](n)
			if len(near) != 1 || near[0].Gap != gap || near[0].Timeout != 8*time.Second {
				t.Errorf("reported %+v, want one of %v", near, gap)
			}
			n.kill()
			synctest.Wait()
		})
	})
	t.Run("a driver that hangs does not keep the loop waiting", func(t *testing.T) {
		withDog(t, func(t *testing.T, n *node, d *dog, _ *stuffed) {
			sent := len(all[event.HeartbeatSent](n))
			d.mu.Lock()
			d.waits = 5 * time.Second
			d.mu.Unlock()
			time.Sleep(20 * time.Second)
			synctest.Wait()
			if got := len(all[event.HeartbeatSent](n)) - sent; got < 19 {
				t.Errorf("%d heartbeats in 20 s, want one a second", got)
			}
			if late := all[event.AgentLate](n); len(late) > 0 {
				t.Errorf("the loop was late: %+v", late)
			}
			n.kill()
			synctest.Wait()
		})
	})
	t.Run("who stops in good order disarms it, once", func(t *testing.T) {
		withDog(t, func(t *testing.T, n *node, d *dog, _ *stuffed) {
			n.Stop("asked")
			<-n.done
			if d.closed != 1 {
				t.Errorf("closed %d times", d.closed)
			}
		})
	})
}
