package core

import (
	"time"

	"github.com/systole-ha/systole/agent/membership"
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
	}
	for i, name := range c.cfg.Members.Links {
		if !c.unused[i] {
			s.Links = append(s.Links, name)
			s.OwnLinks = append(s.OwnLinks, !c.own[i].IsZero())
		}
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
