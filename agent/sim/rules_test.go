package sim

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/exporters/ledger"
)

// rules is what must hold in every history.
type rules struct {
	w      *World
	double []time.Time // by group: since when both hold it; zero when not
	never  bool        // no address may be on two nodes at any instant
	alone  bool        // nothing of a group may run on two nodes at any instant
	err    error       // the first that did not hold
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
	if n.told || n.wakes%16 == 0 {
		if d := n.Disagreement(); d != "" {
			r.fail("%s: %s", n.Name, d)
		}
	}
	works := r.together()
	for i, g := range r.w.Cluster.Groups {
		if r.never && r.count(func(n *Node) bool { return n.Has(i) }) > 1 {
			r.fail("both nodes have an address of %s", g.Key())
		}
		if r.count(func(n *Node) bool { return n.Holds(i) }) < 2 {
			r.double[i] = time.Time{}
			continue
		}
		if r.alone {
			r.fail("both nodes hold %s", g.Key())
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

func (r *rules) count(is func(*Node) bool) int {
	count := 0
	for _, n := range r.w.Nodes {
		if is(n) {
			count++
		}
	}
	return count
}

// booked wants an outage that a node ends under a cause that the ledger, and so
// the metrics, know.
func (r *rules) booked(n *Node, e event.Event) {
	if o, ok := e.(event.OwnerChanged); ok && o.To == n.Name && o.Unowned > 0 && !slices.Contains(ledger.Causes, o.Cause) {
		r.fail("%s: an outage for the cause %q, which nobody counts", n.Name, o.Cause)
	}
}

// settled holds the end of a history against the rules: every group is served
// once, and nobody is busy.
func (r *rules) settled() error {
	for i, g := range r.w.Cluster.Groups {
		if count := r.count(func(n *Node) bool { return n.Serves(i) }); count != 1 {
			return fmt.Errorf("%s is served by %d of %d nodes", g.Key(), count, len(r.w.Nodes))
		}
	}
	for _, n := range r.w.Nodes {
		if n.Core != nil && n.Core.Takeover().Activity != "" {
			return fmt.Errorf("%s is busy: %s", n.Name, n.Core.Takeover().Activity)
		}
	}
	return nil
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
		there, back := l.lastHeard[way{a, b}], l.lastHeard[way{b, a}]
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

// TestTheRulesCanFail breaks what the rules protect and expects them to say so.
func TestTheRulesCanFail(t *testing.T) {
	w := New(1, pair(1))
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
