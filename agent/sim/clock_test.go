package sim

import (
	"strings"
	"testing"
	"time"
)

// standstills are those of a whole machine: after a pause all its clocks have
// jumped, after a suspension that of the daemon has not.
var standstills = []fault{
	{"pause", 2, func(t *trouble) { t.sleep((*Node).Pause) }},
	{"suspend", 2, func(t *trouble) { t.sleep((*Node).Suspend) }},
}

func (t *trouble) sleep(how func(*Node)) {
	n, long := t.node(), t.while(5000)
	t.say("%s for %v", n.Name, long)
	how(n)
	t.w.After(long, n.Wake)
}

// clockSteps set the wall clock of a node by hours, forward and back.
var clockSteps = []fault{
	{"clock step", 3, func(t *trouble) {
		n, by := t.node(), t.hours()
		t.say("%s by %v", n.Name, by)
		n.SetClock(by)
	}},
}

func (t *trouble) hours() time.Duration { return t.while(96*3_600_000) - 48*time.Hour }

// steppedStory has wall clocks set beside freezes, crashes and restarts, with
// leases.
func steppedStory(steps []fault) story {
	s := leasedStory(func(c Cluster) time.Duration { return c.Deadtime - c.Keepalive - 50*time.Millisecond })
	s.faults = append(s.faults, times(4, steps), thefts)
	return s
}

// TestClockSteps plays histories in which wall clocks are set by hours in the
// midst of everything: no address is ever on two nodes. Beside cuts, two owners
// that meet become one.
func TestClockSteps(t *testing.T) {
	t.Run("leases", func(t *testing.T) { playAll(t, *seeds/10, steppedStory(clockSteps)) })
	t.Run("cuts", func(t *testing.T) {
		playAll(t, *seeds/10, story{cluster: pair, faults: [][]fault{endings, cuts, requests, freezes, standstills, breakage, times(4, clockSteps)}})
	})
}

// TestClockStepsCanBeSeen sees that these histories can fail: a daemon that went
// by a clock that is set back would not send a heartbeat for hours.
func TestClockStepsCanBeSeen(t *testing.T) {
	s := steppedStory([]fault{{"step of the only clock", 3, func(t *trouble) { t.node().Ahead += t.hours() }}})
	for seed := range uint64(100) {
		if err := s.play(seed+1, false); err != nil && strings.Contains(err.Error(), "in the end") {
			return
		}
	}
	t.Error("in 100 histories all was well in the end")
}

// An instant has two readings, as those of time.Now have.
func TestInstant(t *testing.T) {
	early, late := instant(5*time.Second, Epoch.Add(3*time.Hour)), instant(7*time.Second, Epoch.Add(17*time.Nanosecond))
	for _, tt := range []struct {
		name      string
		got, want any
	}{
		{"lengths are of the monotonic clock", late.Sub(early), 2 * time.Second},
		{"and so is the order", early.Before(late), true},
		{"also after an addition", early.Add(2 * time.Second).Equal(late), true},
		{"people read the wall", late.UTC().Format(time.RFC3339Nano), "2026-01-01T00:00:00.000000017Z"},
		{"as does a file", early.Round(0).Equal(Epoch.Add(3 * time.Hour)), true},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, tt.got, tt.want)
		}
	}
}

// apart sets the clocks of the nodes hours apart.
func apart(w *World) {
	for _, n := range w.Nodes {
		n.Ahead = time.Duration(w.Random.IntN(48)-24) * time.Hour
	}
}

// TestStandstills plays histories in which whole machines are paused and
// suspended beside crashes, with leases, and with clocks that are hours apart:
// no address is ever on two nodes.
func TestStandstills(t *testing.T) {
	s := leasedStory(func(c Cluster) time.Duration { return c.Deadtime - c.Keepalive - 50*time.Millisecond })
	s.faults, s.begin = append(s.faults, times(4, standstills)), apart
	playAll(t, *seeds/2, s)
}

// TestClocksApart plays histories of every fault with clocks that are hours
// apart: when two owners meet, one of them keeps.
func TestClocksApart(t *testing.T) {
	playAll(t, *seeds/2, story{cluster: pair, faults: [][]fault{endings, cuts, requests, freezes, standstills, breakage}, begin: apart})
}
