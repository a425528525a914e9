package failover

import (
	"testing"
	"time"

	"github.com/systole-ha/systole/test/cluster"
	"github.com/systole-ha/systole/test/lab"
)

// TestPingNode takes the way to the ping node from the node that serves, and
// nothing else: the other reaches more, and gets the address.
func TestPingNode(t *testing.T) {
	timing := cluster.Timing{Keepalive: 200 * time.Millisecond, Deadtime: 2 * time.Second, Initdead: 5 * time.Second}
	p := newPair(t, clusterFiles(timing, "alpha IPaddr::192.0.2.50/24/eth0", "auto_failback off",
		"ping 192.0.2.100", "deadping 1", "respawn hacluster /usr/lib/heartbeat/ipfail"))
	p.started(virtual)
	p.settled()
	p.says(p.alpha, "ping", "nodestatus", "192.0.2.100")
	p.says(p.beta, "ping", "nodestatus", "192.0.2.100")
	began := time.Now()
	must(t, p.lab.Part(lab.Service, "client", p.alpha.Name()))
	taken := p.held(virtual, p.beta)
	counted := p.entry(p.alpha, began, "pings.compared")
	if counted.Number("ours") != 0 || counted.Number("theirs") != 1 {
		t.Errorf("alpha compared %d and %d ping nodes, want 0 and 1", counted.Number("ours"), counted.Number("theirs"))
	}
	p.entry(p.beta, began, "takeover.completed", "trigger", "ping")
	t.Logf("missed %v after the cut, taken %v after it", round(counted.At.Sub(began)), round(taken.Sub(began)))
	must(t, p.lab.Join(lab.Service, "client", p.alpha.Name()))
	p.entry(p.alpha, taken, "pings.compared", "ours", "1")
	p.neverTwo(virtual)
	p.none(p.alpha, taken, "takeover.started")
}
