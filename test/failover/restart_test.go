package failover

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/systole-ha/systole/test/cluster"
	"github.com/systole-ha/systole/test/lab"
)

// noise is what a client that asks every 2 ms may miss, beyond what it missed in
// the second before, in which nothing happened at all. A single restart may meet
// with anything on a busy machine; what restarts cost, half of them show.
const noise = 20 * time.Millisecond

// restarting is a timing by which a daemon may be away for a moment.
var restarting = cluster.Timing{Keepalive: 200 * time.Millisecond, Deadtime: 2 * time.Second, Initdead: 15 * time.Second}

// restarts are the ways in which a daemon ends to be started again, and whether
// its peer is told before.
var restarts = []struct {
	name      string
	do        func(p *pair, n *lab.Node)
	announced string
}{
	{"systemctl restart", func(p *pair, n *lab.Node) { p.run(n, "systemctl", "restart", cluster.Unit) }, "true"},
	{"an upgrade", func(p *pair, n *lab.Node) {
		p.run(n, "sh", "-c", "cp -p /usr/sbin/systole /usr/sbin/systole.new && mv /usr/sbin/systole.new /usr/sbin/systole")
		p.run(n, "systemctl", "daemon-reload")
		p.run(n, "systemctl", "try-restart", cluster.Unit)
	}, "true"},
	{"kill -9", func(p *pair, n *lab.Node) { must(p.t, n.Signal(soon(p.t), cluster.Unit, "KILL")) }, ""},
}

// TestRestart ends the daemon that serves in every way after which systemd
// starts it again, on the preferred node, on the other one, which serves since
// an operator wanted it, and on that after the first one's death: the client
// misses nothing, no process and no address is touched, nothing is said to have
// moved, and what the operator wanted is not forgotten.
func TestRestart(t *testing.T) {
	p := newPair(t, clusterFiles(restarting, "alpha IPaddr::192.0.2.50/24/eth0 nginx", "auto_failback off"))
	p.eachNginx(false)
	p.started(virtual)
	var missed []time.Duration
	for _, way := range restarts {
		t.Run(way.name, func(t *testing.T) {
			missed = append(missed, p.in(t).restartsUnnoticed(p.alpha, func(p *pair) { way.do(p, p.alpha) }, way.announced))
		})
	}
	p.run(p.alpha, "hb_standby", "--wait", "all")
	for _, way := range restarts[1:] {
		t.Run(way.name+" of the node that is not preferred", func(t *testing.T) {
			missed = append(missed, p.in(t).restartsUnnoticed(p.beta, func(p *pair) { way.do(p, p.beta) }, way.announced))
		})
	}
	t.Run("systemctl restart of a node in standby", func(t *testing.T) {
		p := p.in(t)
		began := time.Now()
		p.run(p.alpha, "systemctl", "restart", cluster.Unit)
		p.entry(p.beta, began, "peer.restarted")
		p.settled()
		if s := p.status(p.alpha); s.StandbySince.IsZero() {
			t.Errorf("alpha has forgotten that it is in standby")
		}
		p.hold(p.beta, "all")
		p.none(p.alpha, began, "takeover.started")
	})
	p.powerOff(p.alpha)
	p.entry(p.beta, time.Time{}, "peer.dead")
	for _, way := range restarts[1:] {
		t.Run(way.name+" of the only node", func(t *testing.T) {
			missed = append(missed, p.in(t).restartsUnnoticed(p.beta, func(p *pair) { way.do(p, p.beta) }, ""))
		})
	}
	p.neverTwo(virtual)
	if got := median(missed); got > noise {
		t.Errorf("half of the restarts cost the client %v or more, beyond what it missed without: %v", got, missed)
	}
}

// in is the pair in a test of its own.
func (p *pair) in(t *testing.T) *pair {
	q := *p
	q.t = t
	return &q
}

// restartsUnnoticed restarts the daemon of the node that serves and holds what
// both nodes saw against nothing. It returns what the client missed, beyond what
// it had missed before.
func (p *pair) restartsUnnoticed(n *lab.Node, restart func(p *pair), announced string) (missed time.Duration) {
	p.t.Helper()
	p.settled()
	since := p.held(virtual, n)
	worker, daemon := p.mainPID(n, "nginx"), p.mainPID(n, cluster.Unit)
	probe := p.probe("http://192.0.2.50/")
	p.answered(probe, n)
	pass(p.t, time.Second)
	quiet := p.stop(probe).Longest()
	probe = p.probe("http://192.0.2.50/")
	p.answered(probe, n)
	began := time.Now()
	restart(p)
	p.entry(n, began, "owner.changed", "cause", "adopted")
	again := p.entry(n, began, "node.started")
	away := "for nobody to notice"
	if other := p.other(n); other.On() {
		seen := p.entry(other, began, "peer.restarted")
		away = fmt.Sprintf("for %v", round(seen.Seconds("away")))
		if got := seen.Get("announced"); got != announced {
			p.t.Errorf("the peer was told before: %q, want %q", got, announced)
		}
		p.none(other, began, "takeover.started", "peer.dead", "split_brain.suspected")
	}
	p.settled()
	if p.mainPID(n, cluster.Unit) == daemon {
		p.t.Errorf("the daemon was not restarted")
	}
	if p.held(virtual, n) != since {
		p.t.Errorf("%s was away from %s", virtual, n)
	}
	if got := p.mainPID(n, "nginx"); got != worker {
		p.t.Errorf("nginx was restarted: process %s instead of %s", got, worker)
	}
	p.none(n, began, "takeover.started", "release.started", "takeover.failed", "resource.failed", "peer.dead", "lease.lapsed")
	gap := p.stop(probe).Longest()
	p.t.Logf("up after %v, silent %s; the client's longest gap: %v, prober late by %v; before: %v",
		round(again.At.Sub(began)), away, gap, round(gap.Late), quiet)
	return max(0, gap.Length()-gap.Late-quiet.Length())
}

// TestRestartInTakeover kills the daemon that takes over once it has the
// address and waits for the service: the next one completes it, in the same
// trace, and never lets the address go.
func TestRestartInTakeover(t *testing.T) {
	p := newPair(t, clusterFiles(restarting, "alpha IPaddr::192.0.2.50/24/eth0 nginx", "auto_failback on"))
	p.eachNginx(false)
	must(t, p.beta.Configure("/etc/systemd/system/nginx.service.d", lab.Files{"slow.conf": "[Service]\nExecStartPre=/usr/bin/sleep 1.5\n"}))
	p.started(virtual)
	off := p.powerOff(p.alpha)
	first := p.entry(p.beta, off, "takeover.started")
	since := p.held(virtual, p.beta)
	killed := time.Now()
	must(t, p.beta.Signal(soon(t), cluster.Unit, "KILL"))
	second := p.entry(p.beta, killed, "takeover.started")
	done := p.entry(p.beta, killed, "takeover.completed")
	if first.Get("trace") == "" || second.Get("trace") != first.Get("trace") || second.Get("trigger") != "peer_dead" {
		t.Errorf("begun as\n%v\nand gone on with as\n%v", first, second)
	}
	if done.Get("result") != "success" || p.held(virtual, p.beta) != since {
		t.Errorf("it ended as %v, and the address was held without a break: %v", done, p.held(virtual, p.beta) == since)
	}
	p.none(p.beta, killed, "release.started", "peer.dead")
	p.bootAndStart(p.alpha) // auto_failback: taken for want of alpha, it goes back
	p.entry(p.alpha, killed, "takeover.completed", "trigger", "failback")
	p.held(virtual, p.alpha)
	p.neverTwo(virtual)
}

// TestRestartTooSlow has the daemon away for longer than its deadtime: the peer
// takes over, the lease sees to it that nobody else has the address, and the
// node that returns takes nothing back and stops what it left. One that never
// returns leaves nothing running.
func TestRestartTooSlow(t *testing.T) {
	p := newPair(t, clusterFiles(leasing, "alpha IPaddr::192.0.2.50/24/eth0 nginx", "auto_failback off"))
	p.eachNginx(false)
	p.started(virtual)
	const dropIn = "/etc/systemd/system/" + cluster.Unit + ".d"
	must(t, p.alpha.Configure(dropIn, lab.Files{"slow.conf": "[Service]\nExecStartPre=/usr/bin/sleep 4\n"}))
	must(t, p.alpha.Reload(soon(t)))
	began := time.Now()
	p.run(p.alpha, "systemctl", "restart", cluster.Unit)
	p.held(virtual, p.beta)
	p.settled()
	p.hold(p.beta, "all")
	p.hold(p.alpha, "none")
	if p.alpha.Active(soon(t), "nginx") {
		t.Errorf("nginx runs on alpha")
	}
	p.none(p.alpha, began, "takeover.started", "peer.dead")
	p.neverTwo(virtual)

	p.run(p.alpha, "rm", dropIn+"/slow.conf")
	must(t, p.alpha.Reload(soon(t)))
	began = time.Now()
	p.run(p.beta, "sh", "-c", "echo nonsense >> /etc/ha.d/ha.cf; systemctl restart "+cluster.Unit+" || true")
	must(t, lab.WaitFor(soon(t), "nginx to be stopped on beta", func(ctx context.Context) error {
		if p.beta.Active(ctx, "nginx") {
			return fmt.Errorf("it runs")
		}
		return nil
	}))
	stopped := time.Since(began)
	p.held(virtual, p.alpha)
	t.Logf("with a wrong configuration: what beta served was stopped after %v; alpha took over %v after the restart", round(stopped), round(time.Since(began)))
	p.neverTwo(virtual)
}
