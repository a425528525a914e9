package failover

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/systole-ha/systole/test/cluster"
	"github.com/systole-ha/systole/test/lab"
)

// voting leaves room for a lease of one second, renewed by evidence.
var voting = cluster.Timing{Keepalive: 200 * time.Millisecond, Deadtime: 2 * time.Second, Initdead: 5 * time.Second}

// TestArbiter cuts two nodes from each other, both ways and one way, on every
// network, beside a third that has the casting vote: whoever serves goes on
// without a break while it can ask, the other takes over only from one that
// cannot, and the address is never on two nodes.
func TestArbiter(t *testing.T) {
	files := clusterFiles(voting, "alpha IPaddr::192.0.2.50/24/eth0", "auto_failback off")
	p := bootPair(t, lab.WithNodes("alpha", "beta", "gamma"))
	gamma := p.lab.Nodes()[2]
	must(t, cluster.Install(gamma, lab.Files{}))
	must(t, gamma.Configure("/etc/systole/arbiter", lab.Files{"alpha-beta": files["authkeys"]}))
	p.run(gamma, "chmod", "600", "/etc/systole/arbiter/alpha-beta")
	must(t, gamma.Reload(soon(t)))
	must(t, gamma.Start(soon(t), "systole-arbiter.service"))
	up := time.Now()
	files["systole.yaml"] = fmt.Sprintf("arbiter: %s\n", gamma.Host(lab.Service))
	for _, n := range p.nodes() {
		must(t, cluster.Install(n, files))
	}
	p.eachNginx(true)
	p.started(virtual)
	p.permitted(p.alpha, "peer")
	p.permitted(p.beta, "peer")
	must(t, lab.WaitFor(soon(t), "the arbiter to lend", func(context.Context) error {
		if left := 7*time.Second - time.Since(up); left > 0 { // two votes of 3 s
			return fmt.Errorf("%v more", left)
		}
		return nil
	}))

	part := func(from, to *lab.Node) func() error {
		return func() error {
			for _, w := range []lab.Network{lab.Service, lab.Private} {
				if err := p.lab.Part(w, from.Name(), to.Name()); err != nil {
					return err
				}
			}
			return nil
		}
	}
	join := func() error {
		for _, w := range []lab.Network{lab.Service, lab.Private} {
			for _, pair := range [][2]*lab.Node{{p.alpha, p.beta}, {p.beta, p.alpha}} {
				if err := p.lab.Join(w, pair[0].Name(), pair[1].Name()); err != nil {
					return err
				}
			}
		}
		return nil
	}
	for _, tt := range []struct {
		name string
		cuts []func() error
	}{
		{"every link cut", []func() error{part(p.alpha, p.beta), part(p.beta, p.alpha)}},
		{"every link cut from alpha to beta", []func() error{part(p.alpha, p.beta)}},
		{"every link cut from beta to alpha", []func() error{part(p.beta, p.alpha)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			began := time.Now()
			for _, cut := range tt.cuts {
				must(t, cut())
			}
			e := p.entry(p.alpha, began, "permission.changed", "to", "vote")
			t.Logf("alpha goes on by the vote %v after the cut", round(e.At.Sub(began)))
			must(t, lab.WaitFor(soon(t), "two deadtimes to pass", func(context.Context) error {
				if time.Since(began) < 2*voting.Deadtime {
					return fmt.Errorf("%v have", time.Since(began))
				}
				return nil
			}))
			must(t, join())
			p.permitted(p.alpha, "peer")
			p.permitted(p.beta, "peer")
			p.settled()
			p.none(p.alpha, began, "release.started", "takeover.started")
			p.none(p.beta, began, "takeover.started")
			p.neverTwo(virtual)
			h, err := p.watch.History()
			must(t, err)
			for _, span := range h.Vacancies(virtual) {
				if span.To.After(began) {
					t.Errorf("no holder for %v", span.Length())
				}
			}
		})
	}
	t.Run("alpha cut from everybody", func(t *testing.T) {
		began := time.Now()
		must(t, p.alpha.Cut(lab.Service, lab.Both))
		must(t, p.alpha.Cut(lab.Private, lab.Both))
		taken := p.held(virtual, p.beta)
		lost := p.entry(p.alpha, began, "permission.changed", "to", "nothing")
		t.Logf("alpha gave up %v after the cut, beta took over after %v", round(lost.At.Sub(began)), round(taken.Sub(began)))
		must(t, p.alpha.Heal(lab.Service))
		must(t, p.alpha.Heal(lab.Private))
		p.settled()
		p.hold(p.beta, "all")
		p.neverTwo(virtual)
	})
	t.Run("beta frozen while every link is cut", func(t *testing.T) {
		began := time.Now()
		must(t, part(p.alpha, p.beta)())
		must(t, part(p.beta, p.alpha)())
		p.entry(p.beta, began, "permission.changed", "to", "vote")
		must(t, p.beta.Freeze())
		frozen := time.Now()
		taken := p.held(virtual, p.alpha)
		t.Logf("alpha took over %v after beta, which had the vote, was frozen", round(taken.Sub(frozen)))
		must(t, p.beta.Thaw())
		must(t, join())
		p.settled()
		p.neverTwo(virtual)
	})
}

// permitted waits until a node says what its permission rests on.
func (p *pair) permitted(n *lab.Node, evidence string) {
	p.t.Helper()
	must(p.t, lab.WaitFor(soon(p.t), n.Name()+" to be permitted by "+evidence, func(ctx context.Context) error {
		s, err := cluster.Status(ctx, n)
		if err == nil && s.Permission.Evidence != evidence {
			err = fmt.Errorf("it is by %q", s.Permission.Evidence)
		}
		return err
	}))
}
