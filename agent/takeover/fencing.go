package takeover

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/systole-ha/systole/agent/event"
)

// A FencePlan says how the peer is made sure to hold nothing once it is silent.
type FencePlan struct {
	Levels    [][]string // the devices of each level, by their methods; all of a level must succeed
	Action    string     // off, reboot
	Delay     time.Duration
	Retry     time.Duration
	Tries     int  // of a level before the next; 1 at least
	First     bool // without permission to replace the peer, which its being off gives
	Addresses bool // once every level has failed, groups of nothing but addresses are taken
}

// A Fence is one try of one device, answered later by one FenceDone.
type Fence struct {
	ID            uint64
	Level, Device int // indices in FencePlan.Levels
}

// A FenceDone is the end of a try.
type FenceDone struct {
	Fence uint64
	Took  time.Duration
	Err   error // nil when the device says that the peer is off
}

// The results of a fencing.
const (
	fencedOff       = "off"       // a device says so
	fencedConfirmed = "confirmed" // a person says so
	fencedAborted   = "aborted"   // the peer was heard again
)

// fencePause is how long a device that has failed is left alone: many take one
// session at a time.
const fencePause = time.Second

// A fencing is what is done about a silent peer before it is replaced. At most
// one try is under way at a time.
//
// A try that is under way when the peer is heard again is not called off:
// nobody could say what it had done by then. That it succeeds means that the
// peer was off at some instant since it was asked for, and no more: a peer that
// was heard meanwhile may have been switched on again, and is not taken for off.
type fencing struct {
	active bool      // under way, or given up for a while: the peer is silent and not known to be off
	trying bool      // the devices have their turn
	failed bool      // every level has failed since the peer fell silent
	due    time.Time // the next try
	level  int
	device int
	tries  int                  // of the level that have failed
	order  uint64               // under way; 0 for none
	sent   event.FenceAttempted // what is known of that
	asked  time.Time            // when the first device of the level was
	heard  time.Time            // the newest message of the peer
	begun  time.Time
	trace  string
	reason string // the newest failure

	off    time.Time // when the peer was known to be off; zero when it is not
	by     string    // the method, or operator
	silent time.Time // when the peer was last given up; for the phase
	lesser bool      // this node held less than the peer when that fell silent
}

// fences reports whether the peer must be off before it is replaced.
func (t *Takeover) fences() bool { return t.cfg.Fence != nil && t.cfg.Peer != "" }

// fenced reports whether a peer that is not alive holds nothing: it is known to
// be off, or has said goodbye, or nobody wants to know.
func (t *Takeover) fenced() bool {
	return !t.fences() || !t.fence.off.IsZero() || t.peer.gone == peerLeft
}

// spares reports whether g may be taken from a peer that is not known to be
// off.
func (t *Takeover) spares(g *group) bool {
	return t.fence.failed && t.cfg.Fence.Addresses && g.leading == len(g.work)
}

// mayFence reports whether the peer is to be fenced now: not by a node that has
// lost the vote.
func (t *Takeover) mayFence() bool {
	return t.phase == stable && !t.peer.alive && !t.fenced() && (t.mayReplace() || t.cfg.Fence.First)
}

// pursue takes fencing as far as it can go now.
func (t *Takeover) pursue(now time.Time) {
	f := &t.fence
	if !t.mayFence() {
		return
	}
	if !f.active {
		t.beginFencing(now)
	}
	if f.order != 0 || now.Before(f.due) {
		return
	}
	f.trying = true
	if f.device == 0 {
		f.asked = now
	}
	t.lastOrder++
	f.order = t.lastOrder
	f.sent = event.FenceAttempted{
		Peer: t.cfg.Peer, Method: t.method(), Action: t.cfg.Fence.Action, Level: f.level + 1, Attempt: f.tries + 1, Trace: f.trace,
	}
	t.out.Fences = append(t.out.Fences, Fence{ID: f.order, Level: f.level, Device: f.device})
}

// beginFencing decides when to begin: the node that held less leaves the other
// the time to be first, where both live and only their links are cut.
func (t *Takeover) beginFencing(now time.Time) {
	f := &t.fence
	f.active, f.trying, f.failed, f.begun, f.due, f.reason = true, false, false, now, now, ""
	if f.order == 0 {
		f.level, f.device, f.tries = 0, 0, 0
	}
	e := event.FenceStarted{Peer: t.cfg.Peer, Action: t.cfg.Fence.Action, Trigger: t.peer.gone}
	if f.lesser {
		e.Delay = t.cfg.Fence.Delay
		f.due = now.Add(e.Delay)
	}
	if f.trace = t.incident; t.peer.gone == atStart {
		f.trace = t.joinTrace
	}
	if f.trace == "" {
		f.trace = t.cfg.NewTrace()
	}
	e.Trace = f.trace
	t.emit(e)
}

// holdsLess reports whether this node held fewer groups than the peer, by its
// last word; where they held as many, the one whose name comes later. Both
// nodes judge alike.
func (t *Takeover) holdsLess() bool {
	ours, theirs := 0, 0
	for _, g := range t.groups {
		if g.aim == hold && g.holds() {
			ours++
		}
		if t.peer.has(g) {
			theirs++
		}
	}
	if ours == theirs {
		return t.cfg.Self > t.cfg.Peer
	}
	return ours < theirs
}

// FenceDone takes in the end of a try.
func (t *Takeover) FenceDone(now time.Time, d FenceDone) Output {
	f := &t.fence
	if d.Fence != f.order {
		panic(fmt.Sprintf("takeover: try %d to fence was never given or has ended before", d.Fence))
	}
	return t.step(now, func() {
		f.order = 0
		t.reportTry(d)
		switch {
		case !f.off.IsZero(): // a person was faster
		case d.Err == nil:
			t.deviceSucceeded(now)
		default:
			f.reason = d.Err.Error()
			t.levelFailed(now)
		}
	})
}

func (t *Takeover) reportTry(d FenceDone) {
	e := t.fence.sent
	e.Result, e.Took = "ok", d.Took
	if d.Err != nil {
		e.Result, e.Error = "failed", d.Err.Error()
		if errors.Is(d.Err, context.DeadlineExceeded) {
			e.Result = "timeout"
		}
	}
	t.emit(e)
}

func (t *Takeover) method() string { return t.cfg.Fence.Levels[t.fence.level][t.fence.device] }

// deviceSucceeded goes on to the next device of the level, or is done.
func (t *Takeover) deviceSucceeded(now time.Time) {
	f := &t.fence
	method := t.method()
	if f.device++; f.device < len(t.cfg.Fence.Levels[f.level]) {
		return
	}
	f.device = 0
	if f.heard.After(f.asked) {
		f.due = now // once more, if it has fallen silent again
		return
	}
	t.endFencing(now, fencedOff, method)
}

// levelFailed tries the level again from its first device, then the next one,
// and after the last begins anew in a while.
func (t *Takeover) levelFailed(now time.Time) {
	f, plan := &t.fence, t.cfg.Fence
	f.device, f.due = 0, now.Add(fencePause)
	if f.tries++; f.tries < plan.Tries {
		return
	}
	f.level, f.tries = f.level+1, 0
	if f.level < len(plan.Levels) {
		f.due = now
		return
	}
	f.level, f.trying, f.due = 0, false, now.Add(plan.Retry)
	if !f.active {
		return // the peer has come back meanwhile
	}
	f.failed = true
	t.emit(event.FenceFailed{Peer: t.cfg.Peer, Error: f.reason, Next: t.afterFailure(), Trace: f.trace})
}

func (t *Takeover) afterFailure() string {
	next := "its groups wait"
	if t.cfg.Fence.Addresses {
		next = "groups of nothing but addresses are taken, the others wait"
	}
	return fmt.Sprintf("%s; tried again in %s, or systole fence --confirm %s once it is known to be off", next, t.cfg.Fence.Retry, t.cfg.Peer)
}

// endFencing notes that the peer is off, by the word of a device or a person.
func (t *Takeover) endFencing(now time.Time, result, by string) {
	f := &t.fence
	f.off, f.by = now, by
	if !f.active { // only a person says so then, and the permission to take what the peer had hangs on it
		f.begun, f.trace = now, cmp.Or(t.incident, t.cfg.NewTrace())
	}
	t.emit(event.FenceCompleted{Peer: t.cfg.Peer, Result: result, By: by, Took: now.Sub(f.begun), Trace: f.trace})
	f.active, f.trying, f.failed, f.level, f.device, f.tries = false, false, false, 0, 0, 0
}

// abortFencing is what the return of the peer means for it.
func (t *Takeover) abortFencing(now time.Time, restarted bool) {
	f := &t.fence
	if restarted {
		f.off = time.Time{}
	}
	if f.active {
		t.emit(event.FenceCompleted{Peer: t.cfg.Peer, Result: fencedAborted, Took: now.Sub(f.begun), Trace: f.trace})
	}
	f.active, f.trying, f.failed = false, false, false
}

// contradict notes that a peer is heard that was known to be off, by something
// it has sent since. One that has not been started anew never was.
func (t *Takeover) contradict(at time.Time) {
	f := &t.fence
	f.heard = at
	if f.off.IsZero() || !at.After(f.off) {
		return
	}
	t.emit(event.FenceFailed{
		Peer: t.cfg.Peer, Error: fmt.Sprintf("it is heard, and has not been started anew: what %s said was not so", f.by),
		Next: "nothing: both nodes may hold its groups until one gives them up; see that the device switches off the right node", Trace: f.trace,
	})
	f.off = time.Time{}
}

// fencingTook is how long the peer has been silent without being replaced: of
// the first takeover after a death, 0 of any other.
func (t *Takeover) fencingTook(now time.Time) time.Duration {
	silent := t.fence.silent
	t.fence.silent = time.Time{}
	if !t.fences() || silent.IsZero() {
		return 0
	}
	return now.Sub(silent)
}

// fenceByHand answers an operator who wants the peer fenced now, or knows that
// it is off.
func (t *Takeover) fenceByHand(now time.Time, r Request) {
	f := &t.fence
	reason := t.cannotFence(r)
	switch {
	case reason != "":
		t.refuseRequest(r.ID, r.Kind, r.Scope, reason)
		return
	case r.Kind == byConfirm:
		t.endFencing(now, fencedConfirmed, "operator")
	default:
		f.due = now
	}
	t.accept(r.ID)
}

func (t *Takeover) cannotFence(r Request) string {
	switch {
	case r.Scope != t.cfg.Peer || t.cfg.Peer == "":
		return r.Scope + " is not the other node"
	case !t.fences():
		return "fencing is not configured: nothing waits for it"
	case t.peer.alive:
		return t.cfg.Peer + " is heard: it is not off"
	case t.phase != stable:
		return t.cfg.Self + " does not take part yet, or no more"
	case r.Kind == byFence && !t.mayReplace() && !t.cfg.Fence.First:
		return t.cfg.Self + " may not replace " + t.cfg.Peer
	case t.fenced():
		return t.cfg.Peer + " is known to hold nothing"
	case r.Kind == byFence && t.fence.order != 0:
		return t.cfg.Peer + " is being fenced"
	}
	return ""
}
