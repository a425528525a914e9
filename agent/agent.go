// Package agent is the shell around the core: the one loop that steps it, the
// links that bring it messages, the drivers that carry out its orders, the
// sinks that are shown its events. Drivers, links and sinks are handed in.
package agent

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/systole-ha/systole/agent/core"
	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/agent/link"
	"github.com/systole-ha/systole/agent/permission"
	"github.com/systole-ha/systole/agent/takeover"
	"github.com/systole-ha/systole/agent/wire"
	"github.com/systole-ha/systole/resources"
)

// A Config is all that an Agent works with.
type Config struct {
	Core    core.Config
	Keyring *wire.Keyring
	Open    func(link.Handler) ([]link.Link, error) // in the order of Core.Members.Links
	Pings   []link.Ping                             // in the order of Core.Members.PingNodes
	Driver  func(resources.Spec) resources.Driver   // never nil for a resource of Core.Groups
	Timeout func(takeover.Operation) time.Duration  // of one order
	Fence   Fencer                                  // of the peer, where Core.Fence says so
	Leasers []resources.Leaser                      // drivers whose resources last only while they are renewed
	// Remember, if set, is handed what to leave to the next daemon on this node,
	// and when this one last sent a heartbeat. It must not wait.
	Remember func(m core.Memory, beaten time.Time)
	Watchdog Watchdog // open; nil for none
	// Suspended is how long this machine was suspended since it booted; the
	// kernel is asked where it is nil.
	Suspended func() time.Duration
	Sinks     []event.Sink // in the order in which they are shown each event
	Voters    []Voter      // in the order of Core.Permission.Voters
}

// inputsWaiting is how many inputs may wait for the loop. A step takes some
// tens of µs, so that a full queue is about 20 ms of work; readers wait then,
// and the kernel's buffers hold what comes.
const inputsWaiting = 1024

// An Agent is one running node. Make it with New and run it once.
type Agent struct {
	cfg       Config
	core      *core.Core
	links     []link.Link
	pingers   []*link.Pinger
	inputs    chan input
	calls     chan func(now time.Time)
	questions []chan permission.Question // by arbiter
	ended     chan struct{}              // closed when the loop is over
	work      sync.WaitGroup

	// What follows belongs to the loop.
	wake     time.Time
	later    []core.Input // what the loop itself has to say after the present output
	sequence uint64       // of records
	codec    *wire.Codec
	buffer   []byte
	cancels  map[uint64]context.CancelFunc // of orders under way
	replies  map[uint64]chan<- takeover.Reply
	requests uint64
	left     bool
	feeder   *feeder // nil for none

	memory   core.Memory // what to leave
	beaten   time.Time   // when the last heartbeat was sent
	recorded time.Time   // the heartbeat that Remember was told of

	renewed   time.Time     // the leases
	unrenewed bool          // not all of them
	weaker    bool          // not all that are wanted can be had
	suspended time.Duration // how long the machine was, in all
}

// An input is what waits for the loop: a packet, or anything else.
type input struct {
	core.Input
	packet *link.Packet
}

// New makes the links, which open when the agent runs.
func New(cfg Config) (*Agent, error) {
	a := &Agent{
		cfg: cfg, inputs: make(chan input, inputsWaiting), calls: make(chan func(time.Time)), ended: make(chan struct{}),
		codec: cfg.Keyring.NewCodec(), cancels: map[uint64]context.CancelFunc{}, replies: map[uint64]chan<- takeover.Reply{},
	}
	if have, want := len(cfg.Voters), len(cfg.Core.Permission.Voters); have != want {
		return nil, fmt.Errorf("%d of %d arbiters can be asked", have, want)
	}
	for range cfg.Voters {
		a.questions = append(a.questions, make(chan permission.Question, questionsWaiting))
	}
	if a.cfg.Suspended == nil {
		a.cfg.Suspended = suspended
	}
	links, err := cfg.Open(handler{a})
	if err != nil {
		return nil, err
	}
	a.links = links
	for _, ping := range cfg.Pings {
		p, err := link.NewPinger(ping, handler{a})
		if err != nil {
			return nil, err
		}
		a.pingers = append(a.pingers, p)
	}
	return a, nil
}

// Run runs the node until Stop has handed over, or ctx ends: then it stops at
// once and leaves everything as it is. It returns the first error of a link
// that time cannot mend.
func (a *Agent) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	read := func(run func(context.Context) error) {
		a.work.Go(func() {
			if err := run(ctx); err != nil {
				cancel(err)
			}
		})
	}
	for _, l := range a.links {
		read(l.Run)
	}
	for _, p := range a.pingers {
		read(p.Run)
	}
	for i, v := range a.cfg.Voters {
		a.work.Go(func() { a.consult(ctx, v, a.questions[i]) })
	}
	feeder, fasting := a.feeding()
	a.feeder = feeder
	a.loop(ctx)
	close(a.ended)
	fasting()
	err := context.Cause(ctx)
	cancel(nil)
	for _, l := range a.links {
		l.Close()
	}
	a.work.Wait()
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// loop is the only caller of core.Step, and of the clock for it.
func (a *Agent) loop(ctx context.Context) {
	var out core.Output
	now := time.Now()
	a.core, out = core.New(a.cfg.Core, now)
	a.act(ctx, now, out)
	a.stepLater(ctx)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for !a.left {
		if !time.Now().Before(a.wake) {
			a.tick(ctx)
			continue
		}
		a.feeder.feed(time.Now())
		timer.Reset(time.Until(a.feeder.wake(a.wake)))
		select {
		case in := <-a.inputs:
			a.take(ctx, in)
		case call := <-a.calls:
			call(time.Now())
			a.stepLater(ctx)
		case <-timer.C:
		case <-ctx.Done():
			return
		}
	}
}

// tick steps what is waiting at this instant, so that our own pause does not
// outrun a heartbeat we already hold; no more than that, or a flood would put
// the judgement off for ever. Then it lets the core judge.
func (a *Agent) tick(ctx context.Context) {
	for range len(a.inputs) {
		a.take(ctx, <-a.inputs)
	}
	if !a.left {
		a.step(ctx, core.Tick{})
	}
}

func (a *Agent) take(ctx context.Context, in input) {
	if in.packet != nil {
		a.takePacket(ctx, in.packet)
		return
	}
	if done, ok := in.Input.(core.Done); ok {
		delete(a.cancels, done.Order)
	}
	a.step(ctx, in.Input)
}

func (a *Agent) takePacket(ctx context.Context, p *link.Packet) {
	received := core.Received{At: p.At, Link: p.Index, Message: &p.Message, Key: p.Key}
	if p.Source.IsValid() {
		received.Source = &p.Source
	}
	a.step(ctx, received)
	p.Release()
}

// step steps the core, acts, and steps what acting had to say.
func (a *Agent) step(ctx context.Context, in core.Input) {
	if a.left {
		return
	}
	a.checkLeases(ctx)
	a.checkSuspended(ctx)
	now := time.Now()
	out := a.core.Step(now, in)
	a.act(ctx, now, out)
	if out.Look {
		a.look(ctx)
	}
	a.stepLater(ctx)
}

// stepLater steps what acting had to say.
func (a *Agent) stepLater(ctx context.Context) {
	for len(a.later) > 0 && !a.left {
		in := a.later[0]
		a.later = a.later[1:]
		now := time.Now()
		a.act(ctx, now, a.core.Step(now, in))
	}
}

// act does what the core wants done. Orders leave first: nothing is more
// urgent than a resource.
func (a *Agent) act(ctx context.Context, now time.Time, out core.Output) {
	a.wake = out.Wake
	if out.Revoke {
		a.revoke(now)
	}
	if out.Allow {
		a.renew(now)
	}
	for _, order := range out.Orders {
		a.carryOut(ctx, order)
	}
	for _, f := range out.Fences {
		a.fence(ctx, f)
	}
	for _, id := range out.Cancel {
		if cancel := a.cancels[id]; cancel != nil {
			cancel()
		}
	}
	if out.Renew && !out.Revoke {
		a.renew(now)
		a.checkLeases(ctx) // a standstill in the midst of it: what follows is told before what is old
	}
	for i := range out.Send {
		a.send(&out.Send[i], out.Key)
	}
	a.ask(out.Questions)
	for _, e := range out.Events {
		a.record(now, e)
	}
	for _, r := range out.Replies {
		if reply := a.replies[r.ID]; reply != nil {
			reply <- r // has room for it
			delete(a.replies, r.ID)
		}
	}
	a.remember(now, out)
	if out.Ping {
		for _, p := range a.pingers {
			p.Send() // what was not sent is not answered
		}
	}
	a.left = a.left || out.Left
}

// look empties every socket without waiting, steps what was there, and says
// that nothing is left: only then is a silence believed.
func (a *Agent) look(ctx context.Context) {
	var found []*link.Packet
	for _, l := range a.links {
		l.Drain(func(p *link.Packet) { found = append(found, p) })
	}
	for _, p := range a.pingers {
		p.Drain(func(r link.Reply) { a.step(ctx, pinged(r)) })
	}
	for range len(a.inputs) {
		a.take(ctx, <-a.inputs)
	}
	for _, p := range found {
		a.takePacket(ctx, p)
	}
	a.step(ctx, core.Looked{})
}

// record shows an event to every sink.
func (a *Agent) record(now time.Time, e event.Event) {
	a.sequence++
	r := event.Record{
		Sequence: a.sequence, Time: now, Cluster: a.cfg.Core.Cluster, Node: a.cfg.Core.Members.Self, Event: e,
	}
	for _, sink := range a.cfg.Sinks {
		sink.Record(r)
	}
}
