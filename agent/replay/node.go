package replay

import (
	"errors"
	"slices"
	"time"

	"github.com/systole-ha/systole/agent/core"
	"github.com/systole-ha/systole/agent/takeover"
	"github.com/systole-ha/systole/agent/wire"
	"github.com/systole-ha/systole/resources"
)

// How long a resource takes: less than those of the recordings did, so that the
// other node's recorded answer never comes before what it answers.
const (
	startTook = 400 * time.Millisecond
	stopTook  = 150 * time.Millisecond
)

var errBroken = errors.New("broken")

// A node is a core in the place of a recorded node, and its resources.
type node struct {
	config  core.Config // but for the generation
	core    *core.Core  // nil while the daemon does not run
	now     time.Time
	wake    time.Time
	orders  []ending
	running map[string]bool // what outlives the daemon
	memory  *core.Memory    // likewise
	broken  map[string]bool // will not start
	reaches bool            // its ping nodes
	codec   *wire.Codec     // of its authkeys
	key     int             // that the other node signs with

	said     Teller
	requests uint64
	unacked  int // numbered messages of the other node since the last acknowledgement
	most     int // of those, at any time
}

// An ending is when an order will be done.
type ending struct {
	at    time.Time
	order takeover.Order
	err   error
}

// boot starts the daemon.
func (n *node) boot(generation uint64) {
	n.orders, n.unacked = nil, 0
	cfg := n.config
	cfg.Generation, cfg.Memory = generation, n.memory
	var out core.Output
	n.core, out = core.New(cfg, n.now)
	n.act(out)
}

// kill ends the daemon; what it holds stays.
func (n *node) kill() { n.core, n.orders = nil, nil }

// powerOff ends everything.
func (n *node) powerOff() {
	n.kill()
	clear(n.running)
	n.memory = nil
}

// request makes an operator's wish.
func (n *node) request(kind, scope string) {
	n.requests++
	n.step(core.Request{Request: takeover.Request{ID: n.requests, Kind: kind, Scope: scope}})
}

// hear hands over an authentic message of the other node.
func (n *node) hear(m *wire.Message) {
	if n.core == nil {
		return
	}
	if m.Has("seq") {
		n.unacked++
		n.most = max(n.most, n.unacked)
	}
	n.step(core.Received{At: n.now, Message: m, Key: n.key})
}

// run lets time pass until just before an instant.
func (n *node) run(until time.Time) {
	for n.core != nil {
		next := n.wake
		slices.SortStableFunc(n.orders, func(a, b ending) int { return a.at.Compare(b.at) })
		if len(n.orders) > 0 && n.orders[0].at.Before(next) {
			next = n.orders[0].at
		}
		if !next.Before(until) {
			break
		}
		n.now = next
		if len(n.orders) > 0 && n.orders[0].at.Equal(next) {
			n.finish()
		} else {
			n.step(core.Tick{})
		}
	}
	n.now = until
}

func (n *node) step(in core.Input) {
	if n.core != nil {
		n.act(n.core.Step(n.now, in))
	}
}

// act does what the core wants done.
func (n *node) act(out core.Output) {
	n.wake = out.Wake
	for i := range out.Send {
		m := &out.Send[i]
		n.said.Tell(n.now, m)
		if string(m.Get("t")) == "NS_ackmsg" {
			n.unacked = 0
		}
	}
	if out.Memory != nil {
		n.memory = out.Memory
	}
	for _, o := range out.Orders {
		n.begin(o)
	}
	if out.Left {
		n.kill()
		return
	}
	if out.Look {
		n.step(core.Looked{})
	}
	if out.Ping && n.reaches {
		for _, name := range n.config.Members.PingNodes {
			n.step(core.Pinged{At: n.now, PingNode: name, RoundTrip: time.Millisecond})
		}
	}
}

// begin lets an order take its time. What is already so takes none.
func (n *node) begin(o takeover.Order) {
	name, e := o.Resource.Spec.String(), ending{at: n.now, order: o}
	switch {
	case o.Op == takeover.Start && n.broken[name]:
		e.at, e.err = n.now.Add(startTook), errBroken
	case o.Op == takeover.Start && !n.running[name]:
		e.at = n.now.Add(startTook)
	case o.Op == takeover.Stop && n.running[name]:
		e.at = n.now.Add(stopTook)
	}
	n.orders = append(n.orders, e)
}

// finish ends the first order.
func (n *node) finish() {
	e := n.orders[0]
	n.orders = n.orders[1:]
	name := e.order.Resource.Spec.String()
	switch {
	case e.err != nil:
	case e.order.Op == takeover.Start:
		n.running[name] = true
	case e.order.Op == takeover.Stop:
		delete(n.running, name)
	}
	done := takeover.Done{Order: e.order.ID, Err: e.err, Found: resources.Stopped}
	if n.running[name] {
		done.Found = resources.Running
	}
	n.step(core.Done{Done: done})
}

// holds is what the node answers when it is asked, "off" where nobody answers.
func (n *node) holds() string {
	if n.core == nil {
		return "off"
	}
	return n.core.Takeover().Hold
}
