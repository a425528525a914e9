package core

import (
	"strconv"
	"strings"
	"time"

	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/agent/membership"
	"github.com/systole-ha/systole/agent/permission"
	"github.com/systole-ha/systole/agent/takeover"
	"github.com/systole-ha/systole/agent/wire"
)

// judged reports whether there is a verdict at all: without a policy everything
// is permitted, always.
func (c *Core) judged() bool { return c.permission.Policy().Judges() }

// begin shows takeover what may be done with what an earlier daemon left.
func (c *Core) begin() {
	c.permitted = c.permission.Verdict(c.now)
	if c.judged() {
		c.follow(c.takeover.Permit(c.now, takeover.Permit{Keep: c.permitted.Keep, Take: c.permitted.Take}))
	}
}

// permit shows takeover what this node may do at this instant. A node that may
// hold nothing any more gives its leases up before anything else.
func (c *Core) permit() {
	if !c.judged() || c.farewell > 0 && c.takeover.HoldsNothing() {
		return // or there is nothing left to judge
	}
	before := c.permitted
	v := c.permission.Verdict(c.now)
	c.permitted = v
	if from, changed := c.permission.Changed(v); changed {
		e := event.PermissionChanged{Policy: string(c.permission.Policy()), From: string(from), To: string(v.Evidence), Holds: c.takeover.Hold()}
		if !v.Keep {
			e.Reason = c.permission.Why(c.now)
		}
		c.emit(e)
	}
	if v.Keep == before.Keep && v.Take == before.Take {
		return
	}
	c.out.Revoke = c.out.Revoke || before.Keep && !v.Keep
	c.out.Allow = v.Take
	c.follow(c.takeover.Permit(c.now, takeover.Permit{Keep: v.Keep, Take: v.Take}))
}

// canvass asks the arbiters what there is to ask.
func (c *Core) canvass() {
	if c.judged() {
		c.out.Questions = append(c.out.Questions, c.permission.Ask(c.now, c.takeover.Serves())...)
	}
}

// peerOff tells permission that the peer has been switched off. Where addresses
// are taken although that has failed, a peer that comes up may do so by a vote.
func (c *Core) peerOff() {
	if c.cfg.Fence.Addresses {
		c.permission.PeerLeft()
		return
	}
	c.permission.PeerOff()
}

// giveBack returns the votes of a node that ends, if it has left nothing running:
// its peer need not wait until they are over.
func (c *Core) giveBack() {
	if c.judged() && c.takeover.HoldsNothing() {
		c.out.Questions = append(c.out.Questions, c.permission.Leave(c.now)...)
	}
}

// answered takes in what an arbiter says, or that it does not.
func (c *Core) answered(now time.Time, a permission.Answer) {
	if !c.permission.Answered(now, a) {
		return
	}
	e := event.ArbiterChanged{Arbiter: c.cfg.Permission.Voters[a.Voter], Up: a.Err == nil}
	if a.Err != nil {
		e.Error = a.Err.Error()
	}
	c.emit(e)
}

// witness reads from a heartbeat of p what it proves of our own being heard. It
// comes after takeover has learnt that p is alive: who hears us is no node whose
// groups are to be taken.
func (c *Core) witness(p *peer, m *wire.Message, at time.Time, deadtime time.Duration) {
	if !c.judged() || c.members.State(p.name) == membership.Leaving {
		return
	}
	c.permission.PeerHeard(at, m.Has("syv"))
	if generation, ok := m.Hex("syhg"); !ok || generation != c.cfg.Generation {
		return // it has heard an earlier start of ours, or none
	}
	newest := int64(-1)
	for entry := range strings.SplitSeq(string(m.Get("syecho")), ",") {
		stamp, _, _ := strings.Cut(entry, ":")
		if sent, err := strconv.ParseInt(stamp, 16, 64); err == nil {
			newest = max(newest, sent)
		}
	}
	if newest < 0 || newest > c.now.Sub(c.start).Microseconds() {
		return
	}
	c.permission.Echoed(c.start.Add(time.Duration(newest)*time.Microsecond), deadtime)
}
