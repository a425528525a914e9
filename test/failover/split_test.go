package failover

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/systole-ha/systole/test/cluster"
	"github.com/systole-ha/systole/test/lab"
)

// TestSplit lets both nodes hold the group, as two nodes without fencing must
// when they do not hear each other, and asks how soon one of them lets go when
// they can, and that the other never does.
func TestSplit(t *testing.T) {
	files := clusterFiles(fast, "alpha IPaddr::192.0.2.50/24/eth0", "auto_failback on")
	files["systole.yaml"] = "leases: off\n" // with them a node that was frozen holds nothing: TestGate
	p := newPair(t, files)
	p.eachNginx(true)
	p.started(virtual)
	cut := func(lose func(*lab.Node, lab.Network) error) error {
		return errors.Join(lose(p.alpha, lab.Private), lose(p.beta, lab.Private), lose(p.alpha, lab.Service))
	}
	for _, tt := range []struct {
		name       string
		part, mend func() error
	}{
		{
			// The client still reaches beta: alpha is cut off from both.
			name: "every link cut",
			part: func() error { return cut(func(n *lab.Node, w lab.Network) error { return n.Cut(w, lab.Both) }) },
			mend: func() error { return cut((*lab.Node).Heal) },
		},
		{name: "alpha frozen", part: p.alpha.Freeze, mend: p.alpha.Thaw},
	} {
		t.Run(tt.name, func(t *testing.T) {
			began := time.Now()
			must(t, tt.part())
			second := p.held(virtual, p.beta)
			t.Logf("held by both after %v", round(second.Sub(began)))
			mended := time.Now()
			must(t, tt.mend())
			_, err := p.watch.Await(soon(t), "one holder", func(h lab.History) bool { return len(h.Holders(virtual)) == 1 })
			must(t, err)
			p.settled()
			p.held(virtual, p.alpha) // its preferred node, with auto_failback on
			h, err := p.watch.History()
			must(t, err)
			both := h.Overlaps(virtual)
			one := both[len(both)-1].To
			t.Logf("one holder %v after it was mended", round(one.Sub(mended)))
			if one.Sub(mended) > time.Second {
				t.Errorf("two holders for %v after the nodes could hear each other again", one.Sub(mended))
			}
			for _, span := range h.Vacancies(virtual) {
				if span.To.After(mended) {
					t.Errorf("no holder for %v", span.Length())
				}
			}
		})
	}
}

// TestAgentHangsTooLong stops the daemon that serves for longer than deadtime.
// Its lease takes the address from it in time; the service is still there for
// the daemon that the watchdog starts in its place, which must see what happened.
func TestAgentHangsTooLong(t *testing.T) {
	timing := cluster.Timing{Keepalive: 200 * time.Millisecond, Deadtime: 2 * time.Second, Initdead: 5 * time.Second}
	p := newPair(t, clusterFiles(timing, "alpha IPaddr::192.0.2.50/24/eth0 nginx", "auto_failback off"))
	p.eachNginx(false)
	p.started(virtual)
	began := time.Now()
	must(t, p.alpha.Signal(soon(t), cluster.Unit, "STOP"))
	second := p.held(virtual, p.beta)
	t.Logf("beta took over after %v", round(second.Sub(began)))
	up := p.entry(p.alpha, began, "node.started")
	stopped := p.entry(p.alpha, began, "release.completed", "trigger", "cleanup")
	p.settled()
	p.neverTwo(virtual)
	t.Logf("what alpha had left was stopped %v after its daemon was back", round(stopped.At.Sub(up.At)))
	if since := stopped.At.Sub(up.At); since > time.Second {
		t.Errorf("alpha let go %v after its daemon was back", since)
	}
	if p.alpha.Active(soon(t), "nginx") {
		t.Errorf("nginx still runs on alpha")
	}
	p.none(p.beta, up.At, "release.started", "takeover.started")
}

// TestNoLinkNoVerdict starts a node that cannot use its only link. It has no
// means to know whether its peer is alive, so it must not take what that serves.
func TestNoLinkNoVerdict(t *testing.T) {
	files := clusterFiles(fast, "alpha IPaddr::192.0.2.50/24/eth0", "auto_failback on")
	files["ha.cf"] = cluster.HaCf(fast, "bcast eth1", "auto_failback on")
	p := newPair(t, files)
	p.start(p.beta)
	p.held(virtual, p.beta)
	p.run(p.alpha, "ip", "link", "set", "eth1", "down")
	began := time.Now()
	must(t, p.alpha.Reload(soon(t)))
	p.run(p.alpha, "systemctl", "start", "--no-block", cluster.Unit)
	p.entry(p.alpha, began, "link.closed", "link", "eth1")
	must(t, lab.WaitFor(soon(t), "three times initdead to pass", func(context.Context) error {
		if time.Since(began) < 3*fast.Initdead {
			return fmt.Errorf("%v have", time.Since(began))
		}
		return nil
	}))
	p.neverTwo(virtual)
	p.none(p.alpha, began, "peer.dead", "takeover.started")

	p.run(p.alpha, "ip", "link", "set", "eth1", "up")
	p.held(virtual, p.alpha) // failback
	p.neverTwo(virtual)
}
