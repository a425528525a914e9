package agent_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/agent/link/linktest"
	"github.com/systole-ha/systole/agent/takeover"
)

// TestARestartGivesNothingUp ends an agent that will be started again: its
// driver stops nothing, its peer is told, and what it held is written down.
func TestARestartGivesNothingUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := linktest.NewBus(1)
		alpha, beta := start(t, bus, "alpha", "beta", 1), start(t, bus, "beta", "alpha", 1)
		time.Sleep(30 * time.Second)
		alpha.Restart()
		if err := <-alpha.done; err != nil {
			t.Errorf("Run: %v", err)
		}
		if len(alpha.driver.running) == 0 {
			t.Errorf("nothing runs any more")
		}
		if got := all[event.NodeRestarting](alpha); len(got) != 1 || got[0].Holds == "none" {
			t.Errorf("alpha reported %+v, want one restart with what it holds", got)
		}
		if len(all[event.ReleaseStarted](alpha))+len(all[event.NodeStopped](alpha)) > 0 {
			t.Errorf("alpha reported that it gives something up")
		}
		left := alpha.left.Groups
		if len(left) != 1 || left[0].Aim != takeover.AimHold || !left[0].Holds || !alpha.beaten.Equal(time.Now()) {
			t.Errorf("it leaves %+v as of %v, want what it holds, now", left, alpha.beaten)
		}
		again := start(t, bus, "alpha", "beta", 2)
		time.Sleep(time.Second)
		synctest.Wait()
		if got := all[event.PeerRestarted](beta); len(got) != 1 || !got[0].Announced {
			t.Errorf("beta reported %+v, want one restart that it was told of", got)
		}
		if got := all[event.PeerDead](beta); len(got) > 0 {
			t.Errorf("beta reported %+v", got)
		}
		again.kill()
		beta.kill()
	})
}

// TestWhatIsLeftIsKeptFresh: while nothing happens, what is left is told again
// often enough for the next daemon to believe it.
func TestWhatIsLeftIsKeptFresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := linktest.NewBus(1)
		alpha, beta := start(t, bus, "alpha", "beta", 1), start(t, bus, "beta", "alpha", 1)
		time.Sleep(30 * time.Second)
		for range 20 {
			time.Sleep(700 * time.Millisecond)
			synctest.Wait()
			alpha.mu.Lock()
			if old := time.Since(alpha.beaten); old > deadtime/4+keepalive {
				t.Errorf("what alpha leaves is of a heartbeat %v ago, want a quarter of the deadtime and a keepalive at most", old)
			}
			alpha.mu.Unlock()
		}
		alpha.kill()
		beta.kill()
	})
}

// TestWhatIsLeftIsWrittenWhenItIsNews counts how often an agent hands out what it
// leaves: four times a deadtime, so that the newest heartbeat is known, and no
// more for all that happens beside.
func TestWhatIsLeftIsWrittenWhenItIsNews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := linktest.NewBus(1)
		alpha := start(t, bus, "alpha", "beta", 1)
		start(t, bus, "beta", "alpha", 1)
		time.Sleep(30 * time.Second)
		synctest.Wait()
		before := alpha.notes
		for range 10 * deadtime / time.Second {
			alpha.Note(event.UnitRestarted{Unit: "web.service"})
			time.Sleep(time.Second)
		}
		synctest.Wait()
		if got := alpha.notes - before; got < 10*3 || got > 10*5 {
			t.Errorf("told %d times in ten deadtimes, want some 40", got)
		}
	})
}
