package sim

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/systole-ha/systole/agent/core"
	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/agent/permission"
	"github.com/systole-ha/systole/agent/takeover"
	"github.com/systole-ha/systole/agent/wire"
	"github.com/systole-ha/systole/resources"
)

// A Node is one machine: its resources outlive the daemon, not the power.
type Node struct {
	Name    string
	Core    *core.Core // nil while the daemon does not run
	Started time.Time  // the daemon
	Frozen  bool
	Ahead   time.Duration // of the world, by its clock
	Wall    time.Duration // how far the wall clock is ahead of that
	Cut     bool          // no carrier on the interface of the addresses

	// StartTook and StopTook say how long an operation takes, and Fails
	// whether it fails. They may be replaced.
	StartTook, StopTook func(takeover.Resource) time.Duration
	Fails               func(takeover.Operation, takeover.Resource) error

	world      *World
	generation uint64
	life       int             // counts starts and ends of the daemon: what was meant for another is void
	running    map[string]bool // resources, and those that may be
	starting   map[string]bool // of those, what systemd has not started yet
	pending    map[uint64]func(error)
	busyWith   map[string]int // orders under way, by resource
	wakes      int
	missed     []func() // what arrived while frozen
	states     map[string]string
	hold       string
	replies    map[uint64]func(takeover.Reply)
	requests   uint64
	renewed    time.Time                     // the leases
	ends       time.Time                     // they
	revoked    bool                          // no address is started
	until      map[string]time.Time          // of each lease
	asking     map[int][]permission.Question // by arbiter: what waits while one is asked
	memory     *core.Memory                  // what the daemon leaves to the next; nil for nothing
	beaten     time.Time                     // when it last sent a heartbeat, as the memory knows
	told       bool                          // the last step had an event that is more than a sample
	asleep     time.Time                     // since when it is suspended or paused; zero for not
	paused     bool                          // its kernel, too
	cutLinks   []int                         // without a carrier
	unreached  map[string]bool               // ping nodes
	loses      int                           // heartbeats: see StopInBeat
}

func newNode(w *World, name string) *Node {
	n := &Node{Name: name, world: w, running: map[string]bool{}, starting: map[string]bool{}, until: map[string]time.Time{}}
	n.StartTook = func(r takeover.Resource) time.Duration {
		if r.Announced {
			return 100 * time.Microsecond
		}
		return time.Duration(1+w.Random.IntN(200)) * time.Millisecond
	}
	n.StopTook = n.StartTook
	n.Fails = func(takeover.Operation, takeover.Resource) error { return nil }
	return n
}

// Boot starts the daemon.
func (n *Node) Boot() {
	if n.Core != nil {
		return
	}
	n.life++
	n.generation++
	n.Frozen, n.missed, n.asleep, n.paused, n.loses = false, nil, time.Time{}, false, 0
	n.busyWith = map[string]int{}
	n.pending, n.replies = map[uint64]func(error){}, map[uint64]func(takeover.Reply){}
	n.asking = map[int][]permission.Question{}
	n.states, n.hold = map[string]string{}, "none"
	n.Started = n.world.Now
	c, out := core.New(n.world.config(n), n.Now())
	n.Core = c
	n.act(out)
	if n.Cut {
		n.tellCarriers()
	}
}

// Kill ends the daemon; what it holds stays.
func (n *Node) Kill() {
	n.life++
	n.Core = nil
}

// PowerOff ends everything.
func (n *Node) PowerOff() {
	n.Kill()
	n.Forget()
	clear(n.running)
	clear(n.until)
}

// Forget loses what the daemon has left for the next one.
func (n *Node) Forget() { n.memory = nil }

// Stop asks the daemon to hand over and end.
func (n *Node) Stop() { n.step(core.Stop{Reason: "asked"}) }

// Restart asks the daemon to end without giving anything up, and starts it
// again after a while.
func (n *Node) Restart(away time.Duration) {
	life := n.life
	n.step(core.Restart{})
	if n.life != life {
		n.world.After(away, n.Boot)
	}
}

// Freeze stops the daemon from running, and Thaw lets it go on: what came
// meanwhile was waiting in its sockets.
func (n *Node) Freeze() { n.Frozen = n.Core != nil }

// Thaw undoes Freeze.
func (n *Node) Thaw() {
	n.Wake()
	if !n.Frozen {
		return
	}
	n.Frozen = false
	n.look()
}

// look steps what waits in the sockets.
func (n *Node) look() {
	for len(n.missed) > 0 {
		do := n.missed[0]
		n.missed = n.missed[1:]
		do()
	}
}

// Request makes an operator's request; answer may be nil.
func (n *Node) Request(kind, scope string, answer func(takeover.Reply)) {
	if n.Core == nil {
		return
	}
	n.requests++
	if answer != nil {
		n.replies[n.requests] = answer
	}
	n.step(core.Request{Request: takeover.Request{ID: n.requests, Kind: kind, Scope: scope}})
}

// Holds reports whether any resource of the group with this index runs here, or
// may.
func (n *Node) Holds(group int) bool {
	for _, name := range n.world.names[group] {
		if n.running[name] {
			return true
		}
	}
	return false
}

// Serves reports whether all of a group runs here.
func (n *Node) Serves(group int) bool {
	for _, name := range n.world.names[group] {
		if !n.running[name] {
			return false
		}
	}
	return true
}

func (n *Node) receive(link int, from *Node, m wire.Message) {
	if !n.asleep.IsZero() {
		return
	}
	at, stamp := n.world.Now, n.Now()
	n.awake(func() {
		if string(m.Get("t")) == "status" {
			n.world.links[link].lastHeard[way{from, n}] = at
		}
		n.step(core.Received{At: stamp, Link: link, Message: &m})
	})
}

// awake does something now, or when the node is thawed, unless its daemon has
// ended by then.
func (n *Node) awake(do func()) {
	life := n.life
	guarded := func() {
		if n.life == life && n.Core != nil {
			do()
		}
	}
	if n.Frozen {
		n.missed = append(n.missed, guarded)
		return
	}
	guarded()
}

func (n *Node) step(in core.Input) {
	if n.Core == nil {
		return
	}
	if n.Frozen {
		n.awake(func() { n.step(in) })
		return
	}
	if n.lapsed() {
		n.renewed, n.ends = n.world.Now, n.world.Now.Add(n.world.Cluster.Lease)
		n.act(n.Core.Step(n.Now(), core.Lapsed{}))
	}
	if n.Core != nil {
		n.act(n.Core.Step(n.Now(), in))
	}
}

// act does what the core wants done.
func (n *Node) act(out core.Output) {
	n.told = false
	for _, e := range out.Events {
		n.told = n.told || event.SeverityOf(e) > event.Sample
		n.fold(e)
		n.world.Watch(n, e)
	}
	if out.Memory != nil {
		n.memory = out.Memory
	}
	switch {
	case out.Revoke:
		n.revoke()
	case out.Allow, out.Renew:
		n.renew()
		n.beaten = n.world.Now
	}
	for _, m := range out.Send {
		n.world.carry(n, m)
	}
	if out.Ping {
		n.ping()
	}
	for _, o := range out.Orders {
		n.carryOut(o)
	}
	for _, q := range out.Questions {
		n.ask(q)
	}
	for _, f := range out.Fences {
		n.fence(f)
	}
	for _, id := range out.Cancel {
		if done := n.pending[id]; done != nil {
			done(context.Canceled)
		}
	}
	for _, r := range out.Replies {
		if answer := n.replies[r.ID]; answer != nil {
			answer(r)
		}
	}
	n.world.Check(n)
	if out.Left {
		n.Kill()
		return
	}
	n.wakeAt(out.Wake)
	if out.Look {
		n.look()
		n.step(core.Looked{})
	}
}

func (n *Node) wakeAt(at time.Time) {
	n.wakes++
	wake := n.wakes
	life := n.life
	n.world.At(Epoch.Add(n.since(at)), func() {
		if n.life != life {
			return
		}
		n.awake(func() {
			if n.wakes == wake {
				n.step(core.Tick{})
			}
		})
	})
}

// carryOut lets an order take its time. A resource counts as running from the
// moment its start is ordered until its stop is done.
func (n *Node) carryOut(o takeover.Order) {
	name := o.Resource.Spec.String()
	took := 50 * time.Microsecond
	switch o.Op {
	case takeover.Start:
		if !n.running[name] || n.starting[name] {
			took = n.StartTook(o.Resource)
			n.starting[name] = true
			n.world.After(took, func() { delete(n.starting, name) }) // whatever becomes of the daemon
		}
		n.running[name] = true
		if o.Resource.Leased && n.revoked {
			delete(n.running, name)
		} else if o.Resource.Leased {
			n.lease(name)
		}
	case takeover.Stop:
		if n.running[name] {
			took = n.StopTook(o.Resource)
		}
	}
	life := n.life
	finish := func(err error) {
		if n.life != life || n.pending[o.ID] == nil {
			return
		}
		delete(n.pending, o.ID)
		n.busyWith[name]--
		if o.Op == takeover.Start && err == nil && !n.running[name] {
			err = ErrLapsed
		}
		done := takeover.Done{Order: o.ID, Took: took, Err: err, Found: resources.Stopped}
		if n.running[name] {
			done.Found = resources.Running
		}
		if n.starting[name] && o.Op == takeover.Status {
			done.Found = resources.Failed // neither
		}
		if o.Op == takeover.Stop && err == nil {
			n.drop(name)
		}
		n.step(core.Done{Done: done})
	}
	n.busyWith[name]++
	n.pending[o.ID] = func(err error) {
		n.world.After(0, func() { n.awake(func() { finish(err) }) })
	}
	n.world.After(took, func() { n.awake(func() { finish(n.Fails(o.Op, o.Resource)) }) })
}

// fold keeps what the events say, to be held against the core's own view.
func (n *Node) fold(e event.Event) {
	switch e := e.(type) {
	case event.GroupStateChanged:
		n.states[e.Group] = e.To
	case event.HoldChanged:
		n.hold = e.To
	}
}

// Disagreement says where the folded events differ from the core's snapshot;
// empty where they do not.
func (n *Node) Disagreement() string {
	if n.Core == nil {
		return ""
	}
	view := n.Core.Takeover()
	if view.Hold != n.hold {
		return fmt.Sprintf("events say hold %s, snapshot %s", n.hold, view.Hold)
	}
	for _, g := range view.Groups {
		state := n.states[g.Key]
		if state == "" {
			state = "unknown"
		}
		if g.State != state {
			return fmt.Sprintf("group %s: events say %s, snapshot %s", g.Key, state, g.State)
		}
	}
	return ""
}

// ErrLapsed is what the driver says of an address whose lease ran out before it
// was started.
var ErrLapsed = errors.New("the lease ran out")

// ErrBroken is what a resource says that does not work.
var ErrBroken = errors.New("broken")
