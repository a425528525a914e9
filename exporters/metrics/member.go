package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/systole-ha/systole/agent/event"
)

// A membership is who is in the cluster, as far as counting goes.
type membership struct {
	changes     counters // by reason
	suspected   prometheus.Gauge
	splitBrains counters        // by evidence
	split       map[string]bool // peers that claim what we hold
}

func newMembership(s *series) membership {
	return membership{
		changes:     s.countersBy("systole_membership_changes_total", membershipChanges),
		suspected:   s.gauge("systole_split_brain_suspected"),
		splitBrains: s.countersBy("systole_split_brains_total", evidences),
		split:       map[string]bool{},
	}
}

// stateChanged counts a peer as joined when it becomes active, unless it only
// returned from a death, which PeerReturned has counted.
func (m *Metrics) stateChanged(e event.PeerStateChanged) {
	if ping, ok := m.pings[e.Peer]; ok {
		ping.turned(e.To)
		return
	}
	p := m.peer(e.Peer)
	p.become(e.To)
	switch e.To {
	case "active":
		if !p.member {
			m.members.changes.add("join", 1)
		}
		p.member = true
	case "leaving":
		m.members.changes.add("leave", 1)
		m.unsplit(e.Peer)
		p.member = false
	}
}

func (m *Metrics) identified(e event.PeerIdentified) {
	p := m.peer(e.Peer)
	p.wire.set(e.Wire)
	p.says = e.Wire == "systole"
	p.agreement.show(p.says)
}

// died counts no death of a peer that was never there.
func (m *Metrics) died(e event.PeerDead) {
	m.peer(e.Peer).member = false
	m.unsplit(e.Peer)
	if !e.NeverHeard {
		m.members.changes.add("death", 1)
	}
}

func (m *Metrics) returned(e event.PeerReturned) {
	m.peer(e.Peer).member = true
	m.members.changes.add("return", 1)
}

func (m *Metrics) falseDeath(e event.PeerFalseDeath, of prometheus.Labels) {
	p := m.peer(e.Peer)
	count(p.falseDeaths, of)
	observe(p.used, p.ratio(e.Silence), of)
}

func (m *Metrics) splitBrain(e event.SplitBrainSuspected) {
	m.members.splitBrains.add(e.Evidence, 1)
	m.members.split[e.Peer] = true
	m.members.suspected.Set(1)
}

// unsplit ends the suspicion: it was cleared, or the peer is gone and claims
// nothing any more.
func (m *Metrics) unsplit(peer string) {
	delete(m.members.split, peer)
	if len(m.members.split) == 0 {
		m.members.suspected.Set(0)
	}
}

// A ping is a ping node or a ping group.
type ping struct {
	up        prometheus.Gauge
	roundTrip prometheus.Observer
}

func newPing(s *series, name string) *ping {
	return &ping{
		up:        s.gauge("systole_ping_node_up", name),
		roundTrip: s.histogram("systole_ping_node_rtt_seconds", name),
	}
}

func (p *ping) turned(state string) {
	p.up.Set(oneIf(state == "ping"))
}
