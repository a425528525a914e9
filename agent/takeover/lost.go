package takeover

import (
	"slices"
	"time"

	"github.com/systole-ha/systole/agent/event"
)

// How long it is waited before an address is put back that could not be: the
// first time, and at most.
const (
	putBackRetry     = time.Second
	putBackRetryMost = 30 * time.Second
)

// A loss is a resource that somebody else took away while this node holds it.
type loss struct {
	since time.Time     // zero for none
	again time.Time     // not to be put back before then
	pause time.Duration // before the next attempt; 0 before the first
	order uint64        // that puts it back; 0 for none under way
}

// Lost says that somebody else has taken resources of this node away. Those of
// groups that are held here are put back at once: whoever removed them has no
// say in who holds what.
func (t *Takeover) Lost(now time.Time, names []string) Output {
	return t.step(now, func() {
		for _, g := range t.groups {
			for i, name := range g.names {
				if w := &g.work[i]; slices.Contains(names, name) && g.stays() && w.isUp() && w.loss.since.IsZero() {
					w.loss = loss{since: now}
				}
			}
		}
	})
}

// Contested says that another machine says that it has resources that this node
// holds: neighbours may believe it, and are told again.
func (t *Takeover) Contested(now time.Time, names []string) Output {
	return t.step(now, func() {
		for _, g := range t.groups {
			for i, name := range g.names {
				if w := &g.work[i]; slices.Contains(names, name) && g.stays() && w.isUp() && w.announce == len(announceAfter) {
					w.since, w.announce = now, 0
				}
			}
		}
	})
}

// Doubted says that nobody can vouch for who held what in the time before now:
// neighbours may believe another, and are told again.
func (t *Takeover) Doubted(now time.Time) Output {
	return t.step(now, func() {
		for _, g := range t.groups {
			g.announceAgain(now)
		}
	})
}

// stays reports whether what has come up of g is to stay so.
func (g *group) stays() bool {
	return g.aim == hold && (g.state == starting || g.state == running)
}

func (w *work) isUp() bool { return !w.since.IsZero() }

// putBack orders the start of what was lost, as long as its interface can carry
// anything.
func (t *Takeover) putBack(now time.Time, g *group) {
	if !g.stays() {
		return
	}
	for i := range g.work {
		w := &g.work[i]
		if l := &w.loss; !l.since.IsZero() && w.order == 0 && !l.again.After(now) && !g.way.cut() {
			t.order(g, i, Start)
			l.order = w.order
		}
	}
}

// backAgain takes in the end of a start that was to put something back, and
// reports whether d was one.
func (t *Takeover) backAgain(now time.Time, g *group, index int, d Done) bool {
	w := &g.work[index]
	if w.loss.order == 0 || w.loss.order != d.Order {
		return false
	}
	w.loss.order = 0
	if !g.stays() {
		return true // it will be stopped, whatever came of it
	}
	if d.Err != nil {
		w.loss.pause = min(max(putBackRetry, 2*w.loss.pause), putBackRetryMost)
		w.loss.again = now.Add(w.loss.pause)
		return true
	}
	t.emit(event.ResourcePutBack{Group: g.key, Resource: g.names[index], Took: now.Sub(w.loss.since)})
	w.loss = loss{}
	w.since, w.announce = now, 0
	return true
}
