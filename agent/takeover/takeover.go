// Package takeover judges who holds which group: facts about the peer, its
// messages, requests and the ends of orders in; orders, messages and events
// out. It is pure: it is handed the time and touches nothing.
//
// It speaks the resource protocol of Heartbeat 3.0.6 in haresources mode for
// auto_failback on and off (heartbeat/hb_resource.c): the messages starting,
// resource, ask_resources, hb_takeover and shutdone, in which a node holds
// "local" (the groups it is preferred for), "foreign" (the others), all or
// none. Between two systole nodes every message also says what is held group
// by group, so that groups move one by one.
//
// For every group there is at any time one node that decides: the holder while
// it has one, the survivor when the holder is dead or has said goodbye, else
// the preferred node. Nobody else takes it unasked.
package takeover

import (
	"time"

	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/agent/wire"
	"github.com/systole-ha/systole/resources"
)

// A Config is the part of the configuration that decides who holds what.
type Config struct {
	Self         string
	Peer         string // empty in a cluster of one
	AutoFailback bool
	Groups       []Group
	Keepalive    time.Duration
	Deadtime     time.Duration
	NewTrace     func() string // makes the id of a trace
	Incident     func() string // that of what the peer may know of too, without having been told
	Memory       Memory        // what the last daemon left; zero for nothing
	Pings        bool          // groups move to the node that reaches more ping nodes
	Fence        *FencePlan    // nil where a silent peer is replaced without
	Hash         string        // of haresources: group by group talk needs the same file on both sides
}

// A Group is one line of haresources. Groups without resources are left out
// before they come here.
type Group struct {
	Preferred string // node
	Resources []Resource
}

// Key is the group's identity in messages, events and metrics: the first
// resource of its line.
func (g Group) Key() string { return g.Resources[0].Spec.String() }

// A Resource is one word of the line.
type Resource struct {
	Spec      resources.Spec
	Driver    string // its driver's name, for events
	Announced bool   // its driver can announce it: an address
	Leased    bool   // it goes by itself when this node stands still
}

// An Operation is what an Order asks of a driver.
type Operation string

// The operations.
const (
	Start    Operation = "start"
	Stop     Operation = "stop"
	Status   Operation = "status"
	Announce Operation = "announce"
)

// An Order is one effect on one resource, answered later by one Done.
type Order struct {
	ID       uint64
	Op       Operation
	Group    string
	Resource Resource
}

// A Done is the end of an order.
type Done struct {
	Order uint64
	Took  time.Duration
	Err   error            // nil when it was done
	Found resources.Status // of a Status order
}

// An Output is what follows from one input, in the order to act on within each
// field.
type Output struct {
	Orders  []Order
	Fences  []Fence  // at most one is under way
	Cancel  []uint64 // orders whose result is no longer wanted; each is still answered
	Send    []wire.Message
	Events  []event.Event
	Replies []Reply
}

// The constants of the protocol, from Heartbeat where not said otherwise.
const (
	askTimeout   = 10 * time.Second // for the peer to answer a standby request
	tellTimeout  = 10 * time.Second // for the peer to say what it holds after our starting
	moveTimeout  = 60 * time.Minute // for a 3.0.6 peer to do its part of a standby
	stopRetry    = time.Second
	stopTries    = 11               // one, and HA_STOPRETRYMAX=10 more
	orphanRetry  = 60 * time.Second // ours: before a group that failed everywhere is tried again
	offerBackoff = 5 * time.Second  // ours: between offers that were refused
	besideTime   = 5 * time.Second  // for a 3.0.6 peer to begin its restart; it waits 2 s
	drainTime    = time.Second      // ours: for services before addresses go; most stop in a tenth of it
)

// announceAfter is when an address is announced after it came up: neighbours
// may have missed the first, and one younger than a second is locked in some
// kernels' tables (arp's locktime).
var announceAfter = [...]time.Duration{0, 100 * time.Millisecond, time.Second, 5 * time.Second}

// A phase is how far this node has come.
type phase int

const (
	waiting phase = iota // communication is not up yet
	joining              // active; the peer has not told what it holds
	stable               // takes part
	leaving              // gives everything up
	left                 // holds nothing and has said so
)

// A Takeover is the judgement of one node.
type Takeover struct {
	cfg    Config
	phase  phase
	joined time.Time // when communication came up
	groups []*group
	peer   peer
	swap   *swap // the standby in progress, ours or the peer's; nil for none

	vacant       [2]bool // what we claim of a side that has no groups: see holds
	moves        []*move
	lastID       uint64 // of moves
	lastOrder    uint64
	changes      uint64 // of the state of groups
	orders       map[uint64]*order
	told         claim     // what the last resource message said
	toldGroups   string    // the letters that went with it
	demanded     demand    // the takeover we asked the peer for
	hold         string    // what the last HoldChanged said
	retryOffer   time.Time // no offer to the peer before then
	standby      time.Time // an operator put us in standby; zero when not
	listenUntil  time.Time // takes nothing before then
	deafUntil    time.Time // takes nothing of a peer that is not heard before then
	pings        pinged
	weighed      [2]int // ours and theirs, as last compared
	unlinked     bool   // no link of ours can carry anything
	forbidden    Permit // what may not be done; zero where everything may
	split        *split
	fence        fencing
	incident     string // the trace of the peer's newest death
	joinTrace    string // that of our joining
	stopping     *move
	leavingTrace string    // of our leaving; empty while we stay
	resumed      string    // the trace of what the last daemon had begun, while it is taken up
	now          time.Time // of the last step
	out          *Output
}

// New starts the judgement. Its first Output orders a look at every resource:
// what a predecessor left running is kept until it is known whose it is.
func New(cfg Config, now time.Time) (*Takeover, Output) {
	t := &Takeover{cfg: cfg, orders: map[uint64]*order{}, hold: "none", pings: unpinged}
	for i := range cfg.Groups {
		t.groups = append(t.groups, newGroup(i, cfg.Groups[i]))
	}
	t.resetPeer()
	t.recall(now, cfg.Memory)
	out := t.step(now, func() {
		for _, g := range t.groups {
			t.probe(g)
		}
	})
	return t, out
}

// step runs one input and then everything that follows from it.
func (t *Takeover) step(now time.Time, input func()) Output {
	var out Output
	t.now, t.out = now, &out
	input()
	t.expireDemand(now)
	t.weigh(now)
	for again := true; again; {
		swap, phase, moves, changes := t.swap, t.phase, t.lastID, t.changes
		t.decide(now)
		for _, g := range t.groups {
			t.drive(now, g)
		}
		t.converse(now)
		t.departWhenDone()
		again = t.swap != swap || t.phase != phase || t.lastID != moves || t.changes != changes
	}
	t.own(now)
	t.settle(now)
	t.tell(now)
	t.out = nil
	return out
}

// CommunicationUp says that every configured node has been heard or declared
// dead: time to take part.
func (t *Takeover) CommunicationUp(now time.Time) Output {
	return t.step(now, func() {
		if t.phase != waiting {
			return
		}
		t.phase, t.joined = joining, now
		if t.peer.alive {
			t.send("starting")
		}
	})
}

// Tick lets time pass.
func (t *Takeover) Tick(now time.Time) Output { return t.step(now, func() {}) }

// Left reports whether everything is released and the peer was told.
func (t *Takeover) Left() bool { return t.phase == left }

func (t *Takeover) emit(e event.Event) { t.out.Events = append(t.out.Events, e) }

// local reports whether this node is preferred for g.
func (t *Takeover) local(g *group) bool { return g.Preferred == t.cfg.Self }

// side names g's side from this node's view, as messages do.
func (t *Takeover) side(g *group) side {
	if t.local(g) {
		return local
	}
	return foreign
}

// Wake is when Tick must be called at the latest; zero for not at all.
func (t *Takeover) Wake() time.Time {
	var wake time.Time
	earlier := func(at time.Time) {
		if !at.IsZero() && (wake.IsZero() || at.Before(wake)) {
			wake = at
		}
	}
	for _, g := range t.groups {
		earlier(g.wake(t.now))
		earlier(g.way.soundAt(t.now))
		if t.phase == stable && g.failure != "" && t.mayTake(g) {
			earlier(g.retryAt)
		}
	}
	if t.swap != nil {
		earlier(t.swap.deadline)
	}
	if t.demanded.id != 0 {
		earlier(t.demanded.deadline)
	}
	if at := t.patience(); t.peer.alive && !t.peer.told && t.now.Before(at) {
		earlier(at)
	}
	if t.now.Before(t.listenUntil) {
		earlier(t.listenUntil)
	}
	if t.now.Before(t.deafUntil) {
		earlier(t.deafUntil)
	}
	earlier(t.pingWake())
	if t.mayFence() && t.fence.order == 0 {
		earlier(t.fence.due)
	}
	if t.phase == stable {
		earlier(t.blindAt())
		if t.hushed() && !t.peer.leaving {
			earlier(t.peer.seen.Add(besideTime))
		}
		if t.wantsOffer() {
			earlier(t.retryOffer)
		}
	}
	return wake
}
