package failover

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/systole-ha/systole/test/cluster"
	"github.com/systole-ha/systole/test/lab"
)

var virtual = netip.MustParseAddr("192.0.2.50")

// fast is the timing of the figures that are claimed.
var fast = cluster.Timing{Keepalive: 100 * time.Millisecond, Deadtime: 500 * time.Millisecond, Initdead: 3 * time.Second}

// clusterFiles are a cluster's with one group, and two links unless other media
// are given.
func clusterFiles(t cluster.Timing, group string, more ...string) lab.Files {
	return lab.Files{
		"ha.cf":       cluster.HaCf(t, "bcast eth0 eth1", more...),
		"haresources": group + "\n",
		"authkeys":    "auth 1\n1 sha1 not-a-secret\n",
	}
}

// TestPowerLoss cuts the power of the node that serves, five times, and asks a
// client how long it was without an answer.
func TestPowerLoss(t *testing.T) {
	for _, tt := range []struct {
		name  string
		group string
		nginx bool          // runs on both nodes from the beginning
		most  time.Duration // of the median outage
	}{
		{
			name: "nginx started at takeover", group: "alpha IPaddr::192.0.2.50/24/eth0 nginx",
			most: 650 * time.Millisecond,
		},
		{
			// Deadtime runs from the last heartbeat, which the client saw answered.
			name: "an address alone", group: "alpha IPaddr::192.0.2.50/24/eth0", nginx: true,
			most: fast.Deadtime + 30*time.Millisecond,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPair(t, clusterFiles(fast, tt.group, "auto_failback off"))
			p.eachNginx(tt.nginx)
			p.started(virtual)
			var client, daemon []time.Duration
			for i, serves := range []*lab.Node{p.alpha, p.beta, p.alpha, p.beta, p.alpha} {
				o := p.losePower(serves)
				t.Logf("%d: %s", i+1, o)
				client, daemon = append(client, o.client), append(daemon, o.daemon)
				must(t, serves.Boot(within(t, time.Minute)))
				if tt.nginx {
					must(t, serves.Start(soon(t), "nginx"))
				}
				p.start(serves)
				p.settled()
			}
			t.Logf("median outage: %v by the client, %v by the daemon", round(median(client)), round(median(daemon)))
			if got := median(client); got > tt.most {
				t.Errorf("median outage %v, want %v at most", round(got), tt.most)
			}
			p.neverTwo(virtual)
		})
	}
}

// An outage is a takeover as the client and as the daemon that took over saw
// it.
type outage struct {
	client time.Duration // the longest gap between answers, less the prober's own lateness
	late   time.Duration // that lateness
	daemon time.Duration // from the last heartbeat of the dead node to the end of the takeover
	ends   time.Duration // from the client's first answer to the end of the takeover
	phases string
}

func (o outage) String() string {
	return fmt.Sprintf("client %v (prober late by %v), daemon %v, which is %v more; took %s",
		round(o.client), round(o.late), round(o.daemon), round(o.daemon-o.client), o.phases)
}

// losePower cuts the power of the node that serves and measures until the other
// does.
func (p *pair) losePower(serves *lab.Node) outage {
	p.t.Helper()
	takes := p.other(serves)
	probe := p.probe("http://192.0.2.50/")
	p.answered(probe, serves)
	p.powerOff(serves)
	p.answered(probe, takes)
	p.hold(takes, "all")
	gap := p.stop(probe).Longest()
	if gap.Before != serves.Name() || gap.After != takes.Name() {
		p.t.Errorf("the longest gap is %v, want it between %s and %s", gap, serves, takes)
	}
	o := outage{client: gap.Length() - gap.Late, late: gap.Late}
	last := p.lastTakeover(takes)
	o.daemon = time.Duration(last.Outage)
	for _, phase := range last.Phases {
		o.phases += fmt.Sprintf(" %s %v", phase.Phase, round(time.Duration(phase.Took)))
	}
	// What the daemon says is an upper bound of what a client noticed: it counts
	// from the last heartbeat of the dead node to the last look at a resource.
	// More than a keepalive of its own lateness above it is no bound, but wrong.
	if o.daemon < o.client-5*time.Millisecond {
		p.t.Errorf("the client was without an answer for %v, but the daemon says at most %v", o.client, o.daemon)
	}
	if o.daemon > gap.Length()+fast.Keepalive+50*time.Millisecond {
		p.t.Errorf("the client was without an answer for %v, but the daemon says %v", o.client, o.daemon)
	}
	return o
}
