// Package failover is what two systole nodes do for a client, seen from
// outside: whole systemd nodes in the lab, their power cut, their cables cut,
// their services broken, a rival daemon beside them. Its tests ask the kernels
// who holds an address, and a prober what a client misses.
package failover
