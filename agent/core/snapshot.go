package core

import (
	"time"

	"github.com/systole-ha/systole/agent/membership"
	"github.com/systole-ha/systole/agent/permission"
	"github.com/systole-ha/systole/agent/takeover"
)

// A Snapshot is everything there is to see of a node at one instant.
type Snapshot struct {
	Now        time.Time
	Started    time.Time
	Cluster    string
	Self       string
	Version    string
	Generation uint64
	UUID       string
	State      string // init, up, active
	Keepalive  time.Duration
	Warntime   time.Duration
	Deadtime   time.Duration
	Links      []string
	OwnLinks   []bool // whether our own messages come back on each, or ever did
	Members    []membership.View
	Takeover   takeover.View
	Permission permission.View
	Peers      []PeerView // in the order configured
	Lease      LeaseView  // of the shell: a core does not know of it
}

// A LeaseView is by what the addresses of this node are held.
type LeaseView struct {
	Length    time.Duration // how long the node may stand still; 0 where they are held for good
	Weaker    bool          // than is wanted: the gate cannot be had
	Unrenewed bool          // the last renewal failed, of some at least
}

// A PeerView is what the core itself keeps of a peer.
type PeerView struct {
	Name        string
	Says        []string      // files whose hash it has told
	Differ      []string      // those of them that are not like ours
	Offset      time.Duration // its wall clock less ours, by the newest sample
	OffsetError time.Duration // how far that can be off; 0 where there is none
	Skewed      bool          // its clock was last judged to differ from ours
}

// Takeover looks at what is held only.
func (c *Core) Takeover() takeover.View { return c.takeover.View() }

// Snapshot looks at everything at the instant now, and changes nothing.
func (c *Core) Snapshot(now time.Time) Snapshot {
	s := Snapshot{
		Now: now, Started: c.start, Cluster: c.cfg.Cluster, Self: c.cfg.Members.Self, Version: c.cfg.Version,
		Generation: c.cfg.Generation, UUID: c.uuid(), State: c.status,
		Keepalive: c.cfg.Members.Keepalive, Warntime: c.cfg.Members.Warntime, Deadtime: c.cfg.Members.Deadtime,
		Members: c.members.View(), Takeover: c.takeover.View(),
		Permission: c.permission.View(now),
	}
	for i, name := range c.cfg.Members.Links {
		if !c.unused[i] {
			s.Links = append(s.Links, name)
			s.OwnLinks = append(s.OwnLinks, !c.own[i].IsZero())
		}
	}
	for _, name := range c.cfg.Members.Peers {
		s.Peers = append(s.Peers, c.peers[name].view(c.files))
	}
	for m := range s.Members {
		view := &s.Members[m]
		used := view.Links[:0]
		for i, l := range view.Links {
			if !c.unused[i] {
				used = append(used, l)
			}
		}
		view.Links = used
	}
	return s
}

func (p *peer) view(files []file) PeerView {
	v := PeerView{Name: p.name, Offset: p.clock.offset, OffsetError: p.clock.bound, Skewed: p.clock.skewed}
	for _, f := range files {
		theirs := p.drift[f.name]
		if theirs == "" {
			continue
		}
		v.Says = append(v.Says, f.name)
		if theirs != f.ours {
			v.Differ = append(v.Differ, f.name)
		}
	}
	return v
}
