package takeover

import (
	"slices"
	"time"
)

// A Memory is what a daemon leaves to the next one on the same node: what it
// held and what was under way, so far as neither the kernel nor systemd nor the
// peer could tell. It is a hint about what is found running, and about nothing
// else: without it, or with a wrong one, a daemon may release what it could
// have kept, and never hold what another holds.
type Memory struct {
	Standby  time.Time `json:"standby,omitzero"`  // an operator put this node in standby
	Gone     string    `json:"gone,omitempty"`    // why the peer was not alive: peer_dead, peer_left, start; empty while it was
	Off      string    `json:"off,omitempty"`     // by whose word the peer is off: a fence agent's, or operator; empty while it is not known to be
	Incident string    `json:"incident,omitzero"` // the trace of the peer's newest death
	Groups   []Left    `json:"groups,omitempty"`
}

// A Left is one group as a daemon left it.
type Left struct {
	Group     string    `json:"group"`              // its key
	Resources []string  `json:"resources"`          // its line, in order
	Aim       string    `json:"aim,omitempty"`      // hold, release; empty for undecided
	Holds     bool      `json:"holds,omitempty"`    // any of it may run here
	Since     time.Time `json:"since,omitzero"`     // since when it is held
	Failback  bool      `json:"failback,omitempty"` // goes back to its preferred node by itself
	Trigger   string    `json:"trigger,omitempty"`  // of the move under way; empty for none
	Trace     string    `json:"trace,omitempty"`    // of that move
}

// The words for aims.
const (
	AimHold    = "hold"
	AimRelease = "release"

	GoneByGoodbye = peerLeft // why the peer was not alive
)

// Memory is what to leave.
func (t *Takeover) Memory() Memory {
	if t.phase == left && t.HoldsNothing() {
		return Memory{} // a clean stop leaves nothing
	}
	m := Memory{Standby: t.standby, Incident: t.incident}
	if !t.peer.alive && t.phase == stable {
		m.Gone = t.peer.gone
		if m.Gone == "" {
			m.Gone = atStart
		}
		if t.fences() && !t.fence.off.IsZero() {
			m.Off = t.fence.by
		}
	}
	for _, g := range t.groups {
		m.Groups = append(m.Groups, g.leave())
	}
	return m
}

func (g *group) leave() Left {
	if g.left != nil && g.aim == undecided {
		return *g.left // what the last daemon left is still to be dealt with
	}
	l := Left{Group: g.key, Resources: g.names, Holds: g.holds(), Failback: g.failback}
	switch g.aim {
	case hold:
		l.Aim, l.Since = AimHold, g.held
	case release:
		l.Aim = AimRelease
	}
	if g.move != nil && !g.settled() {
		l.Trigger, l.Trace = g.move.trigger, g.move.trace
	}
	return l
}

// Equal reports whether two memories say the same.
func (m Memory) Equal(other Memory) bool {
	return m.Standby.Equal(other.Standby) && m.Gone == other.Gone && m.Off == other.Off && m.Incident == other.Incident &&
		slices.EqualFunc(m.Groups, other.Groups, Left.equal)
}

func (l Left) equal(other Left) bool {
	return l.Group == other.Group && l.Aim == other.Aim && l.Holds == other.Holds && l.Since.Equal(other.Since) &&
		l.Failback == other.Failback && l.Trigger == other.Trigger && l.Trace == other.Trace &&
		slices.Equal(l.Resources, other.Resources)
}

// recall takes in what the last daemon left. Groups are known by their keys,
// whatever else of haresources has changed.
//
// A peer that was gone may have come back while nobody here could hear it, and
// have taken what this node did not hold, and fallen silent again: for a
// deadtime, in which its leases run out, nothing is taken but what was kept.
func (t *Takeover) recall(now time.Time, m Memory) {
	t.standby, t.incident, t.peer.gone = m.Standby, m.Incident, m.Gone
	if m.Gone != "" {
		t.deafUntil = now.Add(t.cfg.Deadtime)
	}
	if m.Off != "" && t.fences() {
		// One that was switched on meanwhile has not taken anything in less than a
		// deadtime, in which it hears nobody: it would wait, and fence us first.
		t.fence.off, t.fence.by = now, m.Off
	}
	for _, g := range t.groups {
		for i := range m.Groups {
			if m.Groups[i].Group == g.key && m.Groups[i].Aim != "" {
				g.left = &m.Groups[i]
			}
		}
	}
}

// kept reports whether the last daemon held g.
func (g *group) kept() bool { return g.left != nil && g.left.Aim == AimHold }

// leaves reports whether the last daemon was giving g up for a standby that an
// operator asked for: it is not taken back.
func (t *Takeover) leaves(g *group) bool {
	return g.left != nil && g.left.Aim == AimRelease && g.left.Trigger == byStandby && !t.standby.IsZero()
}

// keep takes up a group that the last daemon held and nobody else does: since
// it never went away, that is no takeover.
func (t *Takeover) keep(now time.Time, g *group) {
	t.want(now, g, hold)
	g.failback = g.left.Failback
	if !g.left.Since.IsZero() && g.left.Since.Before(now) {
		g.held = g.left.Since
	}
}

// resume goes on with a kept group once it is known what of it runs: with the
// takeover that was under way, if there was one; with nothing, where all of it
// runs; else with a new takeover, for something has stopped meanwhile.
func (t *Takeover) resume(now time.Time, g *group) {
	l := g.left
	g.left = nil
	if !g.foundHolding() {
		// Its lease is over: whoever took it meanwhile had a right to.
		g.aim = undecided
		t.changes++
		return
	}
	if g.foundRunning() && l.Trigger == "" {
		g.adopt(now)
		t.become(g, running)
		return
	}
	trigger := atStart
	switch l.Trigger {
	case peerDead, peerLeft, byStandby, byTakeover, byFailback, byFailure:
		trigger = l.Trigger
	}
	standby, failback := t.standby, g.failback
	t.resumed = l.Trace
	m := t.acquire(now, trigger, []*group{g})
	t.resumed = ""
	t.join(now, m, g)
	t.standby, g.failback = standby, failback || g.failback
}

// adopt takes all of g for started, verified and still to be announced: that it
// has never been away is what the neighbours may doubt.
func (g *group) adopt(now time.Time) {
	g.adopted, g.next = true, len(g.work)
	for i := range g.work {
		w := &g.work[i]
		w.since, w.verified = now, true
		if g.Resources[i].Announced {
			w.announce = 0
		}
	}
}
