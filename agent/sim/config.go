package sim

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/systole-ha/systole/agent/core"
	"github.com/systole-ha/systole/agent/membership"
	"github.com/systole-ha/systole/agent/permission"
)

// slack is more than the kernels of this world are late.
const slack = 50 * time.Millisecond

// config is what the core of a node is given at its nth start.
func (w *World) config(n *Node) core.Config {
	cfg := core.Config{
		Cluster: "sim", Version: "sim", Groups: w.Cluster.Groups, AutoFailback: w.Cluster.AutoFailback,
		Generation: n.generation, TTL: 1 + len(w.Cluster.Nodes),
		ConfigHash: "c0", ResourcesHash: "r0", Seed: w.Random.Uint64(),
		Members: membership.Config{
			Self: n.Name, Links: w.Cluster.Links, Keepalive: w.Cluster.Keepalive,
			Warntime: w.Cluster.Deadtime / 2, Deadtime: w.Cluster.Deadtime, Initdead: w.Cluster.Initdead,
		},
	}
	cfg.Members.PingNodes, cfg.Members.Deadping, cfg.Pings = w.Cluster.Pings, w.Cluster.Deadtime, len(w.Cluster.Pings) > 0
	c := w.Cluster
	cfg.Permission = permission.Config{
		Policy: c.Policy, Deadtime: c.Deadtime, Initdead: c.Initdead, Keepalive: c.Keepalive, Lease: c.Lease, Slack: slack,
		Voters: c.Arbiters, Length: permission.VoteLength(c.Deadtime, c.Lease), First: n == w.Nodes[0],
	}
	copy(cfg.UUID[:], n.Name)
	binary.BigEndian.PutUint64(cfg.IncidentSeed[:8], w.Random.Uint64())
	for _, name := range w.Cluster.Nodes {
		if name != n.Name {
			cfg.Members.Peers = append(cfg.Members.Peers, name)
		}
	}
	// A memory of one that has been away for longer than its peer waits is none.
	if n.memory != nil && w.Now.Sub(n.beaten) < w.Cluster.Deadtime {
		left := *n.memory
		left.Standby = left.Standby.Round(0) // a file has no other clock than that of the wall
		left.Groups = slices.Clone(left.Groups)
		for i := range left.Groups {
			left.Groups[i].Since = left.Groups[i].Since.Round(0)
		}
		cfg.Memory = &left
	}
	if w.Cluster.Configure != nil {
		w.Cluster.Configure(n, &cfg)
	}
	return cfg
}
