package core

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"

	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/agent/membership"
)

// An incident is known by the same id on both nodes without a word between
// them: while all is well each tells the other a random seed, and whoever
// misses the other derives the id from the two. It is the id of a trace, 16
// bytes as W3C Trace Context has it. After an incident the seeds are renewed.
type seed [16]byte

// incident derives the id.
func incident(cluster string, seeds ...seed) string {
	slices.SortFunc(seeds, func(a, b seed) int { return slices.Compare(a[:], b[:]) })
	h := sha256.New()
	h.Write([]byte("systole incident\x00" + cluster + "\x00"))
	for _, s := range seeds {
		h.Write(s[:])
	}
	return hex.EncodeToString(h.Sum(nil)[:len(seed{})])
}

// trace is the id of what concerns p: the incident it is in, or, for whatever
// is planned, a new one.
func (c *Core) trace() string {
	var id seed
	c.fill(&id)
	return hex.EncodeToString(id[:])
}

// missed is the id of an incident that the peer saw and we did not: we were
// frozen, or only it could not hear us.
func (c *Core) missed() string {
	for _, name := range c.cfg.Members.Peers {
		return incident(c.cfg.Cluster, c.seed, c.peers[name].seed)
	}
	return c.trace()
}

func (c *Core) fill(s *seed) {
	binary.BigEndian.PutUint64(s[:8], c.random.Uint64())
	binary.BigEndian.PutUint64(s[8:], c.random.Uint64())
}

// mark notes what the peer's death, or its return from one, means for the ids
// of incidents, and puts them into the events.
func (c *Core) mark(e event.Event) event.Event {
	switch e := e.(type) {
	case event.PeerDead:
		if p := c.peers[e.Peer]; p != nil && !e.NeverHeard {
			p.incident = incident(c.cfg.Cluster, c.seed, p.seed)
			c.takeover.SetIncident(p.incident)
			p.missing = p.incident
			e.Trace = p.incident
		}
		return e
	case event.PeerFalseDeath:
		e.Trace = c.peers[e.Peer].incident
		return e
	case event.PeerStateChanged:
		if p := c.peers[e.Peer]; p != nil && e.To == membership.Active {
			p.missing = ""
		}
	case event.HeartbeatLate:
		e.Trace = c.trace()
		return e
	case event.PeerReturned:
		c.fill(&c.seed)
		c.greet = true
	}
	return e
}
