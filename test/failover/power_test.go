package failover

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/systole-ha/systole/agent/control"
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
// client how long it was without an answer, and the daemon what it thinks.
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
			var client, daemon, apart, services []time.Duration
			for i, serves := range []*lab.Node{p.alpha, p.beta, p.alpha, p.beta, p.alpha} {
				o := p.losePower(serves)
				t.Logf("%d: %s", i+1, o)
				client, daemon, apart = append(client, o.client), append(daemon, o.daemon), append(apart, o.apart())
				services = append(services, o.services())
				must(t, serves.Boot(within(t, time.Minute)))
				if tt.nginx {
					must(t, serves.Start(soon(t), "nginx"))
				}
				p.start(serves)
				p.settled()
			}
			t.Logf("median outage: %v by the client, %v by the daemon; %v apart since the last answer",
				round(median(client)), round(median(daemon)), round(median(apart)))
			if got := median(client); got > tt.most {
				t.Errorf("median outage %v, want %v at most", round(got), tt.most)
			}
			// The daemon cannot know when the power went, and promises an upper
			// bound. Beyond the client's last answer the two should agree, but
			// nginx may answer at any time between the start of its process and
			// systemd's word that the start is done, or, not being in real time, a
			// little after it.
			if median(daemon) < median(client) {
				t.Errorf("the client was without an answer for %v, but the daemon says at most %v", median(client), median(daemon))
			}
			const little = 20 * time.Millisecond
			if got := median(apart); got < -little || got > little+median(services) {
				t.Errorf("client and daemon are %v apart since the client's last answer", round(got))
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
	daemon time.Duration // what it says a client missed at most: since the last heartbeat of the dead node
	before time.Duration // of that, before the client's last answer
	phases []control.Phase
}

// apart is by how much more than the client the daemon counts since that answer:
// its takeover ends so much later than the client's outage.
func (o outage) apart() time.Duration { return o.daemon - o.before - o.client }

// services is how long the takeover waited for units to start.
func (o outage) services() time.Duration {
	var sum time.Duration
	for _, p := range o.phases {
		if p.Phase == "services" || p.Phase == "verify" {
			sum += time.Duration(p.Took)
		}
	}
	return sum
}

func (o outage) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "client %v (prober late by %v); daemon %v, of that %v before the client's last answer; %v apart;",
		round(o.client), round(o.late), round(o.daemon), round(o.before), round(o.apart()))
	for _, p := range o.phases {
		fmt.Fprintf(&b, " %s %v", p.Phase, round(time.Duration(p.Took)))
	}
	return b.String()
}

// losePower cuts the power of the node that serves and measures until the other
// does.
func (p *pair) losePower(serves *lab.Node) outage {
	p.t.Helper()
	takes := p.other(serves)
	probe := p.probe("http://192.0.2.50/")
	p.answered(probe, serves)
	off := p.powerOff(serves)
	p.answered(probe, takes)
	p.hold(takes, "all")
	gap := p.stop(probe).Longest()
	if gap.Before != serves.Name() || gap.After != takes.Name() {
		p.t.Errorf("the longest gap is %v, want it between %s and %s", gap, serves, takes)
	}
	last := p.lastTakeover(takes)
	heard, err := time.Parse(time.RFC3339, p.entry(takes, off, "peer.dead").Get("last_heard"))
	must(p.t, err)
	o := outage{
		client: gap.Length() - gap.Late, late: gap.Late,
		daemon: time.Duration(last.Outage), before: gap.From.Sub(heard), phases: last.Phases,
	}
	return o
}
