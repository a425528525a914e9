// Package sim runs cores on a made-up network and clock: nodes, links that
// lose, delay, repeat and reorder, resources that take their time and fail.
// One seed is one history; the same seed is the same history.
package sim

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/systole-ha/systole/agent/core"
	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/agent/permission"
	"github.com/systole-ha/systole/agent/takeover"
)

// Epoch is when every history begins.
var Epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// A Cluster is what all nodes have in common.
type Cluster struct {
	Nodes        []string
	Links        []string
	Keepalive    time.Duration
	Deadtime     time.Duration
	Initdead     time.Duration
	AutoFailback bool
	Pings        []string      // ping nodes: groups move to the node that reaches more
	Lease        time.Duration // of addresses; 0 for none
	Gated        bool          // they are held by a gate
	Groups       []takeover.Group
	Policy       permission.Policy
	Arbiters     []string

	// Configure, if set, changes what a node is given at each start.
	Configure func(n *Node, c *core.Config)
}

// A World is one history in the making.
type World struct {
	Cluster  Cluster
	Now      time.Time
	Nodes    []*Node
	Arbiters []*Arbiter
	Random   *rand.Rand

	// Watch is told of every event of every node, in order.
	Watch func(n *Node, e event.Event)
	// Check is called after every step of any node.
	Check func(n *Node)
	// Fencer says what becomes of a node's try to switch its peer off, and Fenced
	// is told of every node that was.
	Fencer func(n *Node, f takeover.Fence) Try
	Fenced func(n *Node)

	names [][]string // of the resources, by group
	links []*Link
	queue queue
	count uint64
}

// New makes a world in which nothing runs yet.
func New(seed uint64, cluster Cluster) *World {
	w := &World{
		Cluster: cluster, Now: Epoch, Random: rand.New(rand.NewPCG(seed, 1)),
		Watch: func(*Node, event.Event) {}, Check: func(*Node) {}, Fenced: func(*Node) {},
		Fencer: func(*Node, takeover.Fence) Try {
			return Try{Hits: true, Off: 1300 * time.Millisecond, Answer: 1500 * time.Millisecond}
		},
	}
	for _, g := range cluster.Groups {
		var names []string
		for _, r := range g.Resources {
			names = append(names, r.Spec.String())
		}
		w.names = append(w.names, names)
	}
	for _, name := range cluster.Nodes {
		w.Nodes = append(w.Nodes, newNode(w, name))
	}
	for _, name := range cluster.Arbiters {
		w.Arbiters = append(w.Arbiters, newArbiter(name))
	}
	for range cluster.Links {
		w.links = append(w.links, &Link{
			Delay: 100 * time.Microsecond, Jitter: 100 * time.Microsecond,
			cut: map[way]bool{}, lastHeard: map[way]time.Time{},
		})
	}
	return w
}

// Node finds a node by its name.
func (w *World) Node(name string) *Node {
	for _, n := range w.Nodes {
		if n.Name == name {
			return n
		}
	}
	panic("sim: no node " + name)
}

// At runs f at an instant of the history; now, if that is past.
func (w *World) At(at time.Time, f func()) {
	if at.Before(w.Now) {
		at = w.Now
	}
	w.count++
	heap.Push(&w.queue, item{at, w.count, f})
}

// After runs f after a while.
func (w *World) After(d time.Duration, f func()) { w.At(w.Now.Add(d), f) }

// RunUntil lets time pass.
func (w *World) RunUntil(end time.Time) {
	for len(w.queue) > 0 && !w.queue[0].at.After(end) {
		next := heap.Pop(&w.queue).(item)
		w.Now = next.at
		next.do()
	}
	w.Now = end
}

type item struct {
	at    time.Time
	order uint64
	do    func()
}

type queue []item

func (q queue) Len() int      { return len(q) }
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q queue) Less(i, j int) bool {
	if q[i].at.Equal(q[j].at) {
		return q[i].order < q[j].order
	}
	return q[i].at.Before(q[j].at)
}
func (q *queue) Push(x any) { *q = append(*q, x.(item)) }
func (q *queue) Pop() any {
	old := *q
	last := old[len(old)-1]
	*q = old[:len(old)-1]
	return last
}

// Elapsed is the time since the beginning, as transcripts write it.
func (w *World) Elapsed() string { return fmt.Sprintf("%+.3fs", w.Now.Sub(Epoch).Seconds()) }
