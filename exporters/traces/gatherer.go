package traces

import (
	"maps"
	"slices"
	"time"

	"github.com/systole-ha/systole/agent/event"
)

// A gatherer puts together what belongs together, and has it built when it is
// over.
type gatherer struct {
	node      string
	spans     spans
	open      []*move                 // oldest first
	deaths    map[string]death        // the newest of each peer
	fencings  map[string]fencing      // likewise
	links     map[path]turn           // of every peer
	pings     map[string]event.Record // the newest answer of each ping node
	strangers map[string]bool         // peers that know nothing of traces
	incident  *incident               // nil while nobody suspects anything
	lateness  lateness                // our newest pause
	newest    time.Time               // of records
}

// A path is a peer on a link, and a turn is when it was last heard of or missed.
type path struct{ peer, link string }

type turn struct {
	at time.Time
	up bool
}

// A lateness is a pause of our own.
type lateness struct {
	event.AgentLate
	at time.Time
}

func (g *gatherer) take(r event.Record) {
	g.newest = r.Time
	switch e := r.Event.(type) {
	case event.PeerIdentified:
		g.strangers[e.Peer] = e.Wire != "systole"
	case event.PeerDead:
		g.deaths[e.Peer] = g.death(r.Time, e)
	case event.FenceStarted:
		g.fencings[e.Peer] = fencing{FenceStarted: e, at: r.Time}
	case event.FenceAttempted:
		g.fenceAttempted(r.Time, e)
	case event.FenceCompleted:
		g.fenceCompleted(r.Time, e)
	case event.LinkUp:
		g.links[path{e.Peer, e.Link}] = turn{at: r.Time, up: true}
	case event.LinkDown:
		g.links[path{e.Peer, e.Link}] = turn{at: r.Time}
		g.linkDown(r.Time, e)
	case event.PingAnswered:
		g.pings[e.PingNode] = r
	case event.AgentLate:
		g.late(r.Time, e)
	case event.HeartbeatLate:
		g.spans.heartbeatLate(r.Time, e)
	case event.OperatorCommand:
		g.spans.command(r.Time, e, g.commanded(r.Time, e))
	case event.MoveRefused:
		g.spans.refused(r.Time, e)
	case event.ConfigReloaded, event.ConfigReloadFailed:
		g.spans.reload(r)
	case event.NodeJoined:
		g.spans.join(r.Time, e)
	default:
		if !g.takeMove(r) {
			g.takeSplit(r)
		}
	}
}

// takeMove takes what belongs to a takeover or release.
func (g *gatherer) takeMove(r event.Record) bool {
	switch e := r.Event.(type) {
	case event.TakeoverStarted:
		m := g.begin(&move{acquire: true, id: e.ID, trigger: e.Trigger, peer: e.Peer, groups: e.Groups, trace: e.Trace, decided: r.Time})
		if d, ok := g.deaths[e.Peer]; ok && e.Trigger == "peer_dead" {
			m.death = &d
		}
		m.fencing = g.fencedFor(m)
	case event.ReleaseStarted:
		g.begin(&move{id: e.ID, trigger: e.Trigger, peer: e.Peer, groups: e.Groups, trace: e.Trace, decided: r.Time})
	case event.GroupStateChanged:
		if m := g.moving(e.Group); m != nil {
			m.state(r.Time, e)
		}
	case event.ResourceOperation:
		if m := g.moving(e.Group); m != nil {
			m.operation(r.Time, e)
		} else {
			g.spans.afterwards(r.Time, e)
		}
	case event.TakeoverPhase:
		if m := g.find(e.ID); m != nil {
			m.phases = append(m.phases, e)
		}
	case event.TakeoverFailed:
		if m := g.find(e.ID); m != nil {
			m.failed = append(m.failed, failure{e, r.Time})
		}
	case event.TakeoverCompleted:
		g.complete(e.ID, outcome{at: r.Time, result: e.Result, took: e.Took, outage: e.Outage})
	case event.ReleaseCompleted:
		g.complete(e.ID, outcome{at: r.Time, result: e.Result, took: e.Took})
	default:
		return false
	}
	return true
}

// death is a verdict with what else was known at it. The peer's links go down
// with it, so those count that did while it was silent.
func (g *gatherer) death(at time.Time, e event.PeerDead) death {
	d := death{PeerDead: e, at: at}
	silent := at.Add(-e.Silence)
	for p, t := range g.links {
		if p.peer == e.Peer && (t.up || !t.at.Before(silent)) {
			d.linksUp++
		}
	}
	for _, name := range slices.Sorted(maps.Keys(g.pings)) {
		d.pings = append(d.pings, g.pings[name])
	}
	return d
}

func (g *gatherer) begin(m *move) *move {
	if len(g.open) == movesOpen {
		g.open = slices.Delete(g.open, 0, 1)
	}
	m.correlated = !g.strangers[m.peer]
	g.open = append(g.open, m)
	return m
}

func (g *gatherer) find(id uint64) *move {
	for _, m := range g.open {
		if m.id == id {
			return m
		}
	}
	return nil
}

// moving is the newest move that is about a group.
func (g *gatherer) moving(group string) *move {
	for _, m := range slices.Backward(g.open) {
		if m.moves(group) {
			return m
		}
	}
	return nil
}

func (g *gatherer) complete(id uint64, o outcome) {
	if m := g.find(id); m != nil {
		g.open = slices.DeleteFunc(g.open, func(other *move) bool { return other == m })
		g.spans.move(m, o)
	}
}

// linkDown notes a link that ended with its peer, or just before.
func (g *gatherer) linkDown(at time.Time, e event.LinkDown) {
	down := linkDown{e, at}
	taken := false
	for _, m := range g.open {
		if m.death != nil && m.peer == e.Peer {
			m.death.links = append(m.death.links, down)
			taken = true
		}
	}
	if d, ok := g.deaths[e.Peer]; ok && !taken { // fenced first: the takeover is still to come
		d.links = append(slices.Clip(d.links), down)
		g.deaths[e.Peer] = d
	}
}

// commanded is the move that a command has begun: that of its kind which is no
// older than the second in which the peer must have agreed.
func (g *gatherer) commanded(at time.Time, e event.OperatorCommand) *move {
	for _, m := range slices.Backward(g.open) {
		if e.Command == "hb_"+m.trigger && at.Sub(m.decided) < time.Second {
			return m
		}
	}
	return nil
}

// end builds what is not over, as it stands.
func (g *gatherer) end() {
	for _, m := range g.open {
		g.spans.move(m, outcome{at: g.newest, took: g.newest.Sub(m.decided), result: unfinished})
	}
	g.open = nil
	if g.incident != nil {
		g.incident.close(g.newest, event.SplitBrainCleared{})
		g.spans.incident(g.incident)
		g.incident = nil
	}
}
