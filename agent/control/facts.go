package control

import (
	"maps"
	"slices"
	"time"

	"github.com/systole-ha/systole/agent/event"
)

// facts is what the events say that a snapshot of the core does not: a fold
// over the stream.
type facts struct {
	began      time.Time // the first record's instant
	generation uint64
	media      map[string]medium // by link
	roundTrips map[route]Seconds // the newest, of those that there are
	recent     map[route]*recent // of a node on all links: without a link
	peers      map[string]identity
	split      *SplitBrain
	takeovers  takeovers
	checks     []Check
	pending    []Pending
}

type medium struct {
	kind   string
	open   bool
	reason string // why it is not open
}

// A route is one link to one node; to a ping node, without a link.
type route struct{ node, link string }

type identity struct {
	wire, version, autoFailback string
	drift                       []string // files that are not like ours
}

func newFacts() facts {
	return facts{media: map[string]medium{}, roundTrips: map[route]Seconds{}, recent: map[route]*recent{}, peers: map[string]identity{}}
}

// note takes one record in. Heartbeats come by the hundred a second: they cost
// no memory.
func (f *facts) note(r event.Record) {
	if f.began.IsZero() {
		f.began = r.Time
	}
	switch e := r.Event.(type) {
	case event.HeartbeatReceived:
		f.beat(r, e)
		if e.RoundTrip > 0 {
			f.roundTrips[route{e.Peer, e.Link}] = Seconds(e.RoundTrip)
		}
	case event.PingAnswered:
		f.roundTrips[route{node: e.PingNode}] = Seconds(e.RoundTrip)
	case event.NodeStarted:
		f.generation = e.Generation
	case event.LinkOpened:
		f.media[e.Link] = medium{kind: e.Medium, open: true}
	case event.LinkClosed:
		f.media[e.Link] = medium{kind: e.Medium, reason: e.Error}
	case event.HeartbeatLost:
		f.lost(r, e)
	case event.PeerDead:
		if !e.NeverHeard {
			f.ended(r, route{node: e.Peer}, e.Silence)
		}
	case event.LinkDown:
		f.ended(r, route{e.Peer, e.Link}, e.Silence)
		delete(f.roundTrips, route{e.Peer, e.Link})
	case event.PeerIdentified:
		id := f.peers[e.Peer]
		id.wire, id.version, id.autoFailback = e.Wire, e.Version, e.AutoFailback
		f.peers[e.Peer] = id
	case event.ConfigDrift:
		f.drifted(e)
	case event.ReadinessChanged:
		f.checks = checked(f.checks, r, e)
	case event.ConfigPending:
		f.pending = pending(f.pending, r, e)
	case event.SplitBrainSuspected:
		f.split = &SplitBrain{Since: wall(r.Time), Evidence: e.Evidence, Peer: e.Peer, Groups: slices.Clone(e.Groups)}
	case event.SplitBrainCleared:
		f.split = nil
	default:
		f.takeovers.note(r)
	}
}

func (f *facts) drifted(e event.ConfigDrift) {
	id := f.peers[e.Peer]
	files := slices.DeleteFunc(slices.Clone(id.drift), func(file string) bool { return file == e.File })
	if e.Ours != e.Theirs {
		files = append(files, e.File)
	}
	id.drift = files
	f.peers[e.Peer] = id
}

// clone is a copy that later records do not change.
func (f *facts) clone() facts {
	c := *f
	c.media, c.roundTrips, c.peers = maps.Clone(f.media), maps.Clone(f.roundTrips), maps.Clone(f.peers)
	c.recent = make(map[route]*recent, len(f.recent))
	for of, r := range f.recent {
		copied := *r
		c.recent[of] = &copied
	}
	c.takeovers = f.takeovers.clone()
	return c
}
