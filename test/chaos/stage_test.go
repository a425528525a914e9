package chaos

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/systole-ha/systole/test/lab"
)

// A stage is a pair of nodes that run a contender, and a watch of their
// addresses.
type stage struct {
	t        testing.TB
	lab      *lab.Lab
	watch    *lab.Watch
	by       contender
	deadtime time.Duration
	with     *protection
	fences   bool // the device runs
}

// newStage boots the nodes, with a server of web pages on each; the daemons do
// not run yet.
func newStage(t testing.TB, by contender, deadtime time.Duration) *stage {
	t.Helper()
	var options []lab.Option
	if by.pkg == "" {
		options = append(options, lab.WithNodes(lab.Names(3)...)) // the third for an arbiter
	}
	l := lab.New(t, options...)
	watch, err := l.Watch()
	must(t, err)
	s := &stage{t: t, lab: l, watch: watch, by: by, deadtime: deadtime}
	must(t, s.each(func(n *lab.Node) error {
		return errors.Join(lab.Nginx(n),
			n.WriteFile("/etc/systemd/system/nginx.service.d/prompt.conf", []byte(promptServer), 0o644),
			n.Reload(soon(t)), n.Start(soon(t), "nginx"))
	}))
	return s
}

// promptServer has the web server answer although the machine is busy: it is
// what the clients wait for, and not what is measured.
const promptServer = "[Service]\nCPUSchedulingPolicy=rr\nCPUSchedulingPriority=1\n"

func (s *stage) nodes() []*lab.Node { return s.lab.Nodes()[:2] }

func (s *stage) other(n *lab.Node) *lab.Node {
	for _, other := range s.nodes() {
		if other != n {
			return other
		}
	}
	panic("a pair has two nodes")
}

// each calls f for both nodes at once.
func (s *stage) each(f func(*lab.Node) error) error {
	errs := make([]error, 2)
	var all sync.WaitGroup
	for i, n := range s.nodes() {
		all.Go(func() { errs[i] = f(n) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// fresh has the contender start on both nodes, whatever was before, and waits
// until one of them serves.
func (s *stage) fresh(with *protection) {
	s.t.Helper()
	s.with = with
	must(s.t, s.each(func(n *lab.Node) error {
		if !n.On() {
			if err := s.boot(n); err != nil {
				return err
			}
		}
		s.clear(n)
		return errors.Join(s.by.install(n, s.deadtime, with), n.Reload(soon(s.t)))
	}))
	if with.begin != nil {
		must(s.t, with.begin(s))
	}
	must(s.t, s.each(func(n *lab.Node) error { return n.Start(soon(s.t), s.by.unit) }))
	must(s.t, s.settle(max(6*s.deadtime, 30*time.Second)))
}

// clear ends the contender on a node and removes all that it may have left.
func (s *stage) clear(n *lab.Node) {
	_ = n.Signal(soon(s.t), s.by.unit, "KILL")
	_ = n.Stop(soon(s.t), s.by.unit)
	_, _ = n.Run(soon(s.t), "ip", "address", "delete", virtual.String()+"/24", "dev", "eth0")
	_, _ = n.Run(soon(s.t), "systemctl", "reset-failed", s.by.unit)
	for _, dir := range s.by.forgets {
		_, _ = n.Run(soon(s.t), "find", dir, "-mindepth", "1", "-delete")
	}
}

// boot switches a node on again, with its web server.
func (s *stage) boot(n *lab.Node) error {
	return errors.Join(n.Boot(within(s.t, time.Minute)), n.Start(soon(s.t), "nginx"))
}

// serving is the node that holds the address.
func (s *stage) serving() (*lab.Node, error) {
	h, err := s.watch.History()
	if err != nil {
		return nil, err
	}
	holders := h.Holders(virtual)
	if len(holders) != 1 {
		return nil, fmt.Errorf("held by %v", holders)
	}
	return s.lab.Node(holders[0]), nil
}

// calm is how long one node alone must hold the address before a stage is
// settled.
const calm = 500 * time.Millisecond

// settle waits until one node holds the address, for a while now, and the
// other could take it over. The daemons are asked only when the kernels agree,
// and not all the time: on a machine with two cores a question is a burden.
func (s *stage) settle(longest time.Duration) error {
	return lab.WaitFor(within(s.t, longest), s.by.name+" to be settled", func(ctx context.Context) error {
		if err := s.alone(); err != nil {
			return err
		}
		err := s.each(func(n *lab.Node) error {
			if !s.by.told && !n.Active(ctx, s.by.unit) {
				return fmt.Errorf("%s does not run", n)
			}
			return s.by.ready(ctx, n)
		})
		if err != nil {
			return errors.Join(err, pass(ctx, between))
		}
		return s.alone()
	})
}

// between is how long is waited after an answer that was not the wanted one.
const between = 200 * time.Millisecond

// alone says why not one node alone has held the address for a while.
func (s *stage) alone() error {
	serves, err := s.serving()
	if err != nil {
		return err
	}
	h, err := s.watch.History()
	if err != nil {
		return err
	}
	all := h.Holdings(virtual)
	last := all[len(all)-1]
	if both := h.Overlaps(virtual); len(both) > 0 && both[len(both)-1].To.After(last.From) {
		last.From = both[len(both)-1].To
	}
	if since := time.Since(last.From); since < calm {
		return fmt.Errorf("%s holds it, but only since %v", serves, since)
	}
	return nil
}
