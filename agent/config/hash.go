package config

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
)

// clusterHash is a fingerprint of what ha.cf must say alike on both nodes, no
// matter how it is written: who they are, the timers and the failback policy.
func (c *Config) clusterHash() uint64 {
	return hash48(func(w io.Writer) {
		nodes := slices.Clone(c.Nodes)
		slices.Sort(nodes)
		for _, n := range nodes {
			fmt.Fprintf(w, "node %q\n", n)
		}
		fmt.Fprintf(w, "keepalive %d\n", c.Keepalive.Milliseconds())
		fmt.Fprintf(w, "warntime %d\n", c.Warntime.Milliseconds())
		fmt.Fprintf(w, "deadtime %d\n", c.Deadtime.Milliseconds())
		fmt.Fprintf(w, "initdead %d\n", c.Initdead.Milliseconds())
		fmt.Fprintf(w, "deadping %d\n", c.Deadping.Milliseconds())
		fmt.Fprintf(w, "auto_failback %t\n", c.AutoFailback)
		if c.Permission.Judges() {
			fmt.Fprintf(w, "permission %s %v\n", c.Permission, c.Leases)
			for _, a := range c.Arbiters {
				fmt.Fprintf(w, "arbiter %s\n", a.Kind)
			}
		}
	})
}

// resourcesHash is the same for haresources: groups and resources in order,
// less comments, blanks and joined lines.
func (c *Config) resourcesHash() uint64 {
	return hash48(func(w io.Writer) {
		for _, g := range c.Groups {
			fmt.Fprintf(w, "group %q\n", g.Preferred)
			for _, s := range g.Resources {
				fmt.Fprintf(w, "resource %q\n", s.String())
			}
		}
	})
}

// hash48 is the first 48 bits of the SHA-256 of what is written: few enough to
// be exact in the float64 of a metric, and enough to tell two files apart.
func hash48(write func(io.Writer)) uint64 {
	h := sha256.New()
	write(h)
	return binary.BigEndian.Uint64(h.Sum(nil)) >> 16
}
