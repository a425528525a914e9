package traces

import (
	"slices"
	"time"

	"github.com/systole-ha/systole/agent/event"
)

// stallRecent is how long before or after a suspicion a pause of our own still
// explains it: the peer speaks and we judge once a keepalive.
const stallRecent = 5 * time.Second

// An incident is two owners of a group as this node sees it: a peer called dead
// that was not, or ourselves, called dead while we were paused or cut off.
type incident struct {
	event.SplitBrainSuspected
	at         time.Time
	ended      time.Time
	cleared    event.SplitBrainCleared
	isolated   bool // it was the peer that took over, not we
	correlated bool
	stall      lateness // ours; zero where there was none
}

// close ends the incident, which may have begun before anybody could see it.
func (in *incident) close(at time.Time, e event.SplitBrainCleared) {
	in.ended, in.cleared = at, e
	if begun := at.Add(-e.Took); begun.Before(in.at) {
		in.at = begun
	}
}

// takeSplit takes what is said of two owners.
func (g *gatherer) takeSplit(r event.Record) {
	switch e := r.Event.(type) {
	case event.PeerFalseDeath:
		if d, ok := g.deaths[e.Peer]; ok && d.Trace == e.Trace && !g.strangers[e.Peer] {
			g.spans.falseDeath(r.Time, d, e, g.tookOver(e.Trace))
		}
	case event.SplitBrainSuspected:
		g.incident = &incident{
			SplitBrainSuspected: e, at: r.Time, isolated: !g.tookOver(e.Trace), correlated: !g.strangers[e.Peer],
		}
		if !g.lateness.at.IsZero() && r.Time.Sub(g.lateness.at) < stallRecent {
			g.incident.stall = g.lateness
		}
	case event.SplitBrainCleared:
		if g.incident != nil {
			g.incident.close(r.Time, e)
			g.spans.incident(g.incident)
			g.incident = nil
		}
	}
}

// late notes a pause of our own that was long enough to matter. It may be known
// before the peer is heard to have taken over, or after.
func (g *gatherer) late(at time.Time, e event.AgentLate) {
	if !e.Held {
		return
	}
	g.lateness = lateness{e, at}
	if g.incident != nil && at.Sub(g.incident.at) < stallRecent {
		g.incident.stall = g.lateness
	}
}

// tookOver reports whether this node has a takeover in a trace, or has one
// under way.
func (g *gatherer) tookOver(trace string) bool {
	under := func(m *move) bool { return m.acquire && m.trace == trace }
	return g.spans.tops.seen(trace, takeoverTop) || slices.ContainsFunc(g.open, under)
}
