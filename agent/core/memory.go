package core

import (
	"slices"

	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/agent/membership"
	"github.com/systole-ha/systole/agent/takeover"
)

// A Memory is what a daemon leaves to the next one on the same node.
type Memory struct {
	takeover.Memory
	Peers []PeerMemory `json:"peers,omitempty"`
}

// A PeerMemory is what a daemon knew of a peer.
type PeerMemory struct {
	Name    string `json:"name"`
	Dead    bool   `json:"dead,omitempty"`    // declared so
	Missing string `json:"missing,omitempty"` // the trace of its death, until it is active again
}

// Equal reports whether two memories say the same.
func (m Memory) Equal(other Memory) bool {
	return m.Memory.Equal(other.Memory) && slices.Equal(m.Peers, other.Peers)
}

// Memory is what to leave.
func (c *Core) Memory() Memory {
	m := Memory{Memory: c.takeover.Memory()}
	for _, name := range c.cfg.Members.Peers {
		p := c.peers[name]
		m.Peers = append(m.Peers, PeerMemory{Name: name, Dead: c.members.State(name) == membership.Dead, Missing: p.missing})
	}
	return m
}

// recall takes in what the last daemon on this node has left. One that ran a
// moment ago leaves no cluster that is only starting: initdead does not count,
// and a peer that was dead is not waited for.
func (c *Core) recall() {
	if c.cfg.Memory == nil {
		return
	}
	c.members.Settle()
	switch {
	case c.cfg.Memory.Off != "" && c.cfg.Fence != nil:
		c.peerOff()
	case c.cfg.Memory.Gone == takeover.GoneByGoodbye:
		c.permission.PeerLeft()
	}
	for _, left := range c.cfg.Memory.Peers {
		p := c.peers[left.Name]
		if p == nil {
			continue
		}
		p.missing, p.incident = left.Missing, left.Missing
		if c.cfg.Memory.Gone != "" {
			c.emit(c.members.Gone(c.now, left.Name, left.Dead)...)
		}
	}
}

// remember hands out what to leave whenever that has changed, which it does
// with an event that is more than a measurement.
func (c *Core) remember() {
	for _, e := range c.out.Events {
		if event.SeverityOf(e) > event.Sample {
			m := c.Memory()
			c.out.Memory = &m
			return
		}
	}
}
