package takeover

import (
	"slices"
	"time"

	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/resources"
)

// Why a group has no proven owner, where no trigger of a move says it.
const byRestart = "restart" // its owner's daemon restarted and no longer says that it holds it

// An ownership is who is proven to hold a group: this node while its own looks
// say that every resource runs, the peer while its messages say so. Between a
// last proof and the next first one nobody may have served.
type ownership struct {
	owner string    // empty for none
	last  string    // the newest owner there was
	proof time.Time // of the last
	cause string    // why there is none
}

// own draws from what is known after a step who holds each group now, and
// tells what is new. Where both say that they hold it, who had it first keeps
// it here: the split has events of its own.
func (t *Takeover) own(now time.Time) {
	for _, g := range t.groups {
		g.noteServed(now)
		owner, first, newest := t.prover(now, g)
		o := &g.owned
		t.provenUntil(g, o)
		switch {
		case owner == o.owner:
			if owner != "" {
				o.proof = newest
			}
		case owner == "":
			t.lost(g, o)
		default:
			t.gained(g, o, owner, first, newest)
		}
	}
}

// prover is the node that is proven to hold g, its first proof and its newest.
func (t *Takeover) prover(now time.Time, g *group) (node string, first, newest time.Time) {
	theirs := t.peer.alive && t.peer.serves[g.index]
	if theirs && (!g.served.now || g.owned.owner == t.cfg.Peer) {
		return t.cfg.Peer, t.peer.begun[g.index], t.peer.proof[g.index]
	}
	if g.served.now {
		return t.cfg.Self, g.served.begun, now
	}
	return "", time.Time{}, time.Time{}
}

func (t *Takeover) lost(g *group, o *ownership) {
	e := event.OwnerChanged{Group: g.key, From: o.owner, Cause: t.whyLost(g, o.owner), Since: o.proof, Trace: t.traceOfLoss(g, o.owner)}
	o.owner, o.cause = "", e.Cause
	t.emit(e)
}

func (t *Takeover) whyLost(g *group, owner string) string {
	switch {
	case owner == t.cfg.Self && g.failure == "" && g.move != nil && !g.move.acquire:
		return g.move.trigger
	case owner == t.cfg.Self:
		return byFailure
	case !t.peer.alive:
		return t.peer.gone
	case t.peer.leaving:
		return peerLeft
	case t.swap.has(g):
		return t.swap.trigger
	case !t.peer.told:
		return byRestart
	}
	return byFailure // released without a word: it would not run there
}

func (t *Takeover) traceOfLoss(g *group, owner string) string {
	switch {
	case owner == t.cfg.Self && g.move != nil:
		return g.move.trace
	case !t.peer.alive && t.peer.gone == peerDead:
		return t.incident
	case t.swap.has(g):
		return t.swap.trace
	}
	return t.peer.trace
}

// gained tells of a new owner. What this node finds running at its start was
// never away, as far as anybody can know.
func (t *Takeover) gained(g *group, o *ownership, owner string, first, newest time.Time) {
	e := event.OwnerChanged{Group: g.key, From: o.last, To: owner, Cause: o.cause}
	if !o.proof.IsZero() {
		e.Since = o.proof
	}
	if o.owner == "" && o.last != "" {
		e.Unowned = max(0, first.Sub(o.proof))
	}
	if owner == t.cfg.Self && g.move != nil {
		e.Trace = g.move.trace
		g.move.outage = max(g.move.outage, e.Unowned)
		if e.Cause == "" {
			e.Cause = g.move.trigger
		}
	}
	if owner == t.cfg.Self && g.adopted {
		e.Cause, e.Unowned = adopted, 0
	}
	*o = ownership{owner: owner, last: owner, proof: newest}
	t.emit(e)
}

// adopted is the cause of an owner that is so since before the daemon started.
const adopted = "adopted"

// foundHolding reports whether the look at what a predecessor left found an
// address of g, or, of a group without any, anything.
func (g *group) foundHolding() bool {
	addressed := slices.ContainsFunc(g.Resources, func(r Resource) bool { return r.Announced })
	for i := range g.work {
		if g.Resources[i].Announced == addressed && g.work[i].found == resources.Running {
			return true
		}
	}
	return false
}

// foundRunning reports whether the look at what a predecessor left found all
// of g running.
func (g *group) foundRunning() bool {
	if g.state != unknown {
		return false
	}
	for i := range g.work {
		if g.work[i].found != resources.Running {
			return false
		}
	}
	return true
}
