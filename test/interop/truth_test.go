package interop

import (
	"context"
	"fmt"
	"strings"

	"github.com/systole-ha/systole/test/lab"
)

// truthful waits until cl_status on every node whose daemon runs tells the
// truth about both.
func (s *stage) truthful() {
	s.t.Helper()
	for _, n := range s.nodes() {
		if s.active[n] {
			s.says(n)
		}
	}
}

// says waits until cl_status of a node answers what it ought to. It is the
// daemon's own: a 3.0.6 node serves nobody before it takes part, nor when its
// history has filled since nobody acknowledges.
func (s *stage) says(n *lab.Node) {
	s.t.Helper()
	peer := s.other(n)
	questions := []string{"listnodes", "nodestatus " + n.Name(), "nodestatus " + peer.Name()}
	answers := []string{"beta alpha", "active", s.state(peer)}
	if !s.sideless {
		questions, answers = append(questions, "rscstatus"), append(answers, s.holds(n))
	}
	for _, network := range s.cfg.networks() {
		questions = append(questions, fmt.Sprintf("hblinkstatus %s %s", peer.Name(), network.Device()))
		answers = append(answers, s.link(peer, network))
	}
	var script strings.Builder
	for _, q := range questions {
		fmt.Fprintf(&script, "echo $(timeout --signal=KILL 2 cl_status %s 2>&1)\n", q)
	}
	want := strings.Join(answers, "\n")
	must(s.t, lab.WaitFor(soon(s.t), fmt.Sprintf("cl_status on %s to tell of %s", n, strings.Join(questions, ", ")), func(ctx context.Context) error {
		out, err := n.Run(ctx, "sh", "-c", script.String())
		if got := strings.TrimSpace(out); err == nil && got != want {
			err = fmt.Errorf("it answers %q, want %q", got, want)
		}
		return err
	}))
}

// holds is what cl_status rscstatus of a node calls what it ought to hold.
func (s *stage) holds(n *lab.Node) string {
	switch local, foreign := s.holder[n] == n || s.apart, s.holder[s.other(n)] == n || s.apart; {
	case local && foreign:
		return "all"
	case local:
		return "local"
	case foreign:
		return "foreign"
	}
	return "none"
}

func (s *stage) state(n *lab.Node) string {
	if s.active[n] && !s.apart {
		return "active"
	}
	return "dead"
}

func (s *stage) link(n *lab.Node, network lab.Network) string {
	if s.active[n] && !s.dead[network] && !s.apart {
		return "up"
	}
	return "dead"
}
