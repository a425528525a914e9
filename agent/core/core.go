// Package core is the node's judgement behind one door, Step: membership tells
// who is alive, takeover who holds what, sequence which message is news. It is
// pure: the shell hands it the time and does what it wants done.
package core

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/agent/membership"
	"github.com/systole-ha/systole/agent/permission"
	"github.com/systole-ha/systole/agent/sequence"
	"github.com/systole-ha/systole/agent/takeover"
	"github.com/systole-ha/systole/agent/wire"
)

// A Config is all that the judgement depends on.
type Config struct {
	Cluster string
	Version string
	Members membership.Config // its Self is ours
	Groups  []takeover.Group
	Fence   *takeover.FencePlan // nil where a silent peer is replaced without

	Permission permission.Config

	AutoFailback  bool
	Pings         bool // groups move to the node that reaches more ping nodes
	UUID          [16]byte
	Generation    uint64   // higher than at any earlier start of this node
	TTL           int      // of our messages: hopfudge and the number of nodes
	ConfigHash    string   // of ha.cf, normalised
	ResourcesHash string   // of haresources
	IncidentSeed  [16]byte // random; see incident
	Seed          uint64   // of what little is random: delays of requests
	Memory        *Memory  // what the daemon has left that ran here until a moment ago; nil for none
}

// A Core is the judgement of one node. It is not safe for concurrent use.
type Core struct {
	cfg      Config
	start    time.Time
	now      time.Time // of the last step
	members  *membership.Members
	takeover *takeover.Takeover

	permission *permission.Permission
	permitted  permission.Verdict // as takeover was told

	peers map[string]*peer
	files []file
	sent  sequence.Sent[wire.Message]

	status   string // what our heartbeats say of us: init, up, active
	nextBeat time.Time
	greet    bool                // a node has come that has not heard us yet
	farewell int                 // heartbeats still to be sent after everything is released
	stopping time.Time           // since when we are
	fenced   *takeover.FenceDone // the end of a try, until the sockets have been looked at
	wake     time.Time
	rejects  map[rejectKey]*rejects
	own      []time.Time // when our own messages last came back, by link
	unused   []bool      // links that lead to ourselves
	reached  int         // ping nodes, as takeover knows it
	unusable []bool      // links that we cannot use for reasons of our own
	opened   []bool      // links that could be used once
	ending   bool        // we end and will be started again
	closed   []bool      // links on which nothing can be sent
	random   *rand.Rand
	seed     seed // of the next incident
	out      *Output
}

// New starts the judgement at the instant now.
func New(cfg Config, now time.Time) (*Core, Output) {
	c := &Core{
		cfg: cfg, start: now, now: now, status: membership.Init, nextBeat: now, reached: -1,
		members: membership.New(cfg.Members, now), permission: permission.New(cfg.Permission, now),
		peers: map[string]*peer{}, files: filesOf(cfg), rejects: map[rejectKey]*rejects{},
		own: make([]time.Time, len(cfg.Members.Links)), unused: make([]bool, len(cfg.Members.Links)), unusable: make([]bool, len(cfg.Members.Links)), opened: make([]bool, len(cfg.Members.Links)),
		closed: make([]bool, len(cfg.Members.Links)),
		random: rand.New(rand.NewPCG(cfg.Seed, cfg.Generation)),
	}
	for _, name := range cfg.Members.Peers {
		c.peers[name] = c.newPeer(name)
	}
	var out Output
	c.out = &out
	var first takeover.Output
	c.seed = cfg.IncidentSeed
	c.takeover, first = takeover.New(c.takeoverConfig(), now)
	c.follow(first)
	c.recall()
	c.begin()
	// A heartbeat node says init once and up twice before anything else.
	c.beat(now)
	c.status = membership.Up
	c.beat(now)
	c.beat(now)
	c.nextBeat = now.Add(cfg.Members.Keepalive)
	c.finish()
	return c, out
}

func (c *Core) takeoverConfig() takeover.Config {
	cfg := takeover.Config{
		Self: c.cfg.Members.Self, AutoFailback: c.cfg.AutoFailback, Groups: c.cfg.Groups, Pings: c.cfg.Pings,
		Fence: c.cfg.Fence, Keepalive: c.cfg.Members.Keepalive, Deadtime: c.cfg.Members.Deadtime, Hash: c.cfg.ResourcesHash, NewTrace: c.trace, Incident: c.missed,
	}
	if len(c.cfg.Members.Peers) > 0 {
		cfg.Peer = c.cfg.Members.Peers[0]
	}
	if c.cfg.Memory != nil {
		cfg.Memory = c.cfg.Memory.Memory
	}
	return cfg
}

// Step takes one input at the instant now and returns what follows from it.
// Calls come in order of now; the core never asks the clock itself. Only a Tick
// judges silence, and a silence that reaches its limit is judged only after
// another look at the sockets, so a pause of our own cannot outrun a heartbeat
// already received.
func (c *Core) Step(now time.Time, in Input) Output {
	var out Output
	c.now, c.out = now, &out
	c.permit()
	switch in := in.(type) {
	case Received:
		c.received(now, in)
	case Tick:
		c.tick(now)
	case Looked:
		c.judge(now, c.members.Expire(now))
		c.endTry(now)
	case Done:
		c.follow(c.takeover.Done(now, in.Done))
	case FenceDone:
		c.fenced, c.out.Look = &in.FenceDone, true
	case Unused:
		c.unused[in.Link] = true
		c.listen(now)
	case LinkState:
		c.unusable[in.Link], c.closed[in.Link] = !in.Usable, in.Closed
		c.listen(now)
		c.introduce(now, in)
	case Carriers:
		c.follow(c.takeover.Carriers(now, in.Changed))
	case Answered:
		c.answered(now, in.Answer)
	case Suspended:
		c.permission.Forget(now)
		c.slept(now, in.For)
	case Pinged:
		c.permission.Pinged(in.At)
		c.emit(c.members.Answered(in.At, in.PingNode, in.RoundTrip)...)
		c.countPings(now)
	case Request:
		c.follow(c.takeover.Request(now, in.Request))
	case Rejected:
		c.reject(in.Link, in.Reason, in.Source, in.Count)
	case SendFailed:
		c.emit(event.SendFailed{Link: c.link(in.Link), Reason: in.Reason})
	case Fact:
		c.emit(in.Event)
	case Lost:
		c.emit(in.Event)
		c.follow(c.takeover.Lost(now, in.Resources))
	case Contested:
		c.emit(in.Event)
		c.follow(c.takeover.Contested(now, in.Resources))
	case Lapsed:
		c.permission.Forget(now)
		c.follow(c.takeover.Lapsed(now))
	case Restart:
		c.emit(event.NodeRestarting{Holds: c.takeover.Hold()})
		c.follow(c.takeover.Restart(now))
		c.restart(now)
	case Stop:
		c.emit(event.NodeStopping{Reason: in.Reason, Holds: c.takeover.Hold()})
		c.stopping = now
		c.follow(c.takeover.Leave(now))
	default:
		panic(fmt.Sprintf("core: unknown input %T", in))
	}
	c.finish()
	if _, ok := in.(Tick); ok && !out.Wake.After(now) {
		panic(fmt.Sprintf("core: a tick left work undone at %v (now %v beat %v members %v takeover %v): the loop would spin", out.Wake, now, c.nextBeat, c.members.Wake(), c.takeover.Wake()))
	}
	return out
}

// finish draws the last consequences of a step and sets when the next is due.
func (c *Core) finish() {
	if c.status != membership.Active && c.members.Accounted() {
		c.join()
	}
	if c.greet && c.status == membership.Active {
		c.beat(c.now) // it need not wait for the next
	}
	c.permit()
	if c.takeover.Left() {
		c.sayGoodbye()
	}
	c.canvass()
	c.wake = c.nextBeat
	earlier := func(t time.Time) {
		if !t.IsZero() && t.Before(c.wake) {
			c.wake = t
		}
	}
	if !c.out.Look {
		earlier(c.members.Wake())
	}
	earlier(c.takeover.Wake())
	if c.judged() {
		earlier(c.permission.Wake(c.now, c.takeover.Serves()))
	}
	for _, p := range c.peers {
		earlier(p.source.Wake())
	}
	for _, r := range c.rejects {
		earlier(r.due())
	}
	c.out.Wake, c.out.Key = c.wake, c.signWith()
	c.remember()
	c.out = nil
}

// join goes from listening to taking part: every node has been heard or is
// known to be dead.
func (c *Core) join() {
	c.members.Settle()
	c.status = membership.Active
	c.beat(c.now)
	joined := event.NodeJoined{Took: c.now.Sub(c.start), Trace: c.trace()}
	for _, name := range c.cfg.Members.Peers {
		if p := c.peers[name]; p.missed != "" {
			joined.Peer, joined.Incident = name, p.missed
		}
	}
	c.emit(joined)
	c.takeover.SetJoin(joined.Trace)
	c.follow(c.takeover.CommunicationUp(c.now))
}

// farewells is how often the last message is sent in all, a keepalive or 50 ms
// apart: it is the one that nobody would ask for again.
const farewells = 3

func (c *Core) sayGoodbye() {
	switch {
	case c.farewell == 0:
		c.farewell = farewells
		c.nextBeat = c.now.Add(c.farewellGap())
		c.giveBack()
	case c.farewell == 1 && !c.out.Left:
		c.out.Left = true
		c.emit(event.NodeStopped{Took: c.now.Sub(c.stopping)})
	}
}

func (c *Core) farewellGap() time.Duration {
	return min(c.cfg.Members.Keepalive, 50*time.Millisecond)
}

// tick does what is due.
func (c *Core) tick(now time.Time) {
	if late := now.Sub(c.wake); late >= c.tolerable() {
		c.emit(event.AgentLate{Late: late, Held: c.members.Stalled(late)})
		if late >= c.cfg.Members.Deadtime {
			c.follow(c.takeover.Doubted(now)) // somebody else may have had it meanwhile
		}
	}
	c.follow(c.takeover.Tick(now))
	if now.Before(c.nextBeat) {
		// not yet
	} else if c.farewell > 0 {
		c.farewell--
		c.nextBeat = now.Add(c.farewellGap())
		if last, ok := c.sent.Newest(); ok {
			c.out.Send = append(c.out.Send, last)
		}
	} else {
		c.beat(now)
		c.out.Ping = len(c.cfg.Members.PingNodes) > 0
		c.nextBeat = c.nextBeat.Add(c.cfg.Members.Keepalive)
		if !c.nextBeat.After(now) { // we missed some: do not make up for them
			c.nextBeat = now.Add(c.cfg.Members.Keepalive)
		}
	}
	c.askAgain(now)
	c.flushRejects(now)
	c.out.Look = c.members.Suspects(now)
}

// endTry takes in the end of a try to fence the peer, after another look at the
// sockets: a pause of our own must not outrun what the peer has said since.
func (c *Core) endTry(now time.Time) {
	if done := c.fenced; done != nil {
		c.fenced = nil
		c.follow(c.takeover.FenceDone(now, *done))
	}
}

// tolerable is the lateness of our own loop that is not worth a word.
func (c *Core) tolerable() time.Duration {
	return min(c.cfg.Members.Keepalive, c.cfg.Members.Deadtime/4)
}

// listen tells membership whether any link can be used, and takeover whether
// any carries.
func (c *Core) listen(now time.Time) {
	deaf, linked := true, false
	for i := range c.unusable {
		deaf = deaf && (c.unusable[i] || c.unused[i])
		linked = linked || !c.closed[i] && !c.unused[i]
	}
	c.members.Deaf(now, deaf)
	c.follow(c.takeover.Linked(now, linked))
}

// judge shows what membership found to takeover and to the world.
func (c *Core) judge(now time.Time, events []event.Event) {
	for _, e := range events {
		e = c.mark(e)
		c.emit(e)
		switch e := e.(type) {
		case event.PeerDead:
			if p := c.peers[e.Peer]; p != nil {
				p.source.ForgetMissing()
				p.forget()
				c.follow(c.takeover.PeerDead(now, e))
			}
		}
	}
	c.countPings(now)
}

// countPings tells takeover how many ping nodes are reached.
func (c *Core) countPings(now time.Time) {
	if !c.cfg.Pings {
		return
	}
	if reached := c.members.Reached(); reached != c.reached {
		c.reached = reached
		c.follow(c.takeover.Pings(now, reached))
	}
}

// follow passes on what takeover wants done.
func (c *Core) follow(t takeover.Output) {
	c.emit(t.Events...)
	for _, e := range t.Events {
		if e, ok := e.(event.FenceCompleted); ok && e.Result != "aborted" {
			c.peerOff()
		}
	}
	c.out.Orders = append(c.out.Orders, t.Orders...)
	c.out.Fences = append(c.out.Fences, t.Fences...)
	c.out.Cancel = append(c.out.Cancel, t.Cancel...)
	c.out.Replies = append(c.out.Replies, t.Replies...)
	for i := range t.Send {
		c.send(c.now, &t.Send[i])
	}
}

func (c *Core) emit(events ...event.Event) { c.out.Events = append(c.out.Events, events...) }

func (c *Core) link(index int) string { return c.cfg.Members.Links[index] }
