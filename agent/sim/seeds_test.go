package sim

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/agent/takeover"
	"github.com/systole-ha/systole/exporters/ledger"
	"github.com/systole-ha/systole/resources"
)

var (
	seeds = flag.Int("seeds", 1000, "how many histories")
	seed  = flag.Uint64("seed", 0, "replay this one, aloud")
)

// TestSeeds plays many histories of faults and holds them against the rules.
func TestSeeds(t *testing.T) { playAll(t, *seeds, history) }

// TestLeases plays histories in which daemons and nodes freeze, crash and come
// back, but hear each other while they run: then no address is ever on two.
func TestLeases(t *testing.T) { playAll(t, *seeds/2, leasedHistory) }

func playAll(t *testing.T, seeds int, play func(seed uint64, aloud bool) error) {
	if *seed != 0 {
		if err := play(*seed, true); err != nil {
			t.Fatal(err)
		}
		return
	}
	var next, failed atomic.Int64
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for s := next.Add(1); s <= int64(seeds) && failed.Load() < 5; s = next.Add(1) {
				if err := play(uint64(s), false); err != nil {
					failed.Add(1)
					t.Errorf("seed %d: %v\nreplay: go test ./agent/sim -run %s -seed %d -v", s, err, t.Name(), s)
				}
			}
		})
	}
	workers.Wait()
}

// TestTheRulesCanFail breaks what the rules protect and expects them to say so.
func TestTheRulesCanFail(t *testing.T) {
	w := New(1, cluster(1))
	r := watch(w)
	for _, n := range w.Nodes {
		n.Boot()
	}
	w.RunUntil(Epoch.Add(time.Minute))
	if r.err != nil {
		t.Fatal(r.err)
	}
	for _, n := range w.Nodes { // somebody starts everything by hand on both
		for _, g := range w.Cluster.Groups {
			for _, res := range g.Resources {
				n.running[res.Spec.String()] = true
			}
		}
	}
	w.RunUntil(Epoch.Add(2 * time.Minute))
	if r.err == nil || !strings.Contains(r.err.Error(), "held by both") {
		t.Errorf("two holders were not noticed: %v", r.err)
	}
}

func cluster(seed uint64) Cluster {
	c := Cluster{
		Nodes: []string{"alpha", "beta"}, Links: []string{"eth0", "eth1"},
		Keepalive: 100 * time.Millisecond, Deadtime: time.Second, Initdead: 3 * time.Second,
		AutoFailback: seed%2 == 0,
	}
	if seed%5 == 0 {
		c.Links = c.Links[:1]
	}
	address := func(n int) takeover.Resource {
		return takeover.Resource{Spec: resources.Spec{Name: "IPaddr", Args: []string{fmt.Sprintf("192.0.2.%d", n)}}, Driver: "ipaddr", Announced: true}
	}
	unit := func(name string) takeover.Resource {
		return takeover.Resource{Spec: resources.Spec{Name: name}, Driver: "systemd"}
	}
	c.Groups = []takeover.Group{
		{Preferred: "alpha", Resources: []takeover.Resource{address(10), unit("web")}},
		{Preferred: "alpha", Resources: []takeover.Resource{unit("cron")}},
		{Preferred: "beta", Resources: []takeover.Resource{address(20), address(21), unit("mail"), unit("imap")}},
	}
	return c
}

// rules is what must hold in every history.
type rules struct {
	w      *World
	double []time.Time // by group: since when both hold it; zero when not
	leased bool        // no address may be on both nodes at any instant
	err    error
}

func watch(w *World) *rules {
	r := &rules{w: w, double: make([]time.Time, len(w.Cluster.Groups))}
	w.Check = r.check
	return r
}

func (r *rules) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("at %s: %s", r.w.Elapsed(), fmt.Sprintf(format, args...))
	}
}

func (r *rules) check(n *Node) {
	if d := n.Disagreement(); d != "" {
		r.fail("%s: %s", n.Name, d)
	}
	works := r.together()
	for i, g := range r.w.Cluster.Groups {
		if r.leased && r.w.Nodes[0].Has(g) && r.w.Nodes[1].Has(g) {
			r.fail("both nodes have an address of %s", g.Key())
		}
		if !r.w.Nodes[0].Holds(g) || !r.w.Nodes[1].Holds(g) {
			r.double[i] = time.Time{}
			continue
		}
		if r.double[i].IsZero() {
			r.double[i] = r.w.Now
		}
		since := r.double[i]
		// While the nodes have been together, it must not begin; once they are
		// together again, it must end.
		if begun := !works.IsZero() && since.Sub(works) > r.grace(); begun {
			r.fail("%s is held by both although they have been together since %v", g.Key(), works.Sub(Epoch))
		}
		if lasted := !works.IsZero() && r.w.Now.Sub(works) > r.grace() && r.w.Now.Sub(since) > r.grace(); lasted {
			r.fail("%s is held by both since %v", g.Key(), since.Sub(Epoch))
		}
	}
}

// booked wants an outage that a node ends under a cause that the ledger, and so
// the metrics, know.
func (r *rules) booked(n *Node, e event.Event) {
	if o, ok := e.(event.OwnerChanged); ok && o.To == n.Name && o.Unowned > 0 && !slices.Contains(ledger.Causes, o.Cause) {
		r.fail("%s: an outage for the cause %q, which nobody counts", n.Name, o.Cause)
	}
}

// grace is the time in which two owners that meet again become one: a peer is
// heard, a unit takes 200 ms to stop.
func (r *rules) grace() time.Duration { return 2 * r.w.Cluster.Deadtime }

// together is since when both daemons run, unfrozen, and at least one link has
// carried heartbeats both ways, none further apart than half a deadtime; zero
// when they are not.
func (r *rules) together() time.Time {
	a, b := r.w.Nodes[0], r.w.Nodes[1]
	now := r.w.Now
	var since time.Time
	for _, l := range r.w.links {
		there, back := l.lastHeard[[2]string{a.Name, b.Name}], l.lastHeard[[2]string{b.Name, a.Name}]
		gap := r.w.Cluster.Deadtime / 2
		up := a.Core != nil && b.Core != nil && !a.Frozen && !b.Frozen && now.Sub(there) < gap && now.Sub(back) < gap
		switch {
		case !up:
			l.worksSince = time.Time{}
		case l.worksSince.IsZero():
			l.worksSince = now
		}
		if up && (since.IsZero() || l.worksSince.Before(since)) {
			since = l.worksSince
		}
	}
	for _, n := range r.w.Nodes {
		if n.Started.After(since) && !since.IsZero() {
			since = n.Started
		}
	}
	return since
}

// history plays one seed: two minutes of faults, then peace, in which
// everything must come to be held by exactly one node.
func history(seed uint64, aloud bool) error {
	w := New(seed, cluster(seed))
	return unfold(w, &faults{w: w, aloud: aloud}, watch(w))
}

// leasedHistory is history without cuts, and with leases: shorter than the
// deadtime by more than a keepalive.
func leasedHistory(seed uint64, aloud bool) error {
	return leasedFor(func(c Cluster) time.Duration { return c.Deadtime - c.Keepalive - 50*time.Millisecond })(seed, aloud)
}

// TestLeasesCanBeTooLong sees that the rule of leased histories can fail: a
// lease that outlasts the deadtime leaves an address on two nodes.
func TestLeasesCanBeTooLong(t *testing.T) {
	tooLong := leasedFor(func(c Cluster) time.Duration { return 2 * c.Deadtime })
	for seed := range uint64(100) {
		if err := tooLong(seed+1, false); err != nil && strings.Contains(err.Error(), "both nodes have an address") {
			return
		}
	}
	t.Error("no history of 100 had an address on two nodes")
}

func leasedFor(lease func(Cluster) time.Duration) func(seed uint64, aloud bool) error {
	return func(seed uint64, aloud bool) error { return leasedWith(seed, aloud, lease) }
}

func leasedWith(seed uint64, aloud bool, lease func(Cluster) time.Duration) error {
	c := cluster(seed)
	c.Lease = lease(c)
	for _, g := range c.Groups {
		for i := range g.Resources {
			g.Resources[i].Leased = g.Resources[i].Announced
		}
	}
	w := New(seed, c)
	r := watch(w)
	r.leased = true
	return unfold(w, &faults{w: w, aloud: aloud, whole: true}, r)
}

func unfold(w *World, f *faults, r *rules) (err error) {
	aloud := f.aloud
	w.Watch = func(n *Node, e event.Event) {
		r.booked(n, e)
		if aloud && event.SeverityOf(e) > event.Sample {
			fmt.Fprintln(os.Stdout, w.Elapsed(), n.Name, event.Text(e))
		}
	}
	defer func() {
		if p := recover(); p != nil {
			if aloud {
				panic(p)
			}
			err = fmt.Errorf("at %s: panic: %v", w.Elapsed(), p)
		}
	}()
	w.After(0, func() { w.Nodes[0].Boot() })
	w.After(time.Duration(w.Random.IntN(5000))*time.Millisecond, func() { w.Nodes[1].Boot() })
	f.trouble(Epoch.Add(2 * time.Minute))
	w.RunUntil(Epoch.Add(2 * time.Minute))
	f.peace()
	// The bound: initdead, and the minute before what failed on both nodes is
	// tried again, and what a refused offer waits.
	w.RunUntil(w.Now.Add(90 * time.Second))
	for _, g := range w.Cluster.Groups {
		if a, b := w.Nodes[0].Serves(g), w.Nodes[1].Serves(g); a == b {
			r.fail("in the end %s is served by %v of two nodes", g.Key(), map[bool]string{true: "both", false: "none"}[a])
		}
	}
	for _, n := range w.Nodes {
		if n.Core != nil && n.Core.Takeover().Activity != "" {
			r.fail("in the end %s is still busy: %s", n.Name, n.Core.Takeover().Activity)
		}
	}
	return r.err
}

// faults makes trouble.
type faults struct {
	w     *World
	aloud bool
	whole bool // no link is ever cut, and none loses much
}

func (f *faults) trouble(end time.Time) {
	next := time.Duration(f.w.Random.IntN(8000)) * time.Millisecond
	if f.w.Now.Add(next).After(end) {
		return
	}
	f.w.After(next, func() {
		f.one()
		f.trouble(end)
	})
}

func (f *faults) say(format string, args ...any) {
	if f.aloud {
		fmt.Printf("%s ---- %s\n", f.w.Elapsed(), fmt.Sprintf(format, args...))
	}
}

func (f *faults) one() {
	w := f.w
	n, other := w.Nodes[0], w.Nodes[1]
	if w.Random.IntN(2) == 1 {
		n, other = other, n
	}
	link := w.Random.IntN(len(w.links))
	l := w.links[link]
	kind := w.Random.IntN(15)
	if f.whole && kind >= 6 && kind <= 10 {
		kind = 13 // a freeze for a cut or a loss
	}
	switch kind {
	case 0:
		f.say("power off %s", n.Name)
		n.PowerOff()
	case 1:
		f.say("kill %s", n.Name)
		n.Kill()
	case 2:
		f.say("stop %s", n.Name)
		n.Stop()
	case 3, 4, 5:
		f.say("boot both")
		n.Boot()
		other.Boot()
	case 6:
		f.say("cut %d from %s to %s", link, n.Name, other.Name)
		w.Cut(link, n.Name, other.Name)
	case 7:
		f.say("cut %d", link)
		w.Cut(link, n.Name, other.Name)
		w.Cut(link, other.Name, n.Name)
	case 8, 9:
		f.say("mend %d", link)
		w.Mend(link, n.Name, other.Name)
		w.Mend(link, other.Name, n.Name)
	case 10:
		l.Loss, l.Repeat = w.Random.Float64()*0.3, w.Random.Float64()*0.2
		l.Jitter = time.Duration(w.Random.IntN(80)) * time.Millisecond
		f.say("link %d loses %.0f %%, repeats %.0f %%, jitter %v", link, l.Loss*100, l.Repeat*100, l.Jitter)
	case 11, 12:
		request := []string{"standby", "takeover"}[w.Random.IntN(2)]
		scope := []string{"all", "local", "foreign"}[w.Random.IntN(3)]
		f.say("request %s %s on %s", request, scope, n.Name)
		n.Request(request, scope, nil)
	case 13:
		if n.Core != nil && !n.Frozen {
			f.say("freeze %s", n.Name)
			n.Freeze()
			w.After(time.Duration(w.Random.IntN(4000))*time.Millisecond, func() {
				f.say("thaw %s", n.Name)
				n.Thaw()
			})
		}
	case 14:
		g := w.Cluster.Groups[w.Random.IntN(len(w.Cluster.Groups))]
		bad := g.Resources[w.Random.IntN(len(g.Resources))].Spec.String()
		f.say("%s does not start on %s", bad, n.Name)
		n.Fails = func(op takeover.Operation, r takeover.Resource) error {
			if op == takeover.Start && r.Spec.String() == bad {
				return ErrBroken
			}
			return nil
		}
	}
}

// peace undoes every fault and starts whoever is down.
func (f *faults) peace() {
	f.say("peace")
	for link, l := range f.w.links {
		l.Loss, l.Repeat, l.Jitter = 0, 0, 100*time.Microsecond
		clear(l.cut)
		_ = link
	}
	for _, n := range f.w.Nodes {
		n.Fails = func(takeover.Operation, takeover.Resource) error { return nil }
		n.Thaw()
		n.Boot()
	}
}
