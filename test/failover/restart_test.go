package failover

import (
	"testing"
	"time"

	"github.com/systole-ha/systole/test/cluster"
)

// noise is what a client that asks every 2 ms may miss, beyond what it misses on
// this machine while nothing happens at all.
const noise = 20 * time.Millisecond

// TestRestart ends the daemon that serves in every way after which systemd
// starts it again: the client misses nothing, no process and no address is
// touched, and nothing is said to have moved.
func TestRestart(t *testing.T) {
	timing := cluster.Timing{Keepalive: 200 * time.Millisecond, Deadtime: 2 * time.Second, Initdead: 5 * time.Second}
	p := newPair(t, clusterFiles(timing, "alpha IPaddr::192.0.2.50/24/eth0 nginx", "auto_failback on"))
	p.eachNginx(false)
	p.started(virtual)
	for _, tt := range []struct {
		name      string
		do        func()
		announced string // whether the peer was told before
	}{
		{"systemctl restart", func() { p.run(p.alpha, "systemctl", "restart", cluster.Unit) }, "true"},
		{"an upgrade", func() {
			p.run(p.alpha, "sh", "-c", "cp -p /usr/sbin/systole /usr/sbin/systole.new && mv /usr/sbin/systole.new /usr/sbin/systole")
			p.run(p.alpha, "systemctl", "daemon-reload")
			p.run(p.alpha, "systemctl", "try-restart", cluster.Unit)
		}, "true"},
		{"kill -9", func() { must(t, p.alpha.Signal(soon(t), cluster.Unit, "KILL")) }, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := *p
			p.t = t
			p.settled()
			since := p.held(virtual, p.alpha)
			worker := p.mainPID(p.alpha, "nginx")
			daemon := p.mainPID(p.alpha, cluster.Unit)
			probe := p.probe("http://192.0.2.50/")
			p.answered(probe, p.alpha)
			pass(t, time.Second)
			quiet := p.stop(probe).Longest()
			probe = p.probe("http://192.0.2.50/")
			p.answered(probe, p.alpha)
			began := time.Now()
			tt.do()
			seen := p.entry(p.beta, began, "peer.restarted")
			p.entry(p.alpha, began, "hold.changed", "to", "local")
			p.settled()
			if p.mainPID(p.alpha, cluster.Unit) == daemon {
				t.Errorf("the daemon was not restarted")
			}
			if got := seen.Get("announced"); got != tt.announced {
				t.Errorf("the peer was told before: %q, want %q", got, tt.announced)
			}
			p.untouched(since, worker, began)
			gap := p.stop(probe).Longest()
			t.Logf("silent for %v; the client's longest gap: %v, prober late by %v; before: %v", round(seen.Seconds("away")), gap, round(gap.Late), quiet)
			if gap.Length()-gap.Late > noise+quiet.Length() {
				t.Errorf("the client was without an answer for %v", gap)
			}
		})
	}
}
