package failover

import (
	"testing"
	"time"

	"github.com/systole-ha/systole/test/cluster"
)

// leasing is the shortest deadtime with a lease: one second of it.
var leasing = cluster.Timing{Keepalive: 200 * time.Millisecond, Deadtime: 1500 * time.Millisecond, Initdead: 4 * time.Second}

// A standstill is what a node does that goes silent with its kernel and its
// network alive.
type standstill struct {
	name   string
	strike func(p *pair) error
	undo   func(p *pair) error
	lapses bool // the daemon goes on and sees what happened
}

var standstills = []standstill{
	{
		name:   "the daemon is frozen",
		strike: func(p *pair) error { return p.alpha.Signal(soon(p.t), cluster.Unit, "STOP") },
		undo:   func(p *pair) error { return p.alpha.Signal(soon(p.t), cluster.Unit, "CONT") },
		lapses: true,
	},
	{
		name:   "the whole node is frozen",
		strike: func(p *pair) error { return p.alpha.Freeze() },
		undo:   func(p *pair) error { return p.alpha.Thaw() },
		lapses: true,
	},
	{
		name: "the daemon is killed and not started again",
		strike: func(p *pair) error {
			p.run(p.alpha, "sh", "-c", "mkdir -p /run/systemd/system/"+cluster.Unit+".d && printf '[Service]\\nRestart=no\\n' > /run/systemd/system/"+cluster.Unit+".d/no.conf && systemctl daemon-reload")
			return p.alpha.Signal(soon(p.t), cluster.Unit, "KILL")
		},
		undo: func(p *pair) error { return p.alpha.Start(soon(p.t), cluster.Unit) },
	},
}

// TestLease makes the node that serves stand still, or its daemon go for good,
// with its kernel and its network alive: the address is gone from it before the
// other node takes it, and what it had is not given back when it goes on.
func TestLease(t *testing.T) {
	for _, tt := range standstills {
		t.Run(tt.name, func(t *testing.T) {
			p := newPair(t, clusterFiles(leasing, "alpha IPaddr::192.0.2.50/24/eth0", "auto_failback off"))
			p.eachNginx(true)
			p.started(virtual)
			p.settled()
			probe := p.probe("http://192.0.2.50/")
			p.answered(probe, p.alpha)
			began := time.Now()
			must(t, tt.strike(p))
			taken := p.held(virtual, p.beta)
			p.answered(probe, p.beta)
			must(t, tt.undo(p))
			if tt.lapses {
				e := p.entry(p.alpha, began, "lease.lapsed")
				t.Logf("alpha stood still for %v, its lease is %v", round(e.Seconds("stood")), round(e.Seconds("lease")))
			}
			p.settled()
			gap := p.stop(probe).Longest()
			t.Logf("taken %v after the strike; the client's longest gap: %v", round(taken.Sub(began)), gap)
			if most := leasing.Deadtime + 100*time.Millisecond; gap.Length()-gap.Late > most {
				t.Errorf("the client was without an answer for %v, want %v at most", gap, most)
			}
			p.neverTwo(virtual)
			p.hold(p.beta, "all")
			p.hold(p.alpha, "none")
		})
	}
}
