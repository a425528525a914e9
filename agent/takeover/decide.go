package takeover

import (
	"slices"
	"time"
)

// The triggers of moves.
const (
	peerDead   = "peer_dead"
	peerLeft   = "peer_left"
	atStart    = "start"
	byStandby  = "standby"
	byTakeover = "takeover"
	byFailback = "failback"
	byShutdown = "shutdown"
	byYield    = "yield"
	byFailure  = "failure"
	byCleanup  = "cleanup"
	byLapse    = "lapse" // of a lease, or of the permission to hold
	byCarrier  = "carrier"
	byPing     = "ping"
)

// decide draws every consequence that what is known now allows. It changes
// aims only; drive does the rest. It may be called at any time and does nothing
// when there is nothing to do.
func (t *Takeover) decide(now time.Time) {
	if t.phase == joining && t.knowsEnough(now) {
		t.phase = stable
		t.vacant[local] = !t.peer.claimed[local]
	}
	if t.phase == stable {
		t.askBeside(now)
		t.retreat(now)
		t.resolve(now)
		if t.split == nil && t.mayAsk() {
			t.incident = "" // all is well: the next is another
		}
		t.pursue(now)
		t.claimUnheld(now)
		t.cleanUp(now)
		t.offerWhatBelongsThere(now)
	}
}

// knowsEnough reports whether it is known what the peer holds, or that it will
// not say. A 3.0.6 node waits 10 s for the other to become stable; since only
// one node ever decides about a group, its first word is enough for us.
func (t *Takeover) knowsEnough(now time.Time) bool {
	return !t.peer.alive || t.peer.told || !now.Before(t.patience())
}

// patience is how long a peer that does not say what it holds is waited for.
func (t *Takeover) patience() time.Time {
	if t.peer.seen.After(t.joined) {
		return t.peer.seen.Add(tellTimeout)
	}
	return t.joined.Add(tellTimeout)
}

// claimUnheld takes the groups that nobody holds and that are ours to take.
func (t *Takeover) claimUnheld(now time.Time) {
	trigger := atStart
	if !t.peer.alive || t.peer.leaving {
		trigger = t.peer.gone
		if t.peer.leaving {
			trigger = peerLeft
		}
		if trigger == "" {
			trigger = atStart
		}
	}
	if !t.peer.alive && !t.peer.leaving && t.mayReplace() && t.fenced() {
		t.vacant = [2]bool{true, true}
	}
	var groups []*group
	for _, g := range t.groups {
		switch {
		case !t.mayTake(g) || g.failure != "" && now.Before(g.retryAt):
		case g.kept():
			t.keep(now, g)
		default:
			groups = append(groups, g)
		}
	}
	if len(groups) == 0 {
		return
	}
	m := t.acquire(now, trigger, groups)
	for _, g := range groups {
		t.join(now, m, g)
	}
}

// mayTake reports whether g is held by nobody and this node's to take, now or
// when it may be tried again.
func (t *Takeover) mayTake(g *group) bool {
	switch {
	case g.aim == hold, g.state == stopping, t.swap.has(g), t.now.Before(t.listenUntil), t.isolated(g),
		t.forbidden.Take && !g.kept(), t.forbidden.Keep && g.kept():
		return false
	case !t.peer.alive:
		return g.kept() || !t.now.Before(t.deafUntil) && t.mayReplace() && (t.fenced() || t.spares(g))
	case t.peer.may(g) && !(t.local(g) && g.kept() && t.peer.unsure(g)), g.stuck, t.leaves(g):
		return false
	case t.peer.leaving:
		return true
	}
	if t.fences() && !t.peer.hears {
		return false // it takes us for dead, and may have been told that we were off before this start
	}
	known := t.peer.told || !t.now.Before(t.patience())
	return known && (t.local(g) || g.kept()) && !t.wouldOffer(g)
}

// cleanUp stops what a predecessor left running of groups that are not ours to
// take.
func (t *Takeover) cleanUp(now time.Time) {
	var left, going []*group
	for _, g := range t.groups {
		switch {
		case g.aim != undecided || g.state == unknown && g.busy():
			continue // decided, or the look at it is still under way
		case g.state == unknown && t.forbidden == (Permit{Take: true}):
			continue // it may go on being ours: evidence is still to come
		case g.kept() && t.peer.alive && t.peer.unsure(g):
			continue // both have been restarted: the peer will say
		case g.state == unknown && t.leaves(g):
			going = append(going, g)
		case g.state == unknown:
			left = append(left, g)
		}
		g.aim = release
	}
	if len(going) > 0 {
		t.resumed = going[0].left.Trace
		t.relinquish(now, byStandby, going)
		t.resumed = ""
	}
	for _, g := range t.groups {
		if g.aim == release {
			g.left = nil
		}
	}
	if len(left) > 0 {
		t.relinquish(now, byCleanup, left)
		t.foundTwo(now, left)
	}
}

// offerWhatBelongsThere begins a standby of our own accord: groups that are
// here only because their preferred node was away, and groups that will not
// run here.
func (t *Takeover) offerWhatBelongsThere(now time.Time) {
	if !t.wantsOffer() || now.Before(t.retryOffer) {
		return
	}
	var back, bad, cut, far []*group
	for _, g := range t.groups {
		switch {
		case g.state == running && t.cannotServe(g):
			cut = append(cut, g)
		case t.betterThere(g):
			far = append(far, g)
		case t.wouldOffer(g):
			bad = append(bad, g)
		case t.goesBack(g):
			back = append(back, g)
		}
	}
	if len(cut) > 0 {
		t.offer(now, byCarrier, cut)
	} else if len(far) > 0 {
		t.offer(now, byPing, far)
	} else if len(bad) > 0 {
		t.ask(now, byFailure, "local", bad, 0)
	} else {
		t.ask(now, byFailback, "foreign", back, 0)
	}
}

// wantsOffer reports whether there is something to offer and the peer can take
// an offer now.
func (t *Takeover) wantsOffer() bool {
	if !t.mayAsk() {
		return false
	}
	return slices.ContainsFunc(t.groups, func(g *group) bool {
		return t.wouldOffer(g) || t.goesBack(g) || g.state == running && t.cannotServe(g) || t.betterThere(g)
	})
}

// mayAsk reports whether a standby can be asked for: both nodes take part,
// hear each other and have nothing under way.
func (t *Takeover) mayAsk() bool {
	return t.phase == stable && t.swap == nil && !t.inFlux() && !t.unlinked && !t.hushed() && (t.split == nil || t.peer.systole) &&
		t.peer.alive && t.peer.told && t.peer.stable && t.peer.hears && !t.peer.leaving
}

// goesBack reports whether g returns to its preferred node by itself.
func (t *Takeover) goesBack(g *group) bool {
	return t.cfg.AutoFailback && g.failback && g.state == running && !t.peer.cannot(g) && t.peer.reaches(g) && !t.outreaches()
}

// wouldOffer reports whether g, preferred here and held by nobody, had better
// run on the peer: it failed here, an operator put this node in standby, only
// the peer reaches its clients, or it may run there unknown to the peer itself.
// Where it failed on both, the retry of the preferred node decides.
func (t *Takeover) wouldOffer(g *group) bool {
	unheld := g.aim != hold && !g.holds() && !t.peer.may(g)
	return unheld && t.local(g) && (g.failure != "" || !t.standby.IsZero() || t.cannotServe(g) || t.peer.left[g.index]) && !t.peer.cannot(g)
}

// inFlux reports whether anything is starting or stopping here.
func (t *Takeover) inFlux() bool {
	return slices.ContainsFunc(t.groups, func(g *group) bool {
		return g.state == starting || g.state == stopping || g.aim == hold && g.state != running
	})
}

// whatNext says what becomes of a group that would not start.
func (t *Takeover) whatNext(g *group) string {
	switch {
	case t.peer.alive && !t.peer.cannot(g) && t.local(g):
		return "released here and offered to " + t.cfg.Peer
	case t.peer.alive && !t.peer.cannot(g):
		return "released here; " + t.cfg.Peer + " is its preferred node and takes it"
	case t.peer.alive:
		return "released: it failed on both nodes; tried again in " + orphanRetry.String()
	}
	return "released: no other node is alive; tried again in " + orphanRetry.String()
}

// departWhenDone says goodbye once everything is released. What could not be
// stopped is told by saying nothing: then the peer waits out the deadtime.
func (t *Takeover) departWhenDone() {
	if t.phase != leaving || !t.stopping.settled() {
		return
	}
	t.phase = left
	if t.HoldsNothing() {
		t.send("shutdone", "st", "dead")
	}
}
