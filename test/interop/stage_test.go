package interop

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/systole-ha/systole/test/lab"
)

// A stage is a cluster of two daemons, what watches it, and where everything
// ought to be.
type stage struct {
	t            *testing.T
	cfg          configuration
	lab          *lab.Lab
	watch        *lab.Watch
	probes       map[netip.Addr]*lab.Probe
	ours, theirs *lab.Node // the node of systole, and the other
	runs         map[*lab.Node]*daemon
	cursors      map[*lab.Node]string // of the journals, up to which they have been read

	// What ought to be so.
	active map[*lab.Node]bool      // the daemon runs
	holder map[*lab.Node]*lab.Node // who holds what prefers a node; nil for nobody
	dead   map[lab.Network]bool    // links on which nobody is heard
	apart  bool                    // neither hears the other, and each has everything

	sideless bool // a node that is preferred for nothing may claim that nothing, or not
}

// newStage boots two nodes with a daemon each, which do not run yet.
func newStage(t *testing.T, cfg configuration, ours, theirs *daemon) *stage {
	t.Helper()
	l := lab.New(t)
	watch, err := l.Watch()
	must(t, err)
	s := &stage{
		t: t, cfg: cfg, lab: l, watch: watch, probes: map[netip.Addr]*lab.Probe{}, cursors: map[*lab.Node]string{},
		sideless: cfg.lines == 1,
		active:   map[*lab.Node]bool{}, holder: map[*lab.Node]*lab.Node{}, dead: map[lab.Network]bool{},
	}
	s.ours = l.Node(cfg.systole)
	s.theirs = s.other(s.ours)
	s.runs = map[*lab.Node]*daemon{s.ours: ours, s.theirs: theirs}
	t.Cleanup(s.keepJournals)
	for _, n := range s.nodes() {
		must(t, s.runs[n].install(n, cfg.files(n, s.other(n))))
	}
	for _, address := range cfg.addresses() {
		s.probes[address], err = l.Probe(lab.Question{URL: "icmp://" + address.String()})
		must(t, err)
	}
	return s
}

// keepJournals leaves the journals of both nodes to whoever runs the test with
// -artifacts.
func (s *stage) keepJournals() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for _, n := range s.nodes() {
		if n.On() {
			journal, _ := n.Journal(ctx)
			must(s.t, os.WriteFile(filepath.Join(s.t.ArtifactDir(), n.Name()+".log"), []byte(journal), 0o644))
		}
	}
}

func (s *stage) nodes() []*lab.Node { return s.lab.Nodes() }

func (s *stage) other(n *lab.Node) *lab.Node {
	for _, other := range s.nodes() {
		if other != n {
			return other
		}
	}
	panic("a pair has two nodes")
}

// begin starts the daemons of nodes, all at once.
func (s *stage) begin(nodes ...*lab.Node) {
	s.t.Helper()
	s.each(nodes, func(n *lab.Node) error { return s.runs[n].start(within(s.t, patience), n) })
	for _, n := range nodes {
		s.active[n] = true
	}
}

// stop stops the daemons of nodes, all at once.
func (s *stage) stop(nodes ...*lab.Node) {
	s.t.Helper()
	s.each(nodes, func(n *lab.Node) error { return n.Stop(within(s.t, time.Minute), s.runs[n].unit) })
	for _, n := range nodes {
		s.active[n] = false
	}
}

func (s *stage) each(nodes []*lab.Node, f func(*lab.Node) error) {
	s.t.Helper()
	errs := make([]error, len(nodes))
	var all sync.WaitGroup
	for i, n := range nodes {
		all.Go(func() { errs[i] = f(n) })
	}
	all.Wait()
	must(s.t, errors.Join(errs...))
}

// run runs a command in a node, which must exit with 0.
func (s *stage) run(n *lab.Node, command string, args ...string) {
	s.t.Helper()
	_, err := n.Run(soon(s.t), command, args...)
	must(s.t, err)
}

// order is an operator's command.
func (s *stage) order(n *lab.Node, command, what string) {
	s.t.Helper()
	s.run(n, s.runs[n].commands+command, what)
}

// own says that each node holds what prefers it.
func (s *stage) own() {
	for _, n := range s.nodes() {
		s.holder[n] = n
	}
}

// all says that one node holds everything.
func (s *stage) all(by *lab.Node) {
	for _, n := range s.nodes() {
		s.holder[n] = by
	}
}

// back says what has become of what prefers a node that takes part again.
func (s *stage) back() {
	if s.cfg.failback == "on" {
		s.own()
	}
}

// placed waits until the kernels say that every address is where it ought to be
// and nowhere else.
func (s *stage) placed() {
	s.t.Helper()
	_, err := s.watch.Await(within(s.t, time.Minute), fmt.Sprintf("the addresses to be as %s", s.wanted()), func(h lab.History) bool {
		for name, address := range s.cfg.addresses() {
			var want []string
			if holder := s.holder[s.lab.Node(name)]; holder != nil {
				want = []string{holder.Name()}
			}
			if !slices.Equal(h.Holders(address), want) {
				return false
			}
		}
		return true
	})
	must(s.t, err)
}

func (s *stage) wanted() string {
	text := ""
	for name, address := range s.cfg.addresses() {
		text += fmt.Sprintf("%s on %v ", address, s.holder[s.lab.Node(name)])
	}
	return text
}

// answered waits until the client is answered by every address that is held.
func (s *stage) answered() {
	s.t.Helper()
	for name, address := range s.cfg.addresses() {
		if s.holder[s.lab.Node(name)] != nil {
			_, err := s.probes[address].AwaitAnswer(soon(s.t), "")
			must(s.t, err)
		}
	}
}

// part cuts networks between the nodes, both ways; clients reach both.
func (s *stage) part(networks ...lab.Network) {
	s.t.Helper()
	s.wire(s.lab.Part, networks)
}

func (s *stage) join(networks ...lab.Network) {
	s.t.Helper()
	s.wire(s.lab.Join, networks)
}

func (s *stage) wire(do func(network lab.Network, from, to string) error, networks []lab.Network) {
	s.t.Helper()
	for _, network := range networks {
		must(s.t, do(network, s.ours.Name(), s.theirs.Name()))
		must(s.t, do(network, s.theirs.Name(), s.ours.Name()))
	}
}
