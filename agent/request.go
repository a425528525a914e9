package agent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/systole-ha/systole/agent/core"
	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/agent/takeover"
)

// ErrEnded is returned to whoever asks an agent that has stopped.
var ErrEnded = errors.New("the agent has stopped")

// call runs f on the loop.
func (a *Agent) call(ctx context.Context, f func(now time.Time)) error {
	done := make(chan struct{})
	select {
	case a.calls <- func(now time.Time) { f(now); close(done) }:
		<-done
		return nil
	case <-a.ended:
		return ErrEnded
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Snapshot looks at everything, on the loop.
func (a *Agent) Snapshot(ctx context.Context) (core.Snapshot, error) {
	var s core.Snapshot
	err := a.call(ctx, func(now time.Time) {
		s = a.core.Snapshot(now)
		s.Lease = a.leaseView()
	})
	return s, err
}

// Alive returns when the loop has had its turn: what a watchdog should ask
// before it says that all is well.
func (a *Agent) Alive(ctx context.Context) error { return a.call(ctx, func(time.Time) {}) }

// Stop makes the agent hand over; Run returns when that is done.
func (a *Agent) Stop(reason string) { a.tell(core.Stop{Reason: reason}) }

// Restart makes the agent end without giving anything up: Run returns when the
// peer has been told that it will be started again.
func (a *Agent) Restart() { a.tell(core.Restart{}) }

// Note puts a fact of the daemon's own into the stream of events.
func (a *Agent) Note(e event.Event) { a.tell(core.Fact{Event: e}) }

// Lost tells that somebody else has taken an address of these resources away.
func (a *Agent) Lost(e event.AddressLost, resources []string) {
	a.tell(core.Lost{Event: e, Resources: resources})
}

// Contested tells that another machine has the address of these resources.
func (a *Agent) Contested(e event.AddressConflict, resources []string) {
	a.tell(core.Contested{Event: e, Resources: resources})
}

// Carriers tells what became of the interfaces of addresses.
func (a *Agent) Carriers(changed []takeover.Carrier) { a.tell(core.Carriers{Changed: changed}) }

// Request makes an operator's request and waits for what becomes of it: a
// standby or takeover is accepted when the peer has agreed, one to fence a node
// or to confirm that it is off at once, or refused with a reason. A peer that
// does not answer is a refusal after 10 s.
func (a *Agent) Request(ctx context.Context, kind, scope string, uid int) (takeover.Reply, error) {
	answer := make(chan takeover.Reply, 1)
	err := a.call(ctx, func(time.Time) {
		a.requests++
		a.replies[a.requests] = answer
		request := takeover.Request{ID: a.requests, Kind: kind, Scope: scope}
		a.later = append(a.later, core.Request{Request: request})
	})
	if err != nil {
		return takeover.Reply{}, err
	}
	select {
	case r := <-answer:
		note := event.OperatorCommand{Command: commandOf(kind), Arguments: scope, UID: uid, Result: "accepted", Reason: r.Reason}
		if !r.Accepted {
			note.Result = "refused"
		}
		a.Note(note)
		return r, nil
	case <-a.ended:
		return takeover.Reply{}, fmt.Errorf("%s %s: %w", kind, scope, ErrEnded)
	case <-ctx.Done():
		return takeover.Reply{}, ctx.Err()
	}
}

// commandOf is the command that makes a request of this kind.
func commandOf(kind string) string {
	switch kind {
	case "fence":
		return "systole fence"
	case "confirm":
		return "systole fence --confirm"
	}
	return "hb_" + kind
}
