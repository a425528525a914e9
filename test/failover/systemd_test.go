package failover

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/systole-ha/systole/test/cluster"
	"github.com/systole-ha/systole/test/lab"
)

// TestSystemdGoesAway breaks the daemon's connection to systemd while it holds
// a group. What it holds stays, and it can still let go of it.
func TestSystemdGoesAway(t *testing.T) {
	p := newPair(t, clusterFiles(fast, "alpha IPaddr::192.0.2.50/24/eth0 nginx", "auto_failback on"))
	p.eachNginx(false)
	p.started(virtual)
	for _, command := range []string{"systemctl restart dbus", "systemctl daemon-reexec", "systemctl daemon-reload"} {
		began := time.Now()
		worker := p.mainPID(p.alpha, "nginx")
		words := strings.Fields(command)
		p.run(p.alpha, words[0], words[1:]...)
		if got := p.mainPID(p.alpha, "nginx"); got != worker {
			t.Errorf("%s: nginx was restarted", command)
		}
		p.run(p.alpha, "hb_standby", "all")
		p.held(virtual, p.beta)
		p.settled()
		if !p.beta.Active(soon(t), "nginx") || p.alpha.Active(soon(t), "nginx") {
			t.Errorf("%s, then hb_standby: nginx does not run on beta alone", command)
		}
		p.run(p.alpha, "hb_takeover", "local")
		p.held(virtual, p.alpha)
		p.settled()
		for _, n := range p.nodes() {
			p.none(n, began, "resource.failed", "takeover.failed", "peer.dead", "move.refused")
		}
		stop := p.entry(p.alpha, began, "resource.operation", "resource", "nginx", "operation", "stop")
		t.Logf("%s: %s", command, stop.Message)
	}
	p.neverTwo(virtual)
}

// patient is a timing by which a daemon may be away for a while.
var patient = cluster.Timing{Keepalive: 200 * time.Millisecond, Deadtime: 10 * time.Second, Initdead: 10 * time.Second}

// TestAgentKilled kills the daemon that serves, with a deadtime of 2 s: it is
// back before its peer misses it, and finds what it left as it was.
func TestAgentKilled(t *testing.T) {
	timing := cluster.Timing{Keepalive: 200 * time.Millisecond, Deadtime: 2 * time.Second, Initdead: 5 * time.Second}
	p := newPair(t, clusterFiles(timing, "alpha IPaddr::192.0.2.50/24/eth0 nginx", "auto_failback on"))
	p.eachNginx(false)
	p.started(virtual)
	since := p.held(virtual, p.alpha)
	worker := p.mainPID(p.alpha, "nginx")
	probe := p.probe("http://192.0.2.50/")
	p.answered(probe, p.alpha)
	began := time.Now()
	var away []time.Duration
	for range 7 { // more than systemd restarts a unit in 10 s unless told otherwise
		killed := time.Now()
		must(t, p.alpha.Signal(soon(t), cluster.Unit, "KILL"))
		up := p.entry(p.alpha, killed, "node.started")
		adopted := p.entry(p.alpha, killed, "hold.changed", "to", "local")
		t.Logf("killed; started again after %v, has its group in its books after %v", round(up.At.Sub(killed)), round(adopted.At.Sub(killed)))
		away = append(away, adopted.At.Sub(killed))
		p.entry(p.beta, killed, "peer.restarted")
		p.settled()
	}
	if got := median(away); got > time.Second {
		t.Errorf("back %v after it was killed, want within a second", got)
	}
	p.untouched(since, worker, began)
	gap := p.stop(probe).Longest()
	t.Logf("the client's longest gap: %v, prober late by %v", gap, round(gap.Late))
	if gap.Length()-gap.Late > 200*time.Millisecond {
		t.Errorf("the client was without an answer for %v", gap)
	}
}

// TestAgentHangs stops the daemon that serves where it is: systemd's watchdog
// kills it, and the next one finds what it left.
func TestAgentHangs(t *testing.T) {
	p := newPair(t, clusterFiles(patient, "alpha IPaddr::192.0.2.50/24/eth0 nginx", "auto_failback on"))
	p.eachNginx(false)
	p.started(virtual)
	since := p.held(virtual, p.alpha)
	worker := p.mainPID(p.alpha, "nginx")
	began := time.Now()
	must(t, p.alpha.Signal(soon(t), cluster.Unit, "STOP"))
	up := p.entry(p.alpha, began, "node.started")
	t.Logf("stopped by SIGSTOP; killed by the watchdog and started again after %v", round(up.At.Sub(began)))
	if got := p.run(p.alpha, "systemctl", "show", "--value", "--property=NRestarts", cluster.Unit); got != "1" {
		t.Errorf("%s restarts, want 1", got)
	}
	journal, err := p.alpha.Journal(soon(t), cluster.Unit)
	must(t, err)
	if !strings.Contains(journal, "Watchdog timeout") {
		t.Errorf("no word of a watchdog in the journal")
	}
	// WatchdogSec=5s, and the last sign of life was up to half of it old.
	if up.At.Sub(began) > 6*time.Second {
		t.Errorf("started again after %v, want within WatchdogSec and a second", up.At.Sub(began))
	}
	p.entry(p.alpha, began, "hold.changed", "to", "local")
	p.entry(p.beta, began, "peer.restarted")
	p.settled()
	p.untouched(since, worker, began)
}

// TestRealtime looks at every thread of a daemon that has worked for a while:
// one that is not in real time would make the others wait for it.
func TestRealtime(t *testing.T) {
	p := newPair(t, clusterFiles(fast, "alpha IPaddr::192.0.2.50/24/eth0 nginx", "auto_failback on"))
	p.eachNginx(false)
	p.started(virtual)
	for _, n := range p.nodes() {
		classes := strings.Fields(p.run(n, "ps", "-L", "-o", "cls=", "-p", p.mainPID(n, "systole")))
		if len(classes) < 4 || slices.ContainsFunc(classes, func(c string) bool { return c != "RR" }) {
			t.Errorf("%s: the threads of the daemon are scheduled as %v, want RR, SCHED_RR, for all", n, classes)
		}
	}
}

// untouched fails the test if the address was away from alpha, its nginx
// restarted, or anything moved.
func (p *pair) untouched(since time.Time, worker string, began time.Time) {
	p.t.Helper()
	if again := p.held(virtual, p.alpha); again != since {
		p.t.Errorf("%s was away from alpha", virtual)
	}
	if got := p.mainPID(p.alpha, "nginx"); got != worker {
		p.t.Errorf("nginx was restarted: process %s instead of %s", got, worker)
	}
	p.none(p.alpha, began, "release.started", "takeover.failed", "resource.failed")
	p.none(p.beta, began, "takeover.started", "peer.dead", "split_brain.suspected")
	p.neverTwo(virtual)
}

func (p *pair) mainPID(n *lab.Node, unit string) string {
	p.t.Helper()
	return p.run(n, "systemctl", "show", "--value", "--property=MainPID", unit)
}
