package config

import (
	"fmt"
	"time"

	"github.com/systole-ha/systole/agent/permission"
)

// A Lease says by what addresses are held, so that a node that stands still
// loses them.
type Lease string

// The values of leases in systole.yaml.
const (
	LeaseOn      Lease = "on"      // the address's lifetime, and the gate where deadtime is too short for that
	LeaseAddress Lease = "address" // the address's lifetime alone
	LeaseGate    Lease = "gate"    // both, whatever deadtime is; without the gate no address is taken
	LeaseOff     Lease = "off"     // for good, as Heartbeat does
)

func setLease(field *Lease, v string) error {
	switch l := Lease(v); l {
	case LeaseAddress, LeaseGate:
		*field = l
		return nil
	}
	on, err := ParseBool(v)
	if err != nil {
		return fmt.Errorf("%s is none of on, off, address, gate", printable(v))
	}
	*field = map[bool]Lease{true: LeaseOn, false: LeaseOff}[on]
	return nil
}

// lifetimeSlack is how long after its lifetime the kernel may still have an
// address, and two machines' clocks may differ by over one deadtime. Addresses
// of one second were seen to go 1.01 to 1.16 s after their last renewal.
const lifetimeSlack = 250 * time.Millisecond

// gateSlack is how long the kernel may take to come to a renewal that the loop
// has reckoned with the time of. A process in real time was seen to lose its
// turn for 13 ms at most. The gate shuts no later than it was told to, and two
// clocks do not differ by a tenth of a millisecond over a second.
const gateSlack = 20 * time.Millisecond

// safeLifetime is how long an address that is not renewed may live so that it
// has gone, on a node that stands still, before its peer takes it: whole
// seconds, as the kernel has them; 0 where there are none. The node was heard
// last no earlier than one keepalive before it last renewed, and its peer waits
// deadtime from then. Where a renewal needs evidence, that is older.
func (c *Config) safeLifetime() time.Duration {
	if c.Permission.Judges() {
		return permission.MaxLease(c.Deadtime, c.Keepalive, lifetimeSlack).Truncate(time.Second)
	}
	return max(0, (c.Deadtime - c.Keepalive - lifetimeSlack).Truncate(time.Second))
}

// Lifetime is how long the kernel keeps an address that is not renewed; 0 for
// good. Where deadtime leaves no whole second it is one all the same: what
// stands still has then lost its addresses soon after its peer takes them.
func (c *Config) Lifetime() time.Duration {
	lifetime := max(c.safeLifetime(), time.Second)
	if c.Leases == LeaseOff || !c.bears(lifetime) {
		return 0
	}
	return lifetime
}

// Gate is how long traffic of an address passes that is not renewed; 0 for no
// gate. It leaves room for one lost heartbeat, where deadtime is four
// keepalives or more: a node that stands still after it was heard last two
// keepalives before it renewed.
func (c *Config) Gate() time.Duration {
	if c.Leases != LeaseGate && (c.Leases != LeaseOn || c.safeLifetime() > 0) {
		return 0
	}
	length := c.Deadtime - c.Keepalive - gateSlack
	switch {
	case c.Permission.Judges():
		length = permission.MaxLease(c.Deadtime, c.Keepalive, gateSlack)
	case c.Deadtime >= 4*c.Keepalive:
		length -= c.Keepalive
	}
	length = length.Truncate(time.Millisecond)
	if !c.bears(length) {
		return 0
	}
	return length
}

// bears reports whether a lease of this length outlasts a heartbeat that is
// late by half a keepalive, and by 20 ms at least.
func (c *Config) bears(length time.Duration) bool {
	return length >= c.Keepalive+max(c.Keepalive/2, gateSlack)
}

// Lease is how long a node may stand still and keep its addresses, so that it
// has lost them before its peer takes them; 0 where they may be on both.
func (c *Config) Lease() time.Duration {
	if gate := c.Gate(); gate > 0 {
		return gate
	}
	return min(c.Lifetime(), c.safeLifetime())
}

// Slack is what two clocks may differ by over one deadtime, and how late the
// kernel may be in ending the leases that there are.
func (c *Config) Slack() time.Duration {
	if c.Gate() > 0 {
		return gateSlack
	}
	return min(lifetimeSlack, c.Deadtime/4)
}
