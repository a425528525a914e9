package controltest

import (
	"time"

	"github.com/systole-ha/systole/agent/core"
	"github.com/systole-ha/systole/agent/membership"
	"github.com/systole-ha/systole/agent/takeover"
)

// Now is the instant of every snapshot made here.
var Now = time.Date(2026, 11, 21, 20, 38, 13, 0, time.UTC)

// Pair is alpha as it sees beta: both up, each holding its own group, two links
// and a ping node.
func Pair() core.Snapshot {
	ago := func(d time.Duration) time.Time { return Now.Add(-d) }
	return core.Snapshot{
		Now: Now, Started: ago(2 * time.Hour), Cluster: "web", Self: "alpha", Version: "0.1.0",
		Generation: 42, UUID: "5b0bd4e5-1e4c-4c5f-8a52-3f6b4e0a9d11", State: membership.Active,
		Keepalive: time.Second, Warntime: 5 * time.Second, Deadtime: 10 * time.Second,
		Links: []string{"eth0", "eth1"}, OwnLinks: []bool{true, true},
		Members: []membership.View{
			{
				Name: "beta", State: membership.Active, Heard: true, LastHeard: ago(400 * time.Millisecond),
				Deadtime: 10 * time.Second, Generation: 17,
				Links: []membership.LinkView{
					{Link: "eth0", Up: true, LastHeard: ago(400 * time.Millisecond)},
					{Link: "eth1", Up: true, LastHeard: ago(400 * time.Millisecond)},
				},
			},
			{
				Name: "192.0.2.1", Ping: true, State: membership.Ping, Heard: true,
				LastHeard: ago(700 * time.Millisecond), Deadtime: 10 * time.Second,
			},
		},
		Takeover: takeover.View{
			Hold: "local", Stable: true,
			Peer: takeover.PeerView{Told: true, Stable: true, Systole: true},
			Groups: []takeover.GroupView{
				{
					Key: "IPaddr::192.0.2.10/24/eth0", Preferred: "alpha",
					Resources: []string{"IPaddr::192.0.2.10/24/eth0", "nginx"}, Drivers: []string{"ipaddr", "systemd"},
					State: "running", Holder: "alpha", Since: ago(2 * time.Hour),
				},
				{
					Key: "192.0.2.20", Preferred: "beta",
					Resources: []string{"192.0.2.20"}, Drivers: []string{"ipaddr"},
					State: "stopped", Holder: "beta",
				},
			},
		},
	}
}

// PairNodes is the nodes of a Pair in the order of ha.cf.
func PairNodes() []string { return []string{"alpha", "beta", "192.0.2.1"} }
