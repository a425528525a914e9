package config

import "time"

// leaseSlack is how long after its lifetime the kernel may still have an
// address, and two machines' clocks may differ by over one deadtime. Addresses
// of one second were seen to go 1.01 to 1.16 s after their last renewal.
const leaseSlack = 250 * time.Millisecond

// Lease is how long the kernel keeps an address that is not renewed: the whole
// seconds that are over, on a node that stands still, before its peer takes the
// address. The node was heard last no earlier than one keepalive before it last
// renewed the lease, and its peer waits deadtime from then. 0 where there are
// no such seconds, or none are wanted.
func (c *Config) Lease() time.Duration {
	if !c.Leases {
		return 0
	}
	return max(0, (c.Deadtime - c.Keepalive - leaseSlack).Truncate(time.Second))
}
