package takeover

import (
	"fmt"
	"time"

	"github.com/systole-ha/systole/agent/event"
)

// A Request is an operator's wish.
type Request struct {
	ID    uint64
	Kind  string // standby, takeover, fence, confirm
	Scope string // all, local, foreign; of fence and confirm the node
}

// A Reply answers a Request once it is known what the peer says to it.
type Reply struct {
	ID       uint64
	Accepted bool
	Reason   string // of a refusal
}

// The requests about fencing.
const (
	byFence   = "fence"   // now, whatever is waited for
	byConfirm = "confirm" // a person knows that the node is off
)

// Request takes in an operator's wish to move groups: standby gives them to the
// peer, takeover asks the peer to give them here.
func (t *Takeover) Request(now time.Time, r Request) Output {
	return t.step(now, func() {
		if r.Kind == byFence || r.Kind == byConfirm {
			t.fenceByHand(now, r)
			return
		}
		reason := t.unwilling(r)
		switch {
		case reason != "":
			t.refuseRequest(r.ID, r.Kind, r.Scope, reason)
		case r.Kind == byStandby:
			t.ask(now, byStandby, r.Scope, t.scoped(r.Scope), r.ID)
		case r.Kind == byTakeover:
			t.demand(now, r)
		default:
			t.refuseRequest(r.ID, r.Kind, r.Scope, fmt.Sprintf("unknown request %q", r.Kind))
		}
	})
}

// unwilling is why a request cannot be begun; empty if it can.
func (t *Takeover) unwilling(r Request) string {
	if reason := t.unable(); reason != "" {
		return reason
	}
	switch {
	case t.cfg.Peer == "":
		return "there is no other node"
	case !t.peer.alive:
		return t.cfg.Peer + " is dead"
	case t.peer.leaving:
		return t.cfg.Peer + " is stopping"
	case !t.peer.told || !t.peer.stable:
		return "resources are in transition on " + t.cfg.Peer
	case r.Kind == byTakeover && t.demanded.id != 0:
		return "a takeover is being asked for"
	}
	return ""
}

// demand asks the peer to go standby. What nobody holds and failed here is
// tried again.
func (t *Takeover) demand(now time.Time, r Request) {
	t.standby = time.Time{}
	for _, g := range t.scoped(r.Scope) {
		g.failure, g.retryAt = "", time.Time{}
	}
	t.demanded = demand{id: r.ID, scope: r.Scope, deadline: now.Add(askTimeout)}
	t.send("hb_takeover", "rsc_hold", r.Scope)
}

// A demand is a takeover that the peer has not answered yet.
type demand struct {
	id       uint64
	scope    string
	deadline time.Time
}

// acceptTakeover answers a demand: the peer goes standby.
func (t *Takeover) acceptTakeover() {
	t.accept(t.demanded.id)
	t.demanded = demand{}
}

// obey does what the peer's hb_takeover asks: go standby for what it wants.
func (t *Takeover) obey(now time.Time, scope string) {
	scope = mirror(scope)
	switch scope {
	case "all", "local", "foreign":
	default: // heartbeat's script has no case for failback and moves everything
		scope = "all"
	}
	reason := t.unable()
	if reason == "" && !t.mayAsk() {
		reason = "resources are in transition on " + t.cfg.Peer
	}
	if reason != "" {
		t.emit(event.MoveRefused{Request: byTakeover, By: t.cfg.Self, Groups: scope, Reason: reason})
		if t.peer.systole {
			t.send("ask_resources", "rsc_hold", scope, "info", "refused", "syreason", reason, "sydemand", "1")
		}
		return
	}
	t.ask(now, byTakeover, scope, t.scoped(scope), 0)
}

// expireDemand gives up on a peer that does not answer a demand.
func (t *Takeover) expireDemand(now time.Time) {
	if t.demanded.id == 0 {
		return
	}
	if !t.peer.alive {
		t.refuseDemand(t.cfg.Peer + " is dead")
	} else if !now.Before(t.demanded.deadline) {
		t.refuseDemand("no answer from " + t.cfg.Peer)
	}
}

func (t *Takeover) refuseDemand(reason string) {
	t.refuseRequest(t.demanded.id, byTakeover, t.demanded.scope, reason)
	t.demanded = demand{}
}

// Leave releases everything and says goodbye; Left tells when that is over.
func (t *Takeover) Leave(now time.Time) Output {
	return t.step(now, func() {
		if t.phase == leaving || t.phase == left {
			return
		}
		t.abortSwap(now, t.cfg.Self+" is stopping")
		t.phase, t.leavingTrace = leaving, t.cfg.NewTrace()
		t.vacant = [2]bool{}
		var holding []*group
		for _, g := range t.groups {
			if g.holds() {
				holding = append(holding, g)
			}
		}
		t.stopping = t.relinquish(now, byShutdown, holding)
	})
}

func (t *Takeover) accept(request uint64) {
	if request != 0 {
		t.out.Replies = append(t.out.Replies, Reply{ID: request, Accepted: true})
	}
}

func (t *Takeover) refuse(request uint64, reason string) {
	if request != 0 {
		t.refuseRequest(request, byStandby, t.swap.scope, reason)
	}
}

func (t *Takeover) refuseRequest(request uint64, kind, scope, reason string) {
	t.emit(event.MoveRefused{Request: kind, By: t.cfg.Self, Groups: scope, Reason: reason})
	t.out.Replies = append(t.out.Replies, Reply{ID: request, Reason: reason})
}
