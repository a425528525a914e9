package observe

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/systole-ha/systole/agent/control"
	"github.com/systole-ha/systole/test/cluster"
	"github.com/systole-ha/systole/test/lab"
)

// A site is two nodes with systole, a watch of their addresses, and a way to
// ask them over HTTP from the client's network.
type site struct {
	t           *testing.T
	lab         *lab.Lab
	watch       *lab.Watch
	http        *http.Client
	alpha, beta *lab.Node
}

// newSite boots two nodes with systole and these files, and nginx to be
// started. Nothing runs yet.
func newSite(t *testing.T, files lab.Files) *site {
	t.Helper()
	l := lab.New(t)
	watch, err := l.Watch()
	must(t, err)
	s := &site{t: t, lab: l, watch: watch, alpha: l.Node("alpha"), beta: l.Node("beta")}
	transport := &http.Transport{DialContext: l.Client().Dial, DisableKeepAlives: true}
	s.http = &http.Client{Transport: transport, Timeout: time.Minute} // a query over a long run takes its time
	for _, n := range s.nodes() {
		must(t, cluster.Install(n, files))
		must(t, lab.Nginx(n))
	}
	t.Cleanup(s.logEntries)
	return s
}

func (s *site) nodes() []*lab.Node { return []*lab.Node{s.alpha, s.beta} }

// both calls f for both nodes at once.
func (s *site) both(f func(*lab.Node) error) {
	s.t.Helper()
	var errs [2]error
	var all sync.WaitGroup
	for i, n := range s.nodes() {
		all.Go(func() { errs[i] = f(n) })
	}
	all.Wait()
	for _, err := range errs {
		must(s.t, err)
	}
}

// start starts the daemon on both nodes and waits until they have settled.
func (s *site) start() {
	s.t.Helper()
	s.both(func(n *lab.Node) error { return cluster.Start(soon(s.t), n) })
	s.settled()
}

// settled waits until nothing is under way on nodes that run the daemon, and
// two that run it hear each other.
func (s *site) settled() {
	s.t.Helper()
	both := s.runs(s.alpha) && s.runs(s.beta)
	for _, n := range s.nodes() {
		if !s.runs(n) {
			continue
		}
		must(s.t, lab.WaitFor(soon(s.t), n.Name()+" to be settled", func(ctx context.Context) error {
			now, err := cluster.Status(ctx, n)
			if err == nil && (!now.Stable || now.Hold == "transition" || both && now.Peer().State != "active") {
				err = fmt.Errorf("it is %s, holds %s, its peer is %s; %s", now.State, now.Hold, now.Peer().State, now.Activity)
			}
			return err
		}))
	}
}

func (s *site) runs(n *lab.Node) bool { return n.On() && n.Active(soon(s.t), cluster.Unit) }

func (s *site) powerOff(n *lab.Node) time.Time {
	s.t.Helper()
	off, err := n.PowerOff()
	must(s.t, err)
	return off
}

// comeBack boots a node and starts its daemon.
func (s *site) comeBack(n *lab.Node) {
	s.t.Helper()
	must(s.t, n.Boot(within(s.t, time.Minute)))
	must(s.t, cluster.Start(soon(s.t), n))
	s.settled()
}

// held waits until a node's kernel has the address, and gives since when.
func (s *site) held(address netip.Addr, by *lab.Node) time.Time {
	s.t.Helper()
	since, err := s.watch.AwaitHolder(soon(s.t), address, by.Name())
	must(s.t, err)
	return since
}

// run runs a command in a node, which must exit with 0.
func (s *site) run(n *lab.Node, command string, args ...string) string {
	s.t.Helper()
	out, err := n.Run(soon(s.t), command, args...)
	must(s.t, err)
	return strings.TrimSpace(out)
}

// entries are what a node's daemon has reported since an instant.
func (s *site) entries(n *lab.Node, since time.Time) cluster.Entries {
	s.t.Helper()
	entries, err := cluster.Journal(soon(s.t), n, since)
	must(s.t, err)
	return entries
}

// entry waits for the first report of a kind since an instant. Pairs of field
// and value say more of it.
func (s *site) entry(n *lab.Node, since time.Time, kind string, with ...string) cluster.Entry {
	s.t.Helper()
	what := strings.Join(append([]string{kind}, with...), " ")
	e, err := cluster.WaitEntry(soon(s.t), n, since, what, func(e cluster.Entry) bool {
		for i := 0; i < len(with); i += 2 {
			if e.Get(with[i]) != with[i+1] {
				return false
			}
		}
		return e.Kind == kind
	})
	must(s.t, err)
	return e
}

// lastTakeover is the newest of a node's.
func (s *site) lastTakeover(n *lab.Node) control.Takeover {
	s.t.Helper()
	status, err := cluster.Status(soon(s.t), n)
	must(s.t, err)
	if len(status.Takeovers) == 0 {
		s.t.Fatalf("%s knows of no takeover", n)
	}
	return status.Takeovers[len(status.Takeovers)-1]
}

func (s *site) probe(url string) *lab.Probe {
	s.t.Helper()
	probe, err := s.lab.Probe(lab.Question{URL: url})
	must(s.t, err)
	return probe
}

// answered waits until a question asked from now on is answered by a node.
func (s *site) answered(probe *lab.Probe, by *lab.Node) lab.Sample {
	s.t.Helper()
	sample, err := probe.AwaitAnswer(soon(s.t), by.Name())
	must(s.t, err)
	return sample
}

// stop ends a prober.
func (s *site) stop(probe *lab.Probe) lab.Result {
	s.t.Helper()
	r, err := probe.Stop()
	must(s.t, err)
	return r
}

// logEntries tells, after a failure, what the nodes have reported. The test's
// context has ended by then.
func (s *site) logEntries() {
	if !s.t.Failed() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for _, n := range s.nodes() {
		if !n.On() {
			continue
		}
		if entries, err := cluster.Journal(ctx, n, time.Time{}); err == nil {
			s.t.Logf("what %s reported:\n%s", n, entries)
		}
	}
}
