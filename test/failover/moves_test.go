package failover

import (
	"strings"
	"testing"
	"time"

	"github.com/systole-ha/systole/test/cluster"
	"github.com/systole-ha/systole/test/lab"
)

// TestPlannedMoves moves a group twenty times in a row, in every way there is
// to ask for it.
func TestPlannedMoves(t *testing.T) {
	for _, tt := range []struct {
		name  string
		group string
		nginx bool          // runs on both nodes from the beginning
		most  time.Duration // of the median outage
	}{
		{name: "an address alone", group: "alpha IPaddr::192.0.2.50/24/eth0", nginx: true, most: 20 * time.Millisecond},
		{name: "an address and nginx", group: "alpha IPaddr::192.0.2.50/24/eth0 nginx", most: 300 * time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPair(t, clusterFiles(fast, tt.group, "auto_failback on"))
			p.eachNginx(tt.nginx)
			p.started(virtual)
			began := time.Now()
			var outages []time.Duration
			for range 2 {
				for _, m := range p.everyWay() {
					outages = append(outages, p.move(m))
				}
			}
			t.Logf("median outage of %d moves: %v", len(outages), round(median(outages)))
			if got := median(outages); got > tt.most {
				t.Errorf("median outage %v, want %v at most", round(got), tt.most)
			}
			p.neverTwo(virtual)
			for _, n := range p.nodes() {
				p.none(n, began, "peer.dead", "takeover.failed", "resource.failed", "split_brain.suspected", "move.refused")
			}
		})
	}
}

// A way to move a group.
type way struct {
	on      *lab.Node // where it is asked for
	command []string
	to      *lab.Node // where the group goes
}

// everyWay begins and ends with the group on alpha, whose it is.
func (p *pair) everyWay() []way {
	alpha, beta := p.alpha, p.beta
	return []way{
		{alpha, []string{"hb_standby", "all"}, beta},
		{beta, []string{"hb_standby", "all"}, alpha},
		{alpha, []string{"hb_standby", "local"}, beta},
		{beta, []string{"hb_standby", "foreign"}, alpha},
		{beta, []string{"hb_takeover", "all"}, beta},
		{alpha, []string{"hb_takeover", "all"}, alpha},
		{beta, []string{"hb_takeover", "foreign"}, beta},
		{alpha, []string{"hb_takeover", "local"}, alpha},
		{alpha, []string{"systemctl", "stop", cluster.Unit}, beta},
		{alpha, []string{"systemctl", "start", cluster.Unit}, alpha}, // failback
	}
}

// move moves a group and gives the client's outage.
func (p *pair) move(w way) time.Duration {
	p.t.Helper()
	probe := p.probe("http://192.0.2.50/")
	p.answered(probe, p.other(w.to))
	asked := time.Now()
	p.run(w.on, w.command[0], w.command[1:]...)
	there := p.held(virtual, w.to)
	p.answered(probe, w.to)
	gap := p.stop(probe).Longest()
	p.settled()
	p.t.Logf("%-30s %-14s there after %v; %v, prober late by %v",
		strings.Join(w.command, " "), "on "+w.on.Name(), round(there.Sub(asked)), gap, round(gap.Late))
	return gap.Length() - gap.Late
}
