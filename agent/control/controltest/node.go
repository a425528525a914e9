// Package controltest is a daemon in memory behind a real control socket, for
// the tests of the commands that ask one.
package controltest

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/systole-ha/systole/agent/control"
	"github.com/systole-ha/systole/agent/core"
	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/agent/readiness"
	"github.com/systole-ha/systole/agent/takeover"
)

// A Daemon answers with what it is given. Its fields are set before Start.
type Daemon struct {
	Snapshot   core.Snapshot
	Nodes      []string // in the order of ha.cf
	Parameters map[string]string
	Reply      takeover.Reply
	Report     readiness.Report
	Frozen     bool  // accepts connections and answers nothing
	Refuse     error // of every question, instead of an answer

	// Moved is what happens when a move is accepted: events, some snapshots that
	// say transition, and the snapshot from then on.
	Moved      []event.Event
	MovedAfter time.Duration // between one of these events and the next
	Transition int
	Afterwards *core.Snapshot

	Socket string // where it listens, once started

	mu       sync.Mutex
	requests []Request
	moving   int // snapshots that are still to say transition
	sequence uint64
	now      time.Time
	server   *control.Server
	cancel   context.CancelFunc
	served   chan error
	folder   string
}

// A Request is a move that was asked for.
type Request struct {
	Kind, Scope string
	UID         int
}

// Start listens in a folder of its own: the path of a socket has room for 107
// bytes, which a test's own folder can exceed.
func (d *Daemon) Start() error {
	folder, err := os.MkdirTemp("", "control")
	if err != nil {
		return err
	}
	d.folder, d.Socket = folder, filepath.Join(folder, "sock")
	d.now = d.Snapshot.Now
	if d.server, err = control.Listen(control.Config{Socket: d.Socket, Nodes: d.Nodes}); err != nil {
		os.RemoveAll(folder)
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	d.cancel, d.served = cancel, make(chan error, 1)
	go func() { d.served <- d.server.Serve(ctx, node{d}) }()
	return nil
}

// Stop ends the daemon and waits for everything it started.
func (d *Daemon) Stop() error {
	d.cancel()
	err := <-d.served
	os.RemoveAll(d.folder)
	return err
}

// Emit puts events into the stream, each at an instant and a number later than
// the one before it.
func (d *Daemon) Emit(after time.Duration, events ...event.Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range events {
		d.sequence++
		d.now = d.now.Add(after)
		d.server.Record(event.Record{
			Sequence: d.sequence, Time: d.now, Cluster: d.Snapshot.Cluster, Node: d.Snapshot.Self, Event: e,
		})
	}
}

// Requests is the moves that were asked for so far.
func (d *Daemon) Requests() []Request {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.requests
}

// node is the side of a Daemon that its server sees.
type node struct{ *Daemon }

func (n node) wait(ctx context.Context) error {
	if n.Frozen {
		<-ctx.Done()
		return ctx.Err()
	}
	return n.Refuse
}

func (n node) Snapshot(ctx context.Context) (core.Snapshot, error) {
	if err := n.wait(ctx); err != nil {
		return core.Snapshot{}, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	s := n.Daemon.Snapshot
	if n.moving > 0 {
		n.moving--
		s.Takeover.Hold, s.Takeover.Activity = "transition", "groups are starting or stopping"
	}
	return s, nil
}

func (n node) Request(ctx context.Context, kind, scope string, uid int) (takeover.Reply, error) {
	n.mu.Lock()
	n.requests = append(n.requests, Request{kind, scope, uid})
	n.mu.Unlock()
	if err := n.wait(ctx); err != nil || !n.Reply.Accepted {
		return n.Reply, err
	}
	n.mu.Lock()
	if n.Afterwards != nil {
		n.Daemon.Snapshot = *n.Afterwards
	}
	n.moving = n.Transition
	n.mu.Unlock()
	n.Emit(n.MovedAfter, n.Moved...)
	return n.Reply, nil
}

func (n node) Ready(ctx context.Context) (readiness.Report, error) {
	return n.Report, n.wait(ctx)
}

func (n node) Parameter(name string) (string, bool) {
	value, ok := n.Parameters[name]
	return value, ok
}
