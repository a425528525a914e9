package failover

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/systole-ha/systole/test/cluster"
	"github.com/systole-ha/systole/test/lab"
)

// gated is a deadtime that leaves no whole second for the lifetime of an
// address.
var gated = cluster.Timing{Keepalive: 100 * time.Millisecond, Deadtime: 500 * time.Millisecond, Initdead: 4 * time.Second}

// TestGate makes the node that serves stand still at such a deadtime. Its
// kernel has the address for a second, beside the node that takes it; but only
// one of the two is ever heard of: not by who asks both, by ARP, nor by who
// asks for the page.
func TestGate(t *testing.T) {
	for _, tt := range standstills {
		t.Run(tt.name, func(t *testing.T) {
			p := newPair(t, clusterFiles(gated, "alpha IPaddr::192.0.2.50/24/eth0", "auto_failback off", "realtime on"))
			p.eachNginx(true)
			p.started(virtual)
			p.settled()
			neighbour, page := p.probe("arp://192.0.2.50"), p.probe("http://192.0.2.50/")
			p.answered(neighbour)
			p.answered(page, p.alpha)
			began := time.Now()
			must(t, tt.strike(p))
			taken := p.held(virtual, p.beta)
			p.answered(page, p.beta)
			p.answered(neighbour)
			must(t, tt.undo(p))
			if tt.lapses {
				e := p.entry(p.alpha, began, "lease.lapsed")
				t.Logf("alpha stood still for %v, its lease is %v", round(e.Seconds("stood")), round(e.Seconds("lease")))
			}
			p.settled()
			gap := p.stop(page).Longest()
			t.Logf("taken %v after the strike; the client's longest gap: %v", round(taken.Sub(began)), gap)
			if most := gated.Deadtime + 100*time.Millisecond; gap.Length()-gap.Late > most {
				t.Errorf("the client was without an answer for %v, want %v at most", gap, most)
			}
			p.oneAtATime(p.stop(neighbour))
			p.hold(p.beta, "all")
			p.hold(p.alpha, "none")
		})
	}
}

// oneAtATime wants answers by alpha up to an instant, and then by beta.
func (p *pair) oneAtATime(r lab.Result) {
	p.t.Helper()
	alpha, beta := p.mac(p.alpha), p.mac(p.beta)
	var last, first lab.Sample // by alpha, by beta
	for _, s := range r.Samples {
		switch {
		case s.Err != "":
		case strings.Contains(s.Who, "+"):
			p.t.Errorf("both answered a question of %v: %s", s.Asked, s.Who)
		case s.Who == alpha && s.Done.After(last.Done):
			last = s
		case s.Who == beta && (first.Done.IsZero() || s.Done.Before(first.Done)):
			first = s
		case !slices.Contains([]string{alpha, beta}, s.Who):
			p.t.Errorf("%s answered", s.Who)
		}
	}
	between := first.Done.Sub(last.Done)
	p.t.Logf("%v from the last answer by alpha to the first by beta", round(between))
	if first.Done.IsZero() || last.Done.IsZero() || between < 0 {
		p.t.Errorf("alpha answered until %v, beta from %v on", last.Done, first.Done)
	}
}

// mac is a node's hardware address on the network of the clients.
func (p *pair) mac(n *lab.Node) string {
	p.t.Helper()
	return p.run(n, "cat", "/sys/class/net/eth0/address")
}
