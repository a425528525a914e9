// Package membership judges who is alive: heartbeats heard in, links and nodes
// up, late and dead out. It is pure: it is handed the time and touches nothing.
//
// A silence counts only while this node was demonstrably awake. Time in which
// our own loop did not run is taken off, so that a pause of ours is never held
// against a peer, and nobody is called dead before everything that waits in
// the sockets has been heard.
package membership

import (
	"time"

	"github.com/systole-ha/systole/agent/event"
)

// The states of a node, as cl_status and the metrics spell them.
const (
	Unknown = "unknown" // never heard, or gone after saying goodbye: nothing to page about
	Init    = "init"    // its first word
	Up      = "up"      // it listens
	Active  = "active"  // it has heard everybody and takes part
	Leaving = "leaving" // it has said goodbye and may still send
	Dead    = "dead"    // its silence reached its deadtime
	Ping    = "ping"    // a ping node that answers
)

// A Config says who the nodes are and how long silences may be.
type Config struct {
	Self      string
	Peers     []string
	PingNodes []string
	Links     []string // in the order of ha.cf

	Keepalive time.Duration
	Warntime  time.Duration
	Deadtime  time.Duration // for peers that do not announce their own
	Initdead  time.Duration // for all while the cluster starts
	Deadping  time.Duration
}

// maxDeadtime bounds what a peer may announce: heartbeat itself announces
// deadtime + 30 s before it restarts.
const maxDeadtime = time.Hour

// Members is everybody but ourselves.
type Members struct {
	cfg     Config
	start   time.Time
	settled bool      // initdead no longer counts
	deaf    time.Time // since when no link of ours can be used; zero while one can
	nodes   []*node
}

type node struct {
	name     string
	ping     bool
	state    string
	heard    bool // ever
	last     time.Time
	deadtime time.Duration
	stalled  time.Duration // how long we were not awake since last
	longest  time.Duration // of those, the longest
	suspect  time.Time     // when its silence first reached the limit; zero while it has not
	died     time.Time
	farewell bool // it has said goodbye and not come back since
	ending   bool // it has said that it will be started again

	generation uint64
	sequence   uint64
	links      []link
}

type link struct {
	up    bool
	heard bool
	last  time.Time
}

// New starts the judgement: at start nobody has been heard, and silences count
// from here.
func New(cfg Config, start time.Time) *Members {
	m := &Members{cfg: cfg, start: start}
	for _, name := range cfg.Peers {
		m.nodes = append(m.nodes, &node{name: name, state: Unknown, last: start, deadtime: cfg.Deadtime, links: make([]link, len(cfg.Links))})
	}
	for _, name := range cfg.PingNodes {
		m.nodes = append(m.nodes, &node{name: name, ping: true, state: Unknown, last: start, deadtime: cfg.Deadping})
	}
	return m
}

func (m *Members) find(name string) *node {
	for _, n := range m.nodes {
		if n.name == name {
			return n
		}
	}
	return nil
}

// A Heartbeat is one valid status message that arrived on one link.
type Heartbeat struct {
	At          time.Time // of arrival
	Peer        string
	Link        int           // index in Config.Links
	State       string        // what it says of itself: init, up, active, dead
	Deadtime    time.Duration // what it wants to be judged by; 0 where it does not say
	Generation  uint64
	Sequence    uint64
	Copy        bool // heard by another link before
	Restarted   bool // the first of a new generation
	Ending      bool // the last of its daemon, which will be started again
	RoundTrip   time.Duration
	Late        time.Duration
	Variation   time.Duration
	Offset      time.Duration
	OffsetError time.Duration // 0 where Offset is not known
}

// Heard takes a heartbeat in. now is the loop's instant, at or after hb.At.
func (m *Members) Heard(now time.Time, hb Heartbeat) []event.Event {
	n := m.find(hb.Peer)
	if n == nil {
		return nil
	}
	events := make([]event.Event, 0, 3)
	received := event.HeartbeatReceived{
		Peer: hb.Peer, Link: m.cfg.Links[hb.Link], Deadtime: n.deadtime,
		RoundTrip: hb.RoundTrip, Waited: now.Sub(hb.At), Late: hb.Late, Variation: hb.Variation,
		Offset: hb.Offset, OffsetError: hb.OffsetError,
	}
	if l := &n.links[hb.Link]; l.heard {
		received.Interval = max(0, hb.At.Sub(l.last))
	}
	silence := hb.At.Sub(n.last)
	if n.heard && !hb.Copy && n.present() {
		received.Silence = max(0, silence)
	}
	if silence > m.cfg.Warntime && n.present() && !hb.Copy {
		events = append(events, event.HeartbeatLate{
			Peer: n.name, Link: m.cfg.Links[hb.Link], Silence: silence,
			Warntime: m.cfg.Warntime, Deadtime: n.deadtime, Stall: n.longest,
		})
	}
	events = append(events, received)
	events = m.carried(events, n, hb.At, hb.Link)
	if hb.Copy {
		return events
	}
	events = n.returned(events, hb, silence)
	n.note(now, hb)
	return n.become(events, n.nextState(hb))
}

// LinkHeard takes in an authentic message that is not a heartbeat: it shows
// that the link carries, and nothing else.
func (m *Members) LinkHeard(at time.Time, peer string, link int) []event.Event {
	n := m.find(peer)
	if n == nil {
		return nil
	}
	return m.carried(nil, n, at, link)
}

// Goodbye takes in a peer's word that it has released everything and stops. It
// may still send for a while; that is no recovery.
func (m *Members) Goodbye(peer string) []event.Event {
	n := m.find(peer)
	if n == nil || n.state == Dead {
		return nil
	}
	n.farewell = true
	return n.become(nil, Leaving)
}

// Answered takes in an echo reply of a ping node.
func (m *Members) Answered(at time.Time, pingNode string, roundTrip time.Duration) []event.Event {
	n := m.find(pingNode)
	if n == nil {
		return nil
	}
	n.heard, n.stalled, n.longest, n.suspect = true, 0, 0, time.Time{}
	if at.After(n.last) {
		n.last = at
	}
	return n.become([]event.Event{event.PingAnswered{PingNode: n.name, RoundTrip: roundTrip}}, Ping)
}

// Stalled tells that our own loop did not run for late before now. Short
// lateness, up to a quarter of a peer's limit, is within what the limit bears.
// It reports whether any verdict is put off by it.
func (m *Members) Stalled(late time.Duration) (held bool) {
	for _, n := range m.nodes {
		if late > m.limit(n)/4 {
			n.stalled += late
			held = true
		}
		n.longest = max(n.longest, late)
	}
	return held
}

// Slept tells that our clock stood still while the peers' went on, and what they
// sent was lost: a silence from before is told from one that begins now by one
// keepalive more.
func (m *Members) Slept() {
	for _, n := range m.nodes {
		n.stalled = max(n.stalled, time.Nanosecond)
	}
}

// Deaf says that this node cannot use any link for reasons of its own, or can
// again. Meanwhile it has no means to know who is alive, so silences do not
// count.
func (m *Members) Deaf(now time.Time, deaf bool) {
	switch {
	case deaf && m.deaf.IsZero():
		m.deaf = now
	case !deaf && !m.deaf.IsZero():
		for _, n := range m.nodes {
			if !n.ping {
				n.stalled += now.Sub(m.deaf)
			}
		}
		m.deaf = time.Time{}
	}
}

// Gone tells, at the start, of a peer that the last daemon on this node knew to
// be dead, or gone: it need not be waited for.
func (m *Members) Gone(now time.Time, peer string, dead bool) []event.Event {
	n := m.find(peer)
	if n == nil || n.ping || n.heard {
		return nil
	}
	n.died = now
	if !dead {
		return nil
	}
	n.heard = true
	return n.become(nil, Dead)
}

// Settle ends the time in which initdead counts: every node has been heard or
// given up.
func (m *Members) Settle() { m.settled = true }

// Accounted reports whether every peer has been heard or declared dead: what
// Heartbeat calls communication being up.
func (m *Members) Accounted() bool {
	for _, n := range m.nodes {
		if !n.ping && !n.heard && n.died.IsZero() {
			return false
		}
	}
	return true
}

// Reached is how many ping nodes answer; -1 while some have neither answered
// nor been given up since the start.
func (m *Members) Reached() int {
	reached := 0
	for _, n := range m.nodes {
		switch {
		case !n.ping:
		case n.state == Unknown:
			return -1
		case n.state == Ping:
			reached++
		}
	}
	return reached
}

// State is what is known of a node; Unknown for one that is not configured.
func (m *Members) State(name string) string {
	if n := m.find(name); n != nil {
		return n.state
	}
	return Unknown
}

// carried notes that the link to n carries.
func (m *Members) carried(events []event.Event, n *node, at time.Time, index int) []event.Event {
	l := &n.links[index]
	if !l.up {
		up := event.LinkUp{Peer: n.name, Link: m.cfg.Links[index]}
		if l.heard {
			up.Silence = max(0, at.Sub(l.last))
		}
		events = append(events, up)
	}
	l.up, l.heard = true, true
	if at.After(l.last) {
		l.last = at
	}
	return events
}

// returned reports what it means that n is heard again.
func (n *node) returned(events []event.Event, hb Heartbeat, silence time.Duration) []event.Event {
	same := n.generation == hb.Generation
	switch {
	case n.state == Dead && n.heard:
		events = append(events, event.PeerReturned{Peer: n.name, Away: silence, SameGeneration: same})
		if same {
			events = append(events, event.PeerFalseDeath{Peer: n.name, Silence: silence, Stall: n.longest})
		}
	case hb.Restarted && (n.present() || n.state == Leaving):
		events = append(events, event.PeerRestarted{Peer: n.name, Generation: hb.Generation, Away: max(0, silence), Announced: n.ending})
	}
	return events
}

func (n *node) note(now time.Time, hb Heartbeat) {
	n.heard, n.suspect = true, time.Time{}
	if hb.At.After(n.last) {
		n.last = hb.At
	}
	// What arrived during our own pause leaves only the rest of the pause, and
	// what arrived as usual leaves nothing: it waits some µs for its turn.
	n.stalled = min(n.stalled, max(0, now.Sub(hb.At)))
	if n.stalled <= n.deadtime/4 {
		n.stalled = 0
	}
	n.longest = n.stalled
	n.generation, n.sequence, n.ending = hb.Generation, hb.Sequence, hb.Ending
	if hb.Deadtime > 0 {
		n.deadtime = min(hb.Deadtime, maxDeadtime)
	}
}

// nextState reads what the peer says of itself. A node that has said goodbye
// goes on saying active for a while.
func (n *node) nextState(hb Heartbeat) string {
	if n.farewell && !hb.Restarted && hb.State == Active {
		return n.state
	}
	n.farewell = hb.State == Dead
	switch hb.State {
	case Init, Up, Active:
		return hb.State
	case Dead:
		return Leaving
	}
	return n.state
}

func (n *node) become(events []event.Event, state string) []event.Event {
	if n.state == state {
		return events
	}
	from := n.state
	n.state = state
	return append(events, event.PeerStateChanged{Peer: n.name, From: from, To: state, Generation: n.generation})
}

// present reports whether n is expected to send heartbeats.
func (n *node) present() bool { return n.state == Init || n.state == Up || n.state == Active }
