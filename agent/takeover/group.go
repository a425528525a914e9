package takeover

import (
	"time"

	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/resources"
)

// The states of a group on this node. The letter is what messages to a systole
// peer say.
const (
	unknown  = "unknown"  // ? a predecessor may have left it running
	stopped  = "stopped"  // -
	starting = "starting" // s
	running  = "running"  // r
	stopping = "stopping" // t
	failed   = "failed"   // f stopped after it would not start here; F would not even stop
)

// An aim is what is wanted of a group.
type aim int

const (
	undecided aim = iota // leave it as it is
	hold
	release
)

type group struct {
	Group
	index   int
	key     string   // Key, once and for all
	names   []string // of the resources, likewise
	drivers []string
	leading int // addresses at the beginning of the line
	state   string
	aim     aim
	held    time.Time // since when we aim to hold it
	next    int       // starting: the resource in hand; stopping: the one to stop next
	work    []work    // one a resource

	failure  string    // why it would not start here; empty when it did or was not tried
	stuck    bool      // it would not stop either
	tries    int       // of the stop in hand
	retryAt  time.Time // of a failed stop, or of a group that failed everywhere
	failback bool      // taken for want of its preferred node: goes back by itself
	move     *move     // the newest it takes part in
	adopted  bool      // found running when the daemon started
	whole    bool      // all of it ran, and nothing has been stopped yet
	served   served
	left     *Left // by the last daemon, until that is taken up or settled otherwise
	owned    ownership
	way      way // to its clients
}

// work is what is under way on one resource.
type work struct {
	order     uint64    // the order under way; 0 for none
	announce  int       // the next of announceAfter; len(announceAfter) for no more
	since     time.Time // when it came up
	announced bool      // at least once since it came up
	verified  bool
	loss      loss
	found     resources.Status // by the newest look
}

func newGroup(index int, cfg Group) *group {
	g := &group{Group: cfg, index: index, key: cfg.Key(), state: unknown, work: make([]work, len(cfg.Resources))}
	for _, r := range cfg.Resources {
		g.names = append(g.names, r.Spec.String())
		g.drivers = append(g.drivers, r.Driver)
	}
	for g.leading < len(cfg.Resources) && cfg.Resources[g.leading].Announced {
		g.leading++
	}
	for i := range g.work {
		g.work[i].announce = len(announceAfter)
	}
	return g
}

// holds reports whether anything of g may be running here: what the peer must
// wait for before it may start it.
func (g *group) holds() bool { return g.state != stopped && (g.state != failed || g.stuck) }

// settled reports whether nothing more will happen to g by itself.
func (g *group) settled() bool {
	switch g.aim {
	case hold:
		return g.state == running
	case release:
		return g.state == stopped || g.state == failed
	}
	return true
}

// want changes the aim of g.
func (t *Takeover) want(now time.Time, g *group, a aim) {
	if g.aim == a {
		return
	}
	g.aim = a
	if a == hold {
		g.held, g.failure = now, ""
	}
}

func (t *Takeover) become(g *group, state string) {
	if g.state == state {
		return
	}
	t.emit(event.GroupStateChanged{Group: g.key, From: g.state, To: state})
	g.state = state
	t.changes++
}

// probe looks at every resource of a group that a predecessor may have left.
func (t *Takeover) probe(g *group) {
	for i := range g.work {
		t.order(g, i, Status)
	}
}

// drive takes g as far towards its aim as it can go now.
func (t *Takeover) drive(now time.Time, g *group) {
	for before := ""; before != g.state; {
		before = g.state
		t.driveOnce(now, g)
	}
	t.putBack(now, g)
	t.announce(now, g)
}

func (t *Takeover) driveOnce(now time.Time, g *group) {
	switch {
	case g.aim == hold && (g.state == unknown || g.state == stopped || g.state == failed):
		t.begin(now, g)
	case g.aim == release && (g.state == starting || g.state == running || g.state == unknown):
		t.turnBack(g)
	case g.state == failed && g.stuck && g.aim == release && !g.retryAt.IsZero() && !g.retryAt.After(now):
		t.turnBack(g)
	}
	switch g.state {
	case starting:
		t.startNext(g)
	case stopping:
		t.stopNext(now, g)
	}
}

func (t *Takeover) begin(now time.Time, g *group) {
	if g.busy() {
		return // the look at what was left, or the last of a stop
	}
	if g.kept() {
		t.resume(now, g)
	}
	if g.state == running || g.aim != hold {
		return
	}
	g.adopted = g.foundRunning()
	g.next, g.stuck, g.tries, g.retryAt = 0, false, 0, time.Time{}
	for i := range g.work {
		g.work[i] = work{announce: len(announceAfter)}
	}
	t.become(g, starting)
}

// turnBack begins the release. An order under way is no longer wanted, but is
// waited for: two operations on one resource never overlap.
func (t *Takeover) turnBack(g *group) {
	g.next, g.tries, g.stuck, g.retryAt = len(g.work)-1, 0, false, time.Time{}
	for i := range g.work {
		w := &g.work[i]
		w.announce = len(announceAfter)
		if w.order != 0 && t.orders[w.order].op == Start {
			t.out.Cancel = append(t.out.Cancel, w.order)
		}
	}
	g.whole = g.state == running && (g.move == nil || g.move.trigger != byLapse)
	t.become(g, stopping)
}

// serves reports whether all of g is known to run here. A group that is to be
// released does until the first of it is stopped: it may wait for others.
func (g *group) serves() bool { return g.state == running || g.state == stopping && g.whole }

// startNext starts the resource in hand, left to right. Whatever is not an
// address at the beginning of its line waits for the addresses at the
// beginning of every line of the same takeover: lines are in the order of
// haresources, and a service of a later line may need the address of an
// earlier one, but a service that hangs must not keep the rest.
func (t *Takeover) startNext(g *group) {
	if g.next < len(g.work) {
		if t.forbidden.Take {
			return // it would last longer than what permits it
		}
		if g.work[g.next].order == 0 && (g.next < g.leading || g.move == nil || g.move.addressesUp()) {
			t.order(g, g.next, Start)
		}
		return
	}
	verified := true
	for i := range g.work {
		w := &g.work[i]
		if !w.verified {
			verified = false
			if w.order == 0 {
				t.order(g, i, Status)
			}
		}
	}
	if verified {
		t.become(g, running)
	}
}

// stopNext stops the resource in hand, right to left. A line of nothing but
// addresses waits for the services of the other lines of the same release, as
// it came before them at the start: a service that lets its clients finish
// needs the address they use. It waits drainTime at most.
func (t *Takeover) stopNext(now time.Time, g *group) {
	if g.next < 0 {
		if g.busy() {
			return
		}
		if g.stuck || g.failure != "" {
			g.retryAt = now.Add(orphanRetry)
			t.become(g, failed)
			return
		}
		t.become(g, stopped)
		return
	}
	if g.waitsToDrain(now) {
		return
	}
	if g.work[g.next].order == 0 && !g.retryAt.After(now) {
		g.retryAt, g.whole = time.Time{}, false
		t.order(g, g.next, Stop)
	}
}

// waitsToDrain reports whether g is addresses that wait for the services of
// other lines.
func (g *group) waitsToDrain(now time.Time) bool {
	addresses := g.state == stopping && g.next >= 0 && g.leading == len(g.work)
	return addresses && g.move != nil && !g.move.acquire && !g.move.servicesDown() && now.Before(g.move.decided.Add(drainTime))
}

func (g *group) busy() bool {
	for i := range g.work {
		if g.work[i].order != 0 {
			return true
		}
	}
	return false
}

// announce orders what announcements are due.
func (t *Takeover) announce(now time.Time, g *group) {
	if g.state != starting && g.state != running {
		return
	}
	for i := range g.work {
		w := &g.work[i]
		if w.order == 0 && w.announce < len(announceAfter) && !w.due().After(now) {
			w.announce++
			t.order(g, i, Announce)
		}
	}
}

func (w *work) due() time.Time { return w.since.Add(announceAfter[w.announce]) }

// announceAgain begins the announcements of g anew: there was a doubt about
// who held it.
func (g *group) announceAgain(now time.Time) {
	if g.state != starting && g.state != running {
		return
	}
	for i := range g.work {
		if w := &g.work[i]; g.Resources[i].Announced && !w.since.IsZero() {
			w.since, w.announce = now, 0
		}
	}
}

func (g *group) wake(now time.Time) time.Time {
	var wake time.Time
	earlier := func(at time.Time) {
		if wake.IsZero() || at.Before(wake) {
			wake = at
		}
	}
	if g.waitsToDrain(now) {
		earlier(g.move.decided.Add(drainTime))
	}
	if !g.retryAt.IsZero() && g.aim == release && (g.state == stopping || g.stuck) {
		earlier(g.retryAt)
	}
	if g.state == starting || g.state == running {
		for i := range g.work {
			w := &g.work[i]
			if w.order == 0 && w.announce < len(announceAfter) {
				earlier(w.due())
			}
			if w.order == 0 && w.loss.again.After(now) && g.stays() {
				earlier(w.loss.again)
			}
		}
	}
	return wake
}
