package observe

import (
	"net/netip"
	"strings"
	"time"

	"github.com/systole-ha/systole/test/cluster"
	"github.com/systole-ha/systole/test/lab"
)

var virtual = netip.MustParseAddr("192.0.2.50")

const (
	address = "IPaddr::192.0.2.50/24/eth0"
	secret  = "not-a-secret"
)

var (
	// fast is the timing of the figures that are claimed.
	fast = cluster.Timing{Keepalive: 100 * time.Millisecond, Deadtime: 500 * time.Millisecond, Initdead: 3 * time.Second}
	// calm is for tests that share the machine with others: nobody may be late
	// because of them.
	calm = cluster.Timing{Keepalive: 200 * time.Millisecond, Deadtime: 2 * time.Second, Initdead: 5 * time.Second}
	// patient is for a daemon that is killed, and back before it is missed.
	patient = cluster.Timing{Keepalive: 200 * time.Millisecond, Deadtime: 3 * time.Second, Initdead: 5 * time.Second}
)

// files are a cluster's called web, with two links.
func files(t cluster.Timing, groups []string, more ...string) lab.Files {
	return lab.Files{
		"ha.cf":        cluster.HaCf(t, "bcast eth0 eth1", more...),
		"haresources":  strings.Join(groups, "\n") + "\n",
		"authkeys":     "auth 1\n1 sha1 " + secret + "\n",
		"systole.yaml": "cluster: web\n",
	}
}
