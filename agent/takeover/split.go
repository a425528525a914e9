package takeover

import (
	"slices"
	"time"

	"github.com/systole-ha/systole/agent/event"
)

// A split is two nodes saying that they hold one group.
type split struct {
	since  time.Time
	trace  string
	groups []*group
	open   bool // nobody has yielded yet
	yields bool // whether this node gave something up
	keeps  bool
}

// resolve ends a split: one node keeps each group, the other gives it up at
// once. Both judge by the same facts, which both have sent, so that they agree
// without talking. A peer that cannot hear us cannot yield, and a 3.0.6 node
// does not: then we do.
func (t *Takeover) resolve(now time.Time) {
	var both []*group
	for _, g := range t.groups {
		if t.peer.alive && (t.peer.systole || t.insists()) && t.peer.has(g) && (g.state == starting || g.state == running) && g.aim == hold {
			both = append(both, g)
		}
	}
	if t.split == nil && len(both) > 0 {
		if t.incident == "" {
			t.incident = t.cfg.Incident()
		}
		t.split = &split{since: now, trace: t.incident, groups: both}
		t.emit(event.SplitBrainSuspected{Evidence: "peer_claims", Peer: t.cfg.Peer, Groups: keys(both), Trace: t.incident})
	}
	if t.split != nil {
		t.split.open = len(both) > 0
	}
	if len(both) == 0 {
		t.reunite(now)
		return
	}
	if at := t.blindAt(); !at.IsZero() && at.After(now) {
		return // it may be about to hear us, or to restart itself
	}
	deaf := !t.peer.hears || !t.peer.systole
	losing := slices.DeleteFunc(slices.Clone(both), func(g *group) bool { return !deaf && t.keeps(g) })
	if len(losing) < len(both) {
		t.split.keeps = true
	}
	if len(losing) > 0 {
		t.split.yields = true
		t.abortSwap(now, "two nodes hold one group")
		t.relinquish(now, byYield, losing)
	}
}

// foundTwo tells of the groups that the peer holds and that a predecessor of
// this daemon had left here: it died and came back too late, and nobody was
// there to see that both had them.
func (t *Takeover) foundTwo(now time.Time, left []*group) {
	two := slices.DeleteFunc(slices.Clone(left), func(g *group) bool {
		return !t.peer.alive || !t.peer.serves[g.index] || !g.foundHolding()
	})
	if t.split != nil || len(two) == 0 {
		return
	}
	if t.incident == "" {
		t.incident = t.cfg.Incident()
	}
	since := now
	for _, g := range two {
		if begun := t.peer.begun[g.index]; begun.IsZero() {
			since = now.Add(-proofAge) // at least
		} else if begun.Before(since) {
			since = begun
		}
	}
	t.split = &split{since: since, trace: t.incident, groups: two, yields: true}
	t.emit(event.SplitBrainSuspected{Evidence: "left_running", Peer: t.cfg.Peer, Groups: keys(two), Trace: t.incident})
}

// keeps is the rule by which one of two owners keeps g: with auto_failback on
// at both, its preferred node; else the one that has held it longer, by what
// the two clocks say; the preferred one if equal.
func (t *Takeover) keeps(g *group) bool {
	ours, theirs := g.held.UnixMilli(), t.peer.since[g.index]
	if t.cfg.AutoFailback && t.peer.autoBack || ours == theirs {
		return t.local(g)
	}
	return ours < theirs
}

// blindAt is when a peer that we hear but that does not hear us is taken to be
// deaf to us, three keepalives after it was first heard so; zero while it
// hears us. The first words after a cut heals are from before it healed.
//
// A 3.0.6 node that has called us dead gives everything up and restarts itself
// when it hears us again. One that has not is given that time in vain.
func (t *Takeover) blindAt() time.Time {
	switch {
	case t.split == nil || !t.split.open:
		return time.Time{}
	case t.peer.beside:
		return t.peer.seen.Add(besideTime)
	case t.peer.hears || t.peer.deaf.IsZero():
		return time.Time{}
	}
	return t.peer.deaf.Add(3 * t.cfg.Keepalive)
}

// insists reports whether what the peer says that it holds is what a 3.0.6 node
// holds in spite of us, since it takes us for dead, or since we took it.
func (t *Takeover) insists() bool { return t.peer.foreign && t.swap == nil && !t.peer.leaving }

// reunite ends a split once the loser has stopped what both held, or is dead.
func (t *Takeover) reunite(now time.Time) {
	if t.split == nil {
		return
	}
	if t.peer.alive && slices.ContainsFunc(t.split.groups, func(g *group) bool { return g.holds() && t.peer.may(g) }) {
		return
	}
	released := t.cfg.Peer
	switch {
	case t.split.yields && t.split.keeps:
		released = "both"
	case t.split.yields:
		released = t.cfg.Self
	}
	t.emit(event.SplitBrainCleared{Peer: t.cfg.Peer, Released: released, Took: now.Sub(t.split.since), Trace: t.split.trace})
	for _, g := range t.split.groups {
		g.announceAgain(now)
	}
	t.split = nil
}

// hushed reports whether nothing is said of resources for now: to a 3.0.6 node
// that had called us dead and is about to restart itself. What it is told has it
// hand groups over first, and that puts the restart off for ever.
func (t *Takeover) hushed() bool { return t.peer.alive && t.peer.beside && !t.peer.asked }

// askBeside asks a 3.0.6 node that does not restart itself what it holds.
func (t *Takeover) askBeside(now time.Time) {
	if t.hushed() && !t.peer.leaving && !now.Before(t.peer.seen.Add(besideTime)) {
		t.peer.asked = true
		t.send("starting")
	}
}

// standAlone says that a 3.0.6 node that had been called dead, and was alive
// all along, has given up what it held beside this node: it does so when it
// hears us again, whatever we do. Neighbours may believe it still.
func (t *Takeover) standAlone(now time.Time) {
	if !t.peer.beside {
		return
	}
	t.peer.beside = false
	for _, g := range t.groups {
		g.announceAgain(now)
	}
}
