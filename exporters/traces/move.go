package traces

import (
	"time"

	"github.com/systole-ha/systole/agent/event"
)

const (
	// operationsKept bounds the operations of one group in one move: a service
	// that does not stop is told to again every second, for ever.
	operationsKept = 64
	// movesOpen bounds the moves that have not ended; there are two at most
	// unless the end of one was dropped.
	movesOpen = 16
)

// A move is one takeover or release while it is gathered.
type move struct {
	acquire    bool
	id         uint64
	trigger    string
	peer       string
	trace      string
	groups     []string
	decided    time.Time
	correlated bool // the peer, if it has a part in this, derives the same ids

	death   *death   // what the takeover answers; nil where nobody died
	fencing *fencing // what it waited for; nil where for nothing
	phases  []event.TakeoverPhase
	failed  []failure
	work    []*work // in the order in which groups were begun
}

// A death is a verdict on a peer.
type death struct {
	event.PeerDead
	at      time.Time
	links   []linkDown
	linksUp int            // to the peer, when it fell silent
	pings   []event.Record // the newest answer of each ping node
}

type linkDown struct {
	event.LinkDown
	at time.Time
}

type failure struct {
	event.TakeoverFailed
	at time.Time
}

// Work is what was done to one group.
type work struct {
	group      string
	began      time.Time
	ended      time.Time // zero while it goes on
	state      string    // the newest
	operations []operation
	omitted    int
}

// An operation is over at an instant.
type operation struct {
	event.ResourceOperation
	at time.Time
}

func (o operation) began() time.Time { return o.at.Add(-o.Took) }

func (m *move) moves(group string) bool {
	for _, g := range m.groups {
		if g == group {
			return true
		}
	}
	return false
}

func (m *move) workOn(group string, at time.Time) *work {
	for _, w := range m.work {
		if w.group == group {
			return w
		}
	}
	w := &work{group: group, began: at}
	m.work = append(m.work, w)
	return w
}

// state notes a new state of one of the groups. Starting and stopping begin
// work on it, and anything else ends it.
func (m *move) state(at time.Time, e event.GroupStateChanged) {
	w := m.workOn(e.Group, at)
	w.state, w.ended = e.To, time.Time{}
	if e.To != "starting" && e.To != "stopping" {
		w.ended = at
	}
}

func (m *move) operation(at time.Time, e event.ResourceOperation) {
	o := operation{e, at}
	w := m.workOn(e.Group, o.began())
	if len(w.operations) == operationsKept {
		w.omitted++
		return
	}
	w.operations = append(w.operations, o)
}

func (m *move) phase(name string) (took time.Duration) {
	for _, p := range m.phases {
		if p.Phase == name {
			took += p.Took
		}
	}
	return took
}

// name is what the top span is called.
func (m *move) name() string {
	switch {
	case !m.acquire && (m.trigger == "yield" || m.lapse()):
		return "self_release"
	case !m.acquire && m.planned():
		return "switchover"
	case !m.acquire:
		return "release"
	case m.trigger == "start":
		return "acquire"
	case m.planned():
		return "acquire"
	}
	return "takeover"
}

// lapse reports whether this node gives up what the kernel has taken from it:
// its half of an incident.
func (m *move) lapse() bool { return !m.acquire && m.trigger == "lapse" }

// planned reports whether both nodes have agreed on this move.
func (m *move) planned() bool {
	return m.trigger == "standby" || m.trigger == "takeover" || m.trigger == "failback"
}

// handedOver reports whether the peer has the other half of this move.
func (m *move) handedOver() bool {
	return m.peer != "" && m.correlated && (m.planned() || m.trigger == "peer_left" || m.trigger == "shutdown")
}
