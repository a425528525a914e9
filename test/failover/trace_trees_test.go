package failover

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/systole-ha/systole/test/cluster"
	"github.com/systole-ha/systole/test/lab"
)

// TestTraceTrees holds what a collector has of each kind of incident against
// the tree that an operator is promised: both nodes in one trace, each span
// below what caused it, also where the nodes could not talk.
func TestTraceTrees(t *testing.T) {
	beta := netip.MustParseAddr("192.0.2.51")
	p := newPair(t, clusterFiles(fast, "alpha IPaddr::192.0.2.50/24/eth0 web\nbeta IPaddr::192.0.2.51/24/eth0", "auto_failback on"))
	for _, n := range p.nodes() {
		must(t, n.WriteFile("/etc/systemd/system/web.service", unit(works), 0o644))
	}
	sink := p.collectTraces()
	p.started(virtual)
	p.held(beta, p.beta)
	home := func() {
		t.Helper()
		p.hold(p.alpha, "local") // first: a daemon that was killed left its addresses
		p.hold(p.beta, "local")
		p.held(virtual, p.alpha)
		p.held(beta, p.beta)
		p.settled()
	}
	trace := func(n *lab.Node, since time.Time, kind, trigger string) string {
		t.Helper()
		return p.entry(n, since, kind, "trigger", trigger).Get("trace")
	}

	t.Run("a daemon that is killed", func(t *testing.T) {
		began := time.Now()
		must(t, p.alpha.Signal(soon(t), cluster.Unit, "KILL"))
		p.hold(p.beta, "all")
		sink.shows(t, trace(p.beta, began, "takeover.started", "peer_dead"), "")
		p.run(p.alpha, "systemctl", "reset-failed", cluster.Unit)
		p.start(p.alpha)
		home()
		t.Log(sink.draw(sink.joins("alpha")))
	})
	t.Run("a node that is frozen", func(t *testing.T) {
		began := time.Now()
		must(t, p.alpha.Freeze())
		p.hold(p.beta, "all")
		must(t, p.alpha.Thaw())
		home()
		sink.shows(t, trace(p.beta, began, "takeover.started", "peer_dead"), "")
	})
	t.Run("every link cut", func(t *testing.T) {
		began := time.Now()
		each := func(lose func(*lab.Node, lab.Network) error) error {
			return errors.Join(lose(p.alpha, lab.Private), lose(p.beta, lab.Private), lose(p.alpha, lab.Service))
		}
		must(t, each(func(n *lab.Node, w lab.Network) error { return n.Cut(w, lab.Both) }))
		p.hold(p.beta, "all")
		p.hold(p.alpha, "all")
		must(t, each((*lab.Node).Heal))
		home()
		sink.shows(t, trace(p.beta, began, "takeover.started", "peer_dead"), "")
	})
	t.Run("hb_standby", func(t *testing.T) {
		began := time.Now()
		p.run(p.alpha, "hb_standby", "local")
		p.held(virtual, p.beta)
		p.settled()
		sink.shows(t, trace(p.alpha, began, "release.started", "standby"), "")
		p.run(p.beta, "hb_standby", "foreign")
		home()
	})
	t.Run("a unit that does not start", func(t *testing.T) {
		began := time.Now()
		must(t, p.beta.WriteFile("/etc/systemd/system/web.service", unit(fails), 0o644))
		must(t, p.beta.Reload(soon(t)))
		p.run(p.alpha, "hb_standby", "local")
		p.entry(p.beta, began, "takeover.failed")
		home()
		sink.shows(t, trace(p.alpha, began, "release.started", "standby"), "")
	})
}
