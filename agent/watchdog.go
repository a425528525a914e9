package agent

import (
	"time"

	"github.com/systole-ha/systole/agent/core"
	"github.com/systole-ha/systole/agent/event"
)

// A Watchdog resets the machine where it is not fed in time. It is open.
type Watchdog interface {
	Timeout() time.Duration
	Feed() error // may wait for the hardware
	Close() error
}

// How often a watchdog is fed: four times in its timeout, and once a second.
const (
	feedings   = 4
	feedingMax = time.Second
)

// A feeder carries food from the loop to the device. Every portion is one turn
// of the loop: a loop that hangs sends none, and the feeder has none of its own.
// That it carries them in a goroutine keeps a driver that waits for its hardware
// from making the loop wait; a portion that finds the last one still on its way
// is dropped.
type feeder struct {
	dog      Watchdog
	portions chan struct{}
	every    time.Duration
	next     time.Time // the loop's
}

func newFeeder(dog Watchdog) *feeder {
	return &feeder{dog: dog, portions: make(chan struct{}, 1), every: min(dog.Timeout()/feedings, feedingMax)}
}

// feed sends a portion if one is due. It is for the loop, which calls it after
// every turn in which it has judged what was due.
func (f *feeder) feed(now time.Time) {
	if f == nil || now.Before(f.next) {
		return
	}
	f.next = now.Add(f.every)
	select {
	case f.portions <- struct{}{}:
	default:
	}
}

// wake is when the loop must turn at the latest, at or before at.
func (f *feeder) wake(at time.Time) time.Time {
	if f != nil && f.next.Before(at) {
		return f.next
	}
	return at
}

// run feeds until the loop is over, and then disarms the device: whoever ends
// in good order is not to be reset.
func (f *feeder) run(tell func(core.Input)) {
	last, failed := time.Now(), false // it was fed when it was opened
	for range f.portions {
		began := time.Now()
		err := f.dog.Feed()
		if err != nil {
			if !failed {
				tell(core.Fact{Event: event.WatchdogFailed{Error: err.Error()}})
			}
			failed = true
			continue
		}
		now := time.Now()
		gap := now.Sub(last)
		last, failed = now, false
		tell(core.Fact{Event: event.WatchdogFed{Gap: gap, Took: now.Sub(began)}})
		if timeout := f.dog.Timeout(); gap > timeout/2 {
			tell(core.Fact{Event: event.WatchdogNearMiss{Gap: gap, Timeout: timeout}})
		}
	}
	_ = f.dog.Close() // nobody is left to be told
}

// feeding starts the feeder, if there is anything to feed, and returns it with
// what ends it.
func (a *Agent) feeding() (f *feeder, end func()) {
	if a.cfg.Watchdog == nil {
		return nil, func() {}
	}
	f = newFeeder(a.cfg.Watchdog)
	a.work.Go(func() { f.run(a.tell) })
	return f, func() { close(f.portions) }
}
