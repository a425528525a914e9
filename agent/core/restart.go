package core

import "time"

// restart says a last word, by which the peer knows that the silence that
// begins is meant to end, and ends the daemon. The leases are renewed once
// more before that leaves, as before every heartbeat. The peer waits its
// deadtime all the same: whoever does not come back must be missed.
func (c *Core) restart(now time.Time) {
	c.ending = true
	c.beat(now)
	c.out.Left = true
}

// introduce sends a heartbeat as soon as a link can be used for the first time:
// what was sent before that has gone nowhere, and a keepalive is long for a
// peer that counts the silence of a node that restarts.
func (c *Core) introduce(now time.Time, in LinkState) {
	if in.Usable && !in.Closed && !c.opened[in.Link] && c.farewell == 0 {
		c.opened[in.Link] = true
		c.beat(now)
	}
}
