package control

import (
	"slices"
	"strings"
	"time"

	"github.com/systole-ha/systole/agent/core"
	"github.com/systole-ha/systole/agent/membership"
	"github.com/systole-ha/systole/agent/takeover"
)

// describe draws the picture of a node from a snapshot of its core and the
// facts of its event stream. nodes is all names in the order of ha.cf; members
// that are not among them come last.
func describe(s core.Snapshot, f facts, nodes []string) Status {
	st := Status{
		Protocol: protocol, Time: wall(s.Now), Cluster: s.Cluster, Node: s.Self, Version: s.Version,
		Generation: s.Generation, UUID: s.UUID, Started: wall(s.Started), State: s.State,
		Keepalive: Seconds(s.Keepalive), Warntime: Seconds(s.Warntime), Deadtime: Seconds(s.Deadtime),
		Hold: s.Takeover.Hold, Stable: s.Takeover.Stable, Activity: s.Takeover.Activity,
		StandbySince: wall(s.Takeover.Standby), SplitBrain: f.split,
		Permission: permitted(s), Readiness: append([]Check{}, f.checks...), Pending: f.pending,
		Links: []Link{}, Nodes: []Member{}, Groups: []Group{}, Takeovers: []Takeover{},
	}
	if l := s.Lease; l.Length > 0 {
		st.Lease = &Lease{Length: Seconds(l.Length), Weaker: l.Weaker, Unrenewed: l.Unrenewed}
	}
	for _, name := range s.Links {
		m := f.media[name]
		st.Links = append(st.Links, Link{Link: name, Medium: m.kind, Open: m.open, Error: m.reason})
	}
	st.Nodes = append(st.Nodes, self(s))
	for _, v := range s.Members {
		st.Nodes = append(st.Nodes, member(s, f, v))
	}
	slices.SortStableFunc(st.Nodes, func(a, b Member) int { return place(nodes, a.Node) - place(nodes, b.Node) })
	for _, v := range s.Takeover.Groups {
		st.Groups = append(st.Groups, group(v))
	}
	st.Takeovers = append(st.Takeovers, f.takeovers...)
	return st
}

func place(nodes []string, name string) int {
	if i := slices.Index(nodes, name); i >= 0 {
		return i
	}
	return len(nodes)
}

func self(s core.Snapshot) Member {
	m := Member{
		Node: s.Self, Self: true, Type: Normal, State: s.State, Heard: true, Generation: s.Generation,
		Wire: "systole", Version: s.Version, Links: []MemberLink{},
	}
	for i, name := range s.Links {
		m.Links = append(m.Links, MemberLink{Link: name, Up: i < len(s.OwnLinks) && s.OwnLinks[i]})
	}
	return m
}

func member(s core.Snapshot, f facts, v membership.View) Member {
	id := f.peers[v.Name]
	m := Member{
		Node: v.Name, Type: Normal, State: v.State, Heard: v.Heard, LastHeard: wall(v.LastHeard),
		Deadtime: Seconds(v.Deadtime), Generation: v.Generation,
		Wire: id.wire, Version: id.version, AutoFailback: id.autoFailback, ConfigDrift: id.drift,
		Links: []MemberLink{},
	}
	if v.Ping {
		m.Type = Ping
		if v.State == membership.Ping {
			m.RoundTrip = f.roundTrips[route{node: v.Name}]
		}
	}
	m.Silence = silence(s.Now, v.LastHeard)
	m.Margin = margin(s, v)
	m.Recent = f.recently(route{node: v.Name}, s.Now, goesOn(m.Silence, m.Margin != nil), v.Deadtime)
	for _, l := range v.Links {
		ml := MemberLink{Link: l.Link, Up: l.Up, Silence: silence(s.Now, l.LastHeard)}
		if l.Up {
			ml.RoundTrip = f.roundTrips[route{v.Name, l.Link}]
		}
		ml.Recent = f.recently(route{v.Name, l.Link}, s.Now, goesOn(ml.Silence, l.Up), v.Deadtime)
		m.Links = append(m.Links, ml)
	}
	return m
}

// silence is none for who was never heard. A message can have arrived after the
// instant of the snapshot and before it was taken.
func silence(now, last time.Time) *Seconds {
	if last.IsZero() {
		return nil
	}
	s := Seconds(max(0, now.Sub(last)))
	return &s
}

// goesOn is a silence that can still come to the deadtime.
func goesOn(s *Seconds, alive bool) *Seconds {
	if !alive {
		return nil
	}
	return s
}

// margin is what is left until a node is declared dead: counted from the start
// of the daemon for one that was never heard, none for one that is dead, or
// gone after saying goodbye.
func margin(s core.Snapshot, v membership.View) *Seconds {
	last := v.LastHeard
	switch {
	case v.State == membership.Dead, v.State == membership.Unknown && v.Heard:
		return nil
	case !v.Heard:
		last = s.Started
	}
	m := Seconds(v.Deadtime - max(0, s.Now.Sub(last)))
	if !v.Heard && m < 0 {
		return nil // given up
	}
	return &m
}

func group(v takeover.GroupView) Group {
	g := Group{
		Group: v.Key, Preferred: v.Preferred, State: v.State, Holders: strings.Fields(v.Holder),
		Since: wall(v.Since), Failure: v.Failure, Cut: v.Cut, Resources: []Resource{},
	}
	for i, name := range v.Resources {
		g.Resources = append(g.Resources, Resource{Resource: name, Driver: v.Drivers[i]})
	}
	return g
}

// wall is an instant for people: to the millisecond, without the monotonic
// part.
func wall(t time.Time) time.Time { return t.Truncate(time.Millisecond) }
