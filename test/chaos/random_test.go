package chaos

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/systole-ha/systole/test/cluster"
	"github.com/systole-ha/systole/test/lab"
)

var (
	length = flag.Duration("length", 20*time.Second, "how long faults are drawn at random: make mayhem LENGTH=1h")
	brisk  = flag.Duration("deadtime", 500*time.Millisecond, "of the pair that faults befall at random")
	random = flag.Uint64("random", 1, "draw the faults of this seed; 0 draws one: make mayhem SEED=7")
)

// TestRandom lets faults befall a pair at random, some of them two at once, and
// holds every instant against the rules: never two nodes answer, for a lease and
// the vote of an arbiter forbid it, and whenever the trouble is over every group is served
// by one node. What the daemons use must not grow. Of the daemons only alpha's
// is ever killed or restarted, so that beta's has a whole run to leak in.
func TestRandom(t *testing.T) {
	seed := *random
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("seed %d: make mayhem SEED=%d LENGTH=%v", seed, seed, *length)
	m := &mayhem{stage: newStage(t, worker(), *brisk), draw: rand.New(rand.NewPCG(seed, 1)), counts: map[string]int{}}
	m.fresh(arbiter)
	m.atRest("beta") // so that both have opened what they open when first they serve
	before := m.atRest("alpha")
	var usages []usage
	m.began = time.Now()
	for time.Since(m.began) < *length && !t.Failed() {
		m.step()
		if time.Since(m.began) > time.Duration(len(usages))**length/samples {
			usages = append(usages, m.usage("beta"))
			t.Logf("%v: beta uses %s", time.Since(m.began).Round(time.Second), usages[len(usages)-1])
		}
	}
	t.Logf("%d faults in %v: %v", m.struck, time.Since(m.began).Round(time.Second), m.counts)
	t.Logf("where nothing forbids it, two nodes had an address for %v and answered for %v; where something does, never", m.allowed.held, m.allowed.answered)
	if !t.Failed() {
		m.expectSame(before, m.atRest("alpha"))
		m.expectFlat(usages)
	}
}

// samples are how often memory is looked at in a run.
const samples = 15

// worker is systole with a service beside its address, and a second group that
// prefers the other node.
func worker() contender {
	c := systole
	c.install = func(n *lab.Node, deadtime time.Duration, with *protection) error {
		if err := installSystole(n, deadtime, with); err != nil {
			return err
		}
		if err := n.WriteFile("/etc/ha.d/haresources", []byte("alpha IPaddr::192.0.2.50/24/eth0 worker\nbeta IPaddr::192.0.2.51/24/eth0\n"), 0o644); err != nil {
			return err
		}
		return n.WriteFile("/etc/systemd/system/worker.service", []byte("[Service]\nExecStart=/bin/sleep infinity\nRestart=always\nRestartSec=50ms\n"), 0o644)
	}
	return c
}

// A mayhem is a random run.
type mayhem struct {
	*stage
	draw    *rand.Rand
	began   time.Time
	struck  int
	counts  map[string]int
	allowed struct{ held, answered time.Duration }
}

// A blow is a fault as it is drawn: what, on which node, for how long.
type blow struct {
	fault
	on    *lab.Node
	lasts time.Duration
}

// killsDaemon are the faults that end the daemon or the node.
var killsDaemon = []string{
	"power lost", "the daemon is killed (SIGKILL)", "killed for want of memory", "systemctl restart",
	"state directory full, and a restart",
}

// only random faults: orders of an operator, and what the table has no row for.
var extras = []fault{
	{name: "hb_standby", strike: operator("hb_standby", "all"), brief: true},
	{name: "hb_standby local", strike: operator("hb_standby", "local"), brief: true},
	{name: "hb_takeover", strike: operator("hb_takeover", "all"), brief: true},
	{name: "reload", strike: systemctl("reload", ""), brief: true},
	{
		name: "a service crashes", brief: true,
		strike: func(ctx context.Context, _ *stage, n *lab.Node) error {
			_, err := n.Run(ctx, "sh", "-c", "systemctl is-active --quiet worker || exit 0; systemctl kill --signal=KILL worker")
			return err
		},
	},
	{
		name: "a third of the packets lost",
		strike: func(_ context.Context, _ *stage, n *lab.Node) error {
			return loseOn(n, 0.3)
		},
		mend: func(_ context.Context, _ *stage, n *lab.Node) error { return loseOn(n, 0) },
	},
}

func loseOn(n *lab.Node, fraction float64) error {
	if err := n.Lose(lab.Service, lab.Both, fraction); err != nil {
		return err
	}
	return n.Lose(lab.Private, lab.Both, fraction)
}

// operator makes a request, which may be refused: by a node that is busy, or
// alone.
func operator(command, scope string) func(context.Context, *stage, *lab.Node) error {
	return func(ctx context.Context, _ *stage, n *lab.Node) error {
		_, _ = n.Run(ctx, command, scope)
		return nil
	}
}

// one draws a blow.
func (m *mayhem) one() blow {
	all := slices.Concat(faults, extras)
	for {
		f, on := all[m.draw.IntN(len(all))], m.nodes()[m.draw.IntN(2)]
		lasts := time.Duration(m.draw.IntN(int((*brisk + time.Second).Milliseconds()))) * time.Millisecond
		if f.brief {
			lasts /= 4
		}
		if f.with == nil && (on.Name() == "alpha" || !slices.Contains(killsDaemon, f.name)) {
			return blow{f, on, lasts}
		}
	}
}

// step draws one blow, or two of which the second strikes while the first lasts,
// and holds what happened until all is well against the rules.
func (m *mayhem) step() {
	blows := []blow{m.one()}
	if m.draw.IntN(4) == 0 {
		if second := m.one(); second.name != blows[0].name && !clash(blows[0], second) {
			blows = append(blows, second)
		}
	}
	began := time.Now()
	census, err := m.lab.Census(virtual)
	must(m.t, err)
	ctx, cancel := context.WithTimeout(m.t.Context(), time.Minute)
	defer cancel()
	for _, b := range blows {
		m.struck++
		m.counts[b.name]++
		m.t.Logf("%8.3fs fault %d: %s, on %s, for %v", time.Since(m.began).Seconds(), m.struck, b.name, b.on, b.lasts)
		if err := b.strike(ctx, m.stage, b.on); err != nil {
			m.t.Errorf("strike: %v", err)
		}
		must(m.t, pass(ctx, b.lasts))
	}
	for _, b := range blows {
		if b.mend == nil {
			continue
		}
		if err := b.mend(ctx, m.stage, b.on); err != nil {
			m.t.Errorf("mend %s: %v", b.name, err)
		}
	}
	if err := m.settleAll(time.Minute); err != nil {
		m.t.Errorf("lost: %v", err)
	}
	answers, err := census.Stop()
	must(m.t, err)
	// Of two answers within that, either may have been read first.
	two := slices.DeleteFunc(lab.TwoAnswered(answers), func(s lab.Span) bool { return s.Length() <= lab.Resolution })
	m.judge(blows, began, lab.Total(two))
}

// clash reports whether two faults undo each other's effect: a node that is off
// or stands still can suffer nothing else.
func clash(a, b blow) bool {
	still := func(b blow) bool {
		return slices.Contains([]string{"power lost", "the whole node stands still"}, b.name)
	}
	unit := func(b blow) bool {
		return slices.Contains(killsDaemon, b.name) || strings.Contains(b.name, "SIGSTOP")
	}
	links := func(b blow) bool { return strings.Contains(b.name, "cut") || strings.Contains(b.name, "packets") }
	return a.on == b.on && (still(a) || still(b) || unit(a) && unit(b)) || links(a) && links(b)
}

// judge adds up what two nodes had at once since an instant.
func (m *mayhem) judge(blows []blow, since time.Time, answered time.Duration) {
	h, err := m.watch.History()
	must(m.t, err)
	var held time.Duration
	for _, address := range addresses {
		for _, both := range h.Overlaps(address) {
			if both.From.After(since) && both.Length() > lab.Resolution {
				held += both.Length()
			}
		}
	}
	if m.with != arbiter && slices.ContainsFunc(blows, func(b blow) bool { return !b.promised() }) {
		m.allowed.held += held
		m.allowed.answered += answered
		return
	}
	// Below a second and a quarter it is a gate that keeps the second one silent.
	if leased := *brisk >= 1500*time.Millisecond; held > 0 && leased || answered > 0 {
		m.t.Errorf("two nodes had an address for %v and answered for %v in\n%s", held, answered, tail(h, since))
	}
}

// tail is the part of a history from an instant on.
func tail(h lab.History, since time.Time) lab.History {
	h.Changes = slices.DeleteFunc(slices.Clone(h.Changes), func(c lab.Change) bool { return c.At.Before(since) })
	return h
}

// settleAll waits until the stage is settled, the second group too, and the
// service runs where its address is and nowhere else.
func (m *mayhem) settleAll(longest time.Duration) error {
	began := time.Now()
	if err := m.settle(longest); err != nil {
		return err
	}
	return lab.WaitFor(within(m.t, longest-time.Since(began)), "every group to be served once", func(ctx context.Context) error {
		serves, err := m.serving()
		if err != nil {
			return err
		}
		h, err := m.watch.History()
		if err != nil {
			return err
		}
		if holders := h.Holders(addresses[1]); len(holders) != 1 {
			return fmt.Errorf("%s is held by %v", addresses[1], holders)
		}
		err = m.each(func(n *lab.Node) error {
			if runs := n.Active(ctx, "worker"); runs != (n == serves) {
				return fmt.Errorf("worker runs on %s: %v, and the address is on %s", n, runs, serves)
			}
			return nil
		})
		if err != nil {
			return errors.Join(err, pass(ctx, between))
		}
		return nil
	})
}

// atRest brings the cluster to the state in which one node serves everything,
// and says what is there then.
func (m *mayhem) atRest(name string) map[string]rest {
	m.t.Helper()
	n := m.lab.Node(name)
	must(m.t, lab.WaitFor(within(m.t, time.Minute), name+" to hold all", func(ctx context.Context) error {
		_, _ = n.Run(ctx, "hb_takeover", "all")
		s, err := cluster.Status(ctx, n)
		if err == nil && s.Hold != "all" {
			err = fmt.Errorf("it holds %s", s.Hold)
		}
		return err
	}))
	must(m.t, m.settleAll(30*time.Second))
	rests := map[string]rest{}
	for _, n := range m.nodes() {
		rests[n.Name()] = m.rest(n)
	}
	return rests
}
