// Package readiness finds out, every minute and on demand, whether a takeover
// here would work now. It looks from outside the agent's loop, one check after
// another, each with a limit of time and with drivers of its own, so that
// nothing it waits for can make the loop or a takeover wait.
//
// Nothing is judged before this node takes part in the cluster: while it waits
// for its peer, a link that is not up yet is no fault.
package readiness

import (
	"context"
	"errors"
	"time"

	"github.com/systole-ha/systole/agent/core"
	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/agent/takeover"
	"github.com/systole-ha/systole/resources"
)

// The checks, as events and metrics name them.
const (
	UnitsLoadable = "units_loadable" // every unit of haresources can be started
	InterfaceUp   = "interface_up"   // each address has an interface to go to, and it carries
	AddressFree   = "address_free"   // nobody but its owner answers for an address
	LinkRedundant = "link_redundant" // the peer is heard on two links
	ConfigMatch   = "config_match"   // its files are like ours
	Clock         = "clock"          // and its clock, within a second
	Disk          = "disk"           // the state directory takes what is written
	FenceDevice   = "fence_device"   // what switches the peer off answers; only where that is configured
)

// A Verdict is what one check found.
type Verdict struct {
	Check  string
	Ready  bool
	Reason string // what is wrong, or what was looked at; lower case, no full stop
}

// A Report is one look.
type Report struct {
	Unjudged string    // why there is no verdict yet; "" where there are some
	Verdicts []Verdict // one for each check, in the order above
}

// Ready reports that a takeover here would work.
func (r Report) Ready() bool {
	for _, v := range r.Verdicts {
		if !v.Ready {
			return false
		}
	}
	return r.Unjudged == ""
}

// A Node is what is looked at: an agent. Its methods return when ctx ends.
type Node interface {
	Snapshot(ctx context.Context) (core.Snapshot, error)
	Note(event.Event)
}

// A Config says what a takeover needs.
type Config struct {
	Groups   []takeover.Group
	Driver   func(resources.Spec) resources.Driver // for looking only: not the ones that start and stop
	StateDir string
	Devices  []Device // that switch the peer off; none where it is not fenced
}

// A Device is what switches the peer off.
type Device struct {
	Name  string                          // as the configuration has it
	Check func(ctx context.Context) error // nil where a person does it
}

// How often is looked: sooner where something is wrong, so that what was mended
// is soon seen to be, and before the first verdict.
const (
	usually  = time.Minute
	notReady = 10 * time.Second
	waiting  = time.Second
)

// Limit is how long one check may take. Systemd does not answer for a third of
// a second while it reloads, and reads a unit that it had forgotten in 25 ms.
const Limit = 5 * time.Second

// Longest is how long Ask takes at most: what is being looked at when it comes,
// and its own look, four checks of which leave this process, and one asks devices.
const Longest = 2*(4*Limit+devicesLimit) + 2*snapshotTime

// snapshotTime is how long the loop may take to answer.
const snapshotTime = 2 * time.Second

// A Checker looks. Make it with New, run it once.
type Checker struct {
	cfg   Config
	node  Node
	asked chan chan<- Report
	ended chan struct{}

	// What follows belongs to Run.
	began   time.Time // of taking part; zero before
	devices devices
	last    map[string]Verdict        // by check
	overdue map[string]<-chan Verdict // checks that have outlasted their limit
}

// New returns a Checker that has not looked yet.
func New(cfg Config, node Node) *Checker {
	return &Checker{
		cfg: cfg, node: node, asked: make(chan chan<- Report), ended: make(chan struct{}),
		last: map[string]Verdict{}, overdue: map[string]<-chan Verdict{},
	}
}

// ErrEnded is returned by Ask when Run has.
var ErrEnded = errors.New("readiness is not looked at any more")

// Ask looks now, and returns what was found.
func (c *Checker) Ask(ctx context.Context) (Report, error) {
	answer := make(chan Report, 1)
	select {
	case c.asked <- answer:
	case <-c.ended:
		return Report{}, ErrEnded
	case <-ctx.Done():
		return Report{}, ctx.Err()
	}
	select {
	case r := <-answer:
		return r, nil
	case <-c.ended:
		return Report{}, ErrEnded
	case <-ctx.Done():
		return Report{}, ctx.Err()
	}
}

// Run looks until ctx ends. It does not wait for a check that hangs.
func (c *Checker) Run(ctx context.Context) {
	defer close(c.ended)
	timer := time.NewTimer(waiting)
	defer timer.Stop()
	for {
		var answers []chan<- Report
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case answer := <-c.asked:
			answers = c.others(answer)
		}
		report := c.look(ctx, len(answers) > 0)
		if ctx.Err() != nil {
			return
		}
		c.tell(report)
		for _, answer := range answers {
			answer <- report // has room for it
		}
		timer.Reset(pause(report))
	}
}

// others are all who ask at this moment: one look serves them all.
func (c *Checker) others(first chan<- Report) []chan<- Report {
	answers := []chan<- Report{first}
	for {
		select {
		case answer := <-c.asked:
			answers = append(answers, answer)
		default:
			return answers
		}
	}
}

func pause(r Report) time.Duration {
	switch {
	case r.Unjudged != "":
		return waiting
	case !r.Ready():
		return notReady
	}
	return usually
}

// tell reports verdicts that are news: the first of a check, another one, or
// another reason to say no.
func (c *Checker) tell(r Report) {
	for _, v := range r.Verdicts {
		before, known := c.last[v.Check]
		c.last[v.Check] = v
		if !known || before.Ready != v.Ready || !v.Ready && before.Reason != v.Reason {
			c.node.Note(event.ReadinessChanged{Check: v.Check, Ready: v.Ready, Reason: v.Reason})
		}
	}
}
