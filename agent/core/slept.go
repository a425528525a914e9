package core

import (
	"time"

	"github.com/systole-ha/systole/agent/event"
)

// slept takes in that this machine was suspended. Its clock has not counted
// that, the peer's has: once it is more than the deadtime less a keepalive, in
// which the peer may have heard us last, the peer may have everything.
func (c *Core) slept(now time.Time, long time.Duration) {
	missed := len(c.cfg.Members.Peers) > 0 && long >= c.cfg.Members.Deadtime-c.cfg.Members.Keepalive
	c.members.Slept()
	if missed || long >= time.Second {
		c.emit(event.NodeSuspended{Slept: long, Missed: missed})
	}
	if missed {
		c.follow(c.takeover.Slept(now))
	}
}
