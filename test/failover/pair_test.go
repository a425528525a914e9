package failover

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/systole-ha/systole/agent/control"
	"github.com/systole-ha/systole/test/cluster"
	"github.com/systole-ha/systole/test/lab"
)

// A pair is two nodes with systole installed, and a watch of their addresses.
type pair struct {
	t           *testing.T
	lab         *lab.Lab
	watch       *lab.Watch
	alpha, beta *lab.Node
}

// newPair boots two nodes with systole and these files. Nothing runs yet.
func newPair(t *testing.T, files lab.Files, options ...lab.Option) *pair {
	t.Helper()
	p := bootPair(t, options...)
	for _, n := range p.nodes() {
		must(t, cluster.Install(n, files))
	}
	return p
}

func bootPair(t *testing.T, options ...lab.Option) *pair {
	t.Helper()
	l := lab.New(t, options...)
	watch, err := l.Watch()
	must(t, err)
	p := &pair{t: t, lab: l, watch: watch, alpha: l.Nodes()[0], beta: l.Nodes()[1]}
	t.Cleanup(func() {
		if t.Failed() {
			p.logEntries()
		}
	})
	return p
}

func (p *pair) nodes() []*lab.Node { return []*lab.Node{p.alpha, p.beta} }

func (p *pair) other(n *lab.Node) *lab.Node {
	if n == p.alpha {
		return p.beta
	}
	return p.alpha
}

// start starts the daemon on nodes, all at once.
func (p *pair) start(nodes ...*lab.Node) {
	p.t.Helper()
	errs := make([]error, len(nodes))
	var all sync.WaitGroup
	for i, n := range nodes {
		all.Go(func() { errs[i] = cluster.Start(soon(p.t), n) })
	}
	all.Wait()
	for _, err := range errs {
		must(p.t, err)
	}
}

// started starts the daemon on both and waits until each node that is
// preferred for something holds it, and the address is with alpha.
func (p *pair) started(address netip.Addr) {
	p.t.Helper()
	p.start(p.nodes()...)
	p.held(address, p.alpha)
	p.hold(p.alpha, "local")
	p.hold(p.beta, "local")
}

// hold waits until a node says that it holds what.
func (p *pair) hold(n *lab.Node, what string) {
	p.t.Helper()
	must(p.t, cluster.WaitHold(soon(p.t), n, what))
}

// held waits until a node's kernel has the address, and gives since when.
func (p *pair) held(address netip.Addr, by *lab.Node) time.Time {
	p.t.Helper()
	since, err := p.watch.AwaitHolder(soon(p.t), address, by.Name())
	must(p.t, err)
	return since
}

func (p *pair) powerOff(n *lab.Node) time.Time {
	p.t.Helper()
	off, err := n.PowerOff()
	must(p.t, err)
	return off
}

// bootAndStart is a node that comes back.
func (p *pair) bootAndStart(n *lab.Node) {
	p.t.Helper()
	must(p.t, n.Boot(within(p.t, time.Minute)))
	p.start(n)
}

func (p *pair) status(n *lab.Node) control.Status {
	p.t.Helper()
	s, err := cluster.Status(soon(p.t), n)
	must(p.t, err)
	return s
}

// lastTakeover is the newest of a node's.
func (p *pair) lastTakeover(n *lab.Node) control.Takeover {
	p.t.Helper()
	all := p.status(n).Takeovers
	if len(all) == 0 {
		p.t.Fatalf("%s knows of no takeover", n)
	}
	return all[len(all)-1]
}

// settled waits until no node that runs the daemon has anything under way, and
// two that run it hear each other.
func (p *pair) settled() {
	p.t.Helper()
	both := p.alpha.Active(soon(p.t), cluster.Unit) && p.beta.Active(soon(p.t), cluster.Unit)
	for _, n := range p.nodes() {
		if !n.Active(soon(p.t), cluster.Unit) {
			continue
		}
		must(p.t, lab.WaitFor(soon(p.t), n.Name()+" to be settled", func(ctx context.Context) error {
			s, err := cluster.Status(ctx, n)
			if err == nil && (!s.Stable || s.Hold == "transition" || both && s.Peer().State != "active") {
				err = fmt.Errorf("it is %s, holds %s, its peer is %s; %s", s.State, s.Hold, s.Peer().State, s.Activity)
			}
			return err
		}))
	}
}

// entries are what a node's daemon has reported since an instant.
func (p *pair) entries(n *lab.Node, since time.Time) cluster.Entries {
	p.t.Helper()
	entries, err := cluster.Journal(soon(p.t), n, since)
	must(p.t, err)
	return entries
}

// none fails the test if a node has reported any of these kinds.
func (p *pair) none(n *lab.Node, since time.Time, kinds ...string) {
	p.t.Helper()
	if got := p.entries(n, since).Of(kinds...); len(got) > 0 {
		p.t.Errorf("%s reported\n%swant no %s", n, got, strings.Join(kinds, ", "))
	}
}

// entry waits for the first report of a kind since an instant. Pairs of field
// and value say more of it.
func (p *pair) entry(n *lab.Node, since time.Time, kind string, with ...string) cluster.Entry {
	p.t.Helper()
	what := strings.Join(append([]string{kind}, with...), " ")
	e, err := cluster.WaitEntry(soon(p.t), n, since, what, func(e cluster.Entry) bool {
		for i := 0; i < len(with); i += 2 {
			if e.Get(with[i]) != with[i+1] {
				return false
			}
		}
		return e.Kind == kind
	})
	must(p.t, err)
	return e
}

// run runs a command in a node, which must exit with 0.
func (p *pair) run(n *lab.Node, command string, args ...string) string {
	p.t.Helper()
	out, err := n.Run(soon(p.t), command, args...)
	must(p.t, err)
	return strings.TrimSpace(out)
}

// says waits until cl_status on a node answers so.
func (p *pair) says(n *lab.Node, want string, args ...string) {
	p.t.Helper()
	what := fmt.Sprintf("cl_status %s on %s to answer %s", strings.Join(args, " "), n, want)
	must(p.t, lab.WaitFor(soon(p.t), what, func(ctx context.Context) error {
		// A 3.0.6 node does not answer before it takes part.
		out, _ := n.Run(ctx, "timeout", append([]string{"2", "cl_status"}, args...)...) // dead is an answer with exit code 1
		if strings.TrimSpace(out) != want {
			return fmt.Errorf("it answers %q", out)
		}
		return nil
	}))
}

func (p *pair) probe(url string) *lab.Probe {
	p.t.Helper()
	probe, err := p.lab.Probe(lab.Question{URL: url})
	must(p.t, err)
	return probe
}

// answered waits until a question asked from now on is answered by a node, or
// by any if there is none.
func (p *pair) answered(probe *lab.Probe, by ...*lab.Node) lab.Sample {
	p.t.Helper()
	who := ""
	if len(by) > 0 {
		who = by[0].Name()
	}
	s, err := probe.AwaitAnswer(soon(p.t), who)
	must(p.t, err)
	return s
}

// stop ends a prober.
func (p *pair) stop(probe *lab.Probe) lab.Result {
	p.t.Helper()
	r, err := probe.Stop()
	must(p.t, err)
	return r
}

// neverTwo fails the test if two nodes held an address at once.
func (p *pair) neverTwo(addresses ...netip.Addr) {
	p.t.Helper()
	h, err := p.watch.History()
	must(p.t, err)
	for _, address := range addresses {
		for _, both := range h.Overlaps(address) {
			if both.Length() <= lab.Resolution {
				p.t.Logf("%s: %v of two holders, which the watch cannot tell from none", address, both.Length())
				continue
			}
			p.t.Errorf("two nodes held %s for %v in\n%s", address, both.Length(), h)
		}
	}
}

// logEntries is for a test that has failed, and whose context has ended.
func (p *pair) logEntries() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for _, n := range p.nodes() {
		if !n.On() {
			continue
		}
		if entries, err := cluster.Journal(ctx, n, time.Time{}); err == nil {
			p.t.Logf("what %s reported:\n%s", n, entries)
		}
	}
}

// eachNginx configures nginx on both nodes and, if told so, starts it.
func (p *pair) eachNginx(start bool) {
	p.t.Helper()
	for _, n := range p.nodes() {
		must(p.t, lab.Nginx(n))
		if start {
			must(p.t, n.Start(soon(p.t), "nginx"))
		}
	}
}

// median of some lengths; of an even number the longer of the two in the
// middle.
func median(all []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}

func round(d time.Duration) time.Duration { return d.Round(100 * time.Microsecond) }
