package sim

import (
	"fmt"
	"slices"
	"time"

	"github.com/systole-ha/systole/agent/takeover"
)

// A fault is one kind of trouble. What it needs to know (on which node, for how
// long) it draws itself, from the world's chance and nowhere else.
type fault struct {
	name   string
	weight int // how often it is drawn, against the sum of all
	strike func(t *trouble)
}

// Faults that a story may draw. A new kind goes here, or into a list of its own
// beside the feature that it is about; what it breaks for longer than it runs it
// has mended by trouble.atPeace.
var (
	endings = []fault{
		{"power off", 1, func(t *trouble) { n := t.node(); t.say("%s", n.Name); n.PowerOff() }},
		{"kill", 1, func(t *trouble) { n := t.node(); t.say("%s", n.Name); n.Kill() }},
		{"restart", 1, restart},
		{"stop", 1, func(t *trouble) { n := t.node(); t.say("%s", n.Name); n.Stop() }},
		{"boot all", 3, bootAll},
	}
	freezes  = []fault{{"freeze", 1, freeze}}
	requests = []fault{{"request", 2, request}}
	breakage = []fault{{"broken resource", 1, breakResource}}
	cuts     = []fault{
		{"cut one way", 1, cutOneWay},
		{"cut", 1, cutBothWays},
		{"mend", 2, mend},
		{"loss", 1, lose},
	}
)

// times makes faults that many times more frequent.
func times(more int, faults []fault) []fault {
	frequent := slices.Clone(faults)
	for i := range frequent {
		frequent[i].weight *= more
	}
	return frequent
}

// A trouble is the making of trouble in one history.
type trouble struct {
	w     *World
	kinds []fault
	aloud bool
	now   string   // the fault that strikes
	undo  []func() // at peace
}

// until strikes at random instants, every four seconds on average.
func (t *trouble) until(end time.Time) {
	next := time.Duration(t.w.Random.IntN(8000)) * time.Millisecond
	if t.w.Now.Add(next).After(end) {
		return
	}
	t.w.After(next, func() {
		f := t.draw()
		t.now = f.name
		f.strike(t)
		t.until(end)
	})
}

func (t *trouble) draw() fault {
	sum := 0
	for _, f := range t.kinds {
		sum += f.weight
	}
	at := t.w.Random.IntN(sum)
	for _, f := range t.kinds {
		if at -= f.weight; at < 0 {
			return f
		}
	}
	panic("sim: weights do not add up")
}

// node draws a node, and other is one that is not n.
func (t *trouble) node() *Node { return t.w.Nodes[t.w.Random.IntN(len(t.w.Nodes))] }

func (t *trouble) other(n *Node) *Node {
	for {
		if other := t.node(); other != n {
			return other
		}
	}
}

// link draws a link.
func (t *trouble) link() int { return t.w.Random.IntN(len(t.w.links)) }

// while draws a length of up to so many milliseconds.
func (t *trouble) while(milliseconds int) time.Duration {
	return time.Duration(t.w.Random.IntN(milliseconds)) * time.Millisecond
}

// atPeace has something mended when all trouble is over.
func (t *trouble) atPeace(mend func()) { t.undo = append(t.undo, mend) }

func (t *trouble) say(format string, args ...any) {
	if t.aloud {
		fmt.Printf("%s ---- %s %s\n", t.w.Elapsed(), t.now, fmt.Sprintf(format, args...))
	}
}

// peace undoes every fault and starts whoever is down.
func (t *trouble) peace() {
	t.now = "peace"
	t.say("")
	for _, l := range t.w.links {
		l.Loss, l.Repeat, l.Jitter = 0, 0, 100*time.Microsecond
		clear(l.cut)
	}
	for _, mend := range t.undo {
		mend()
	}
	for _, n := range t.w.Nodes {
		n.Fails = func(takeover.Operation, takeover.Resource) error { return nil }
		n.Thaw()
		n.Boot()
	}
}

func bootAll(t *trouble) {
	t.say("")
	for _, n := range t.w.Nodes {
		n.Boot()
	}
}

// restart ends the daemon in every way after which it is started again, with
// or without what it has left for the next.
func restart(t *trouble) {
	n, away := t.node(), t.while(1500)
	if n.Core == nil || n.Frozen {
		return
	}
	switch t.w.Random.IntN(3) {
	case 0:
		t.say("%s, away for %v", n.Name, away)
		n.Restart(away)
		return
	case 1:
		t.say("%s, killed, away for %v", n.Name, away)
	case 2:
		t.say("%s, killed, away for %v, and remembers nothing", n.Name, away)
		n.Forget()
	}
	n.Kill()
	t.w.After(away, n.Boot)
}

func freeze(t *trouble) {
	n := t.node()
	if n.Core == nil || n.Frozen {
		return
	}
	t.say("%s", n.Name)
	n.Freeze()
	t.w.After(t.while(4000), func() {
		t.say("thaws %s", n.Name)
		n.Thaw()
	})
}

func request(t *trouble) {
	n := t.node()
	kind := []string{"standby", "takeover"}[t.w.Random.IntN(2)]
	scope := []string{"all", "local", "foreign"}[t.w.Random.IntN(3)]
	t.say("%s %s on %s", kind, scope, n.Name)
	n.Request(kind, scope, nil)
}

func breakResource(t *trouble) {
	n := t.node()
	g := t.w.Cluster.Groups[t.w.Random.IntN(len(t.w.Cluster.Groups))]
	bad := g.Resources[t.w.Random.IntN(len(g.Resources))].Spec.String()
	t.say("%s does not start on %s", bad, n.Name)
	n.Fails = func(op takeover.Operation, r takeover.Resource) error {
		if op == takeover.Start && r.Spec.String() == bad {
			return ErrBroken
		}
		return nil
	}
}

func cutOneWay(t *trouble) {
	link, from := t.link(), t.node()
	to := t.other(from)
	t.say("link %d from %s to %s", link, from.Name, to.Name)
	t.w.Cut(link, from.Name, to.Name)
}

func cutBothWays(t *trouble) {
	link, a := t.link(), t.node()
	b := t.other(a)
	t.say("link %d", link)
	t.w.Cut(link, a.Name, b.Name)
	t.w.Cut(link, b.Name, a.Name)
}

func mend(t *trouble) {
	link, a := t.link(), t.node()
	b := t.other(a)
	t.say("link %d", link)
	t.w.Mend(link, a.Name, b.Name)
	t.w.Mend(link, b.Name, a.Name)
}

func lose(t *trouble) {
	link := t.link()
	l := t.w.links[link]
	l.Loss, l.Repeat = t.w.Random.Float64()*0.3, t.w.Random.Float64()*0.2
	l.Jitter = t.while(80)
	t.say("on link %d: %.0f %%, repeats %.0f %%, jitter %v", link, l.Loss*100, l.Repeat*100, l.Jitter)
}
