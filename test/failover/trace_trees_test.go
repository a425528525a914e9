package failover

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/systole-ha/systole/test/cluster"
	"github.com/systole-ha/systole/test/lab"
)

// The trees that an operator is promised. A span is its node, its name, what
// came of it, and what it is linked to.
const (
	// The dead node's half never comes: the link to it leads nowhere.
	killedTree = `beta takeover peer_dead success -> nobody
  beta confirm
  beta detect
  beta group
    beta address.acquire ok IPaddr::192.0.2.50/24/eth0
    beta arp.announce ok IPaddr::192.0.2.50/24/eth0
    beta unit.start ok web
    beta verify
`
	joinTree   = "alpha join -> beta takeover\n"
	frozenTree = `alpha self_release lapse success -> beta takeover
  alpha group
    alpha address.release ok IPaddr::192.0.2.50/24/eth0
    alpha unit.stop ok web
beta takeover peer_dead success -> alpha self_release
  beta confirm
  beta detect
  beta false_death ERROR
  beta group
    beta address.acquire ok IPaddr::192.0.2.50/24/eth0
    beta arp.announce ok IPaddr::192.0.2.50/24/eth0
    beta unit.start ok web
    beta verify
`
	cutTree = `alpha takeover peer_dead success -> beta takeover
  alpha confirm
  alpha detect
  alpha false_death ERROR
  alpha group
    alpha address.acquire ok IPaddr::192.0.2.51/24/eth0
    alpha arp.announce ok IPaddr::192.0.2.51/24/eth0
    alpha verify
  alpha self_release yield success
    alpha group
      alpha address.release ok IPaddr::192.0.2.51/24/eth0
  alpha split_brain ERROR
beta takeover peer_dead success -> alpha takeover
  beta confirm
  beta detect
  beta false_death ERROR
  beta group
    beta address.acquire ok IPaddr::192.0.2.50/24/eth0
    beta arp.announce ok IPaddr::192.0.2.50/24/eth0
    beta unit.start ok web
    beta verify
  beta self_release yield success
    beta group
      beta address.release ok IPaddr::192.0.2.50/24/eth0
      beta unit.stop ok web
  beta split_brain ERROR
`
	standbyTree = `alpha switchover standby success producer
  alpha group
    alpha address.release ok IPaddr::192.0.2.50/24/eth0
    alpha unit.stop ok web
  beta acquire standby success consumer
    beta group
      beta address.acquire ok IPaddr::192.0.2.50/24/eth0
      beta arp.announce ok IPaddr::192.0.2.50/24/eth0
      beta unit.start ok web
      beta verify
`
	failedTree = `alpha switchover standby success producer
  alpha group
    alpha address.release ok IPaddr::192.0.2.50/24/eth0
    alpha unit.stop ok web
  beta acquire standby failed consumer ERROR
    beta group ERROR
      beta address.acquire ok IPaddr::192.0.2.50/24/eth0
      beta address.release ok IPaddr::192.0.2.50/24/eth0
      beta arp.announce ok IPaddr::192.0.2.50/24/eth0
      beta unit.start failed web ERROR
      beta unit.stop ok web
`
)

// TestTraceTrees holds what a collector has of each kind of incident against
// its tree: both nodes in one trace, each span below what caused it, also where
// the nodes could not talk, nor one of them to the collector.
func TestTraceTrees(t *testing.T) {
	p := newPair(t, clusterFiles(fast, "alpha IPaddr::192.0.2.50/24/eth0 web\nbeta IPaddr::192.0.2.51/24/eth0", "auto_failback on"))
	for _, n := range p.nodes() {
		must(t, n.WriteFile("/etc/systemd/system/web.service", unit(works), 0o644))
	}
	sink := p.collectTraces()
	p.started(virtual)
	for _, tt := range []struct {
		name, tree string
		incident   func() (trace string)
	}{
		{"a daemon that is killed", killedTree, func() string {
			began := time.Now()
			must(t, p.alpha.Signal(soon(t), cluster.Unit, "KILL"))
			p.hold(p.beta, "all")
			p.run(p.alpha, "systemctl", "reset-failed", cluster.Unit)
			p.start(p.alpha)
			return p.traceOf(p.beta, began, "takeover.started", "peer_dead")
		}},
		{"a node that is frozen", frozenTree, func() string {
			began := time.Now()
			must(t, p.alpha.Freeze())
			p.hold(p.beta, "all")
			must(t, p.alpha.Thaw())
			return p.traceOf(p.beta, began, "takeover.started", "peer_dead")
		}},
		{"every link cut", cutTree, func() string {
			each := func(lose func(*lab.Node, lab.Network) error) error {
				return errors.Join(lose(p.alpha, lab.Private), lose(p.beta, lab.Private), lose(p.alpha, lab.Service))
			}
			began := time.Now()
			must(t, each(func(n *lab.Node, w lab.Network) error { return n.Cut(w, lab.Both) }))
			p.hold(p.beta, "all")
			p.hold(p.alpha, "all")
			must(t, each((*lab.Node).Heal))
			return p.traceOf(p.beta, began, "takeover.started", "peer_dead")
		}},
		{"hb_standby", standbyTree, func() string {
			began := time.Now()
			p.run(p.alpha, "hb_standby", "local")
			p.hold(p.beta, "all")
			p.settled()
			p.run(p.beta, "hb_standby", "foreign")
			return p.traceOf(p.alpha, began, "release.started", "standby")
		}},
		{"a unit that does not start", failedTree, func() string {
			began := time.Now()
			must(t, p.beta.WriteFile("/etc/systemd/system/web.service", unit(fails), 0o644))
			must(t, p.beta.Reload(soon(t)))
			p.run(p.alpha, "hb_standby", "local")
			p.entry(p.beta, began, "takeover.failed")
			return p.traceOf(p.alpha, began, "release.started", "standby")
		}},
	} {
		trace := tt.incident()
		p.home()
		t.Run(tt.name, func(t *testing.T) { sink.shows(t, trace, tt.tree) })
	}
	t.Run("a daemon that comes back", func(t *testing.T) {
		// What it still finds to start depends on who was quicker.
		joined := p.entries(p.alpha, time.Time{}).Of("node.joined")
		sink.begins(t, joined[len(joined)-1].Get("trace"), joinTree)
	})
}

// home waits until each node holds what prefers it, and nothing else. A daemon
// that was killed leaves its addresses: they alone say nothing.
func (p *pair) home() {
	p.t.Helper()
	for _, n := range p.nodes() {
		p.hold(n, "local")
	}
	p.held(virtual, p.alpha)
	p.held(netip.MustParseAddr("192.0.2.51"), p.beta)
	p.settled()
}

// traceOf is the trace of the first move of a kind and trigger since an instant.
func (p *pair) traceOf(n *lab.Node, since time.Time, kind, trigger string) string {
	p.t.Helper()
	return p.entry(n, since, kind, "trigger", trigger).Get("trace")
}
