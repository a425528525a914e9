package membership

import (
	"slices"
	"time"

	"github.com/systole-ha/systole/agent/event"
)

// limit is the silence at which n is dead.
func (m *Members) limit(n *node) time.Duration {
	if !m.settled {
		return max(m.cfg.Initdead, n.deadtime)
	}
	return n.deadtime
}

// due is the instant at which a silence that began at last reaches the limit,
// counting only the time in which we were awake, and one keepalive more after
// a pause of ours: whoever paused with us needs that long to be heard again.
func (m *Members) due(n *node, last time.Time) time.Time {
	due := last.Add(m.limit(n))
	if n.stalled > 0 {
		due = due.Add(n.stalled + m.cfg.Keepalive)
	}
	return due
}

// Suspects reports whether a silence has reached its limit by now, so that the
// sockets are to be emptied once more before Expire judges.
func (m *Members) Suspects(now time.Time) bool {
	suspects := false
	for _, n := range m.nodes {
		if m.expires(n) && !m.due(n, n.last).After(now) {
			suspects = true
			if n.suspect.IsZero() {
				n.suspect = now
			}
		}
		for i := range n.links {
			suspects = suspects || m.deaf.IsZero() && n.links[i].up && !m.due(n, n.links[i].last).After(now)
		}
	}
	return suspects
}

// Expire judges every silence at the instant now. It is called after the
// sockets have been emptied.
func (m *Members) Expire(now time.Time) []event.Event {
	var events []event.Event
	for _, n := range m.nodes {
		if m.expires(n) && !m.due(n, n.last).After(now) {
			events = m.lose(events, n, now)
		}
		events = m.loseLinks(events, n, now)
	}
	return events
}

// loseLinks finds the links on which n is no longer heard. Those that go within
// the same keepalive do not count each other as left: a peer that falls silent
// was heard on one of them a little later than on the other.
func (m *Members) loseLinks(events []event.Event, n *node, now time.Time) []event.Event {
	var lost []int
	left := 0
	for i := range n.links {
		l := &n.links[i]
		if !l.up || !m.deaf.IsZero() {
			continue
		}
		switch due := m.due(n, l.last); {
		case !due.After(now):
			l.up = false
			lost = append(lost, i)
		case due.After(now.Add(m.cfg.Keepalive)):
			left++
		}
	}
	for _, i := range lost {
		events = append(events, event.LinkDown{
			Peer: n.name, Link: m.cfg.Links[i], Silence: now.Sub(n.links[i].last), LinksLeft: left,
		})
	}
	return events
}

// expires reports whether n's silence still means something.
func (m *Members) expires(n *node) bool {
	switch {
	case !m.deaf.IsZero() && !n.ping:
		return false
	case n.state == Dead:
		return false
	case n.state == Unknown:
		return n.died.IsZero() // else its timer has run out already
	}
	return true
}

func (m *Members) lose(events []event.Event, n *node, now time.Time) []event.Event {
	n.died = now
	switch {
	case n.state == Leaving:
		return n.become(events, Unknown)
	case n.ping:
		return n.become(events, Dead)
	}
	dead := event.PeerDead{
		Peer: n.name, LastHeard: n.last, Silence: now.Sub(n.last), Deadtime: m.limit(n),
		NeverHeard: !n.heard, Sequence: n.sequence, Stall: n.longest,
	}
	if !n.suspect.IsZero() {
		dead.ConfirmTook = now.Sub(n.suspect)
	}
	if n.heard {
		events = n.become(events, Dead)
	}
	return append(events, dead)
}

// Wake is the next instant at which a silence reaches its limit if nobody is
// heard; zero when nothing is waited for.
func (m *Members) Wake() time.Time {
	var wake time.Time
	earlier := func(t time.Time) {
		if wake.IsZero() || t.Before(wake) {
			wake = t
		}
	}
	for _, n := range m.nodes {
		if m.expires(n) {
			earlier(m.due(n, n.last))
		}
		for i := range n.links {
			if n.links[i].up && m.deaf.IsZero() {
				earlier(m.due(n, n.links[i].last))
			}
		}
	}
	return wake
}

// A View is what is known of one node, for status displays.
type View struct {
	Name       string
	Ping       bool
	State      string
	Heard      bool
	LastHeard  time.Time // zero when never
	Deadtime   time.Duration
	Generation uint64
	Links      []LinkView // none for ping nodes
}

// A LinkView is what is known of a node on one link.
type LinkView struct {
	Link      string
	Up        bool
	LastHeard time.Time // zero when never
}

// View lists every node but ourselves, peers first, in the order configured.
func (m *Members) View() []View {
	views := make([]View, 0, len(m.nodes))
	for _, n := range m.nodes {
		v := View{Name: n.name, Ping: n.ping, State: n.state, Heard: n.heard, Deadtime: m.limit(n), Generation: n.generation}
		if n.heard {
			v.LastHeard = n.last
		}
		for i, l := range n.links {
			v.Links = append(v.Links, LinkView{Link: m.cfg.Links[i], Up: l.up, LastHeard: l.last})
		}
		views = append(views, v)
	}
	return slices.Clip(views)
}
