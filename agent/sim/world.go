// Package sim runs cores on a made-up network and clock: nodes, links that
// lose, delay, repeat and reorder, resources that take their time and fail.
// One seed is one history; the same seed is the same history.
package sim

import (
	"container/heap"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/systole-ha/systole/agent/core"
	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/agent/membership"
	"github.com/systole-ha/systole/agent/takeover"
	"github.com/systole-ha/systole/agent/wire"
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
	Lease        time.Duration // of addresses; 0 for none
	Groups       []takeover.Group
}

// A World is one history in the making.
type World struct {
	Cluster Cluster
	Now     time.Time
	Nodes   []*Node
	Random  *rand.Rand

	// Watch is told of every event of every node, in order.
	Watch func(n *Node, e event.Event)
	// Check is called after every step of any node.
	Check func(n *Node)

	links []*Link
	queue queue
	count uint64
}

// A Link is one medium between all nodes.
type Link struct {
	Loss, Repeat  float64 // of each copy of each message
	Delay, Jitter time.Duration
	cut           map[[2]string]bool // from, to
	lastHeard     map[[2]string]time.Time
	worksSince    time.Time
}

// New makes a world in which nothing runs yet.
func New(seed uint64, cluster Cluster) *World {
	w := &World{
		Cluster: cluster, Now: Epoch, Random: rand.New(rand.NewPCG(seed, 1)),
		Watch: func(*Node, event.Event) {}, Check: func(*Node) {},
	}
	for _, name := range cluster.Nodes {
		w.Nodes = append(w.Nodes, newNode(w, name))
	}
	for range cluster.Links {
		w.links = append(w.links, &Link{
			Delay: 100 * time.Microsecond, Jitter: 100 * time.Microsecond,
			cut: map[[2]string]bool{}, lastHeard: map[[2]string]time.Time{},
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

// Link is the link with the given index.
func (w *World) Link(index int) *Link { return w.links[index] }

// Cut stops a link from carrying what from sends to to; Mend undoes it.
func (w *World) Cut(link int, from, to string)  { w.links[link].cut[[2]string{from, to}] = true }
func (w *World) Mend(link int, from, to string) { delete(w.links[link].cut, [2]string{from, to}) }

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

// carry sends a message over every link to every other node.
func (w *World) carry(from *Node, m wire.Message) {
	for index, l := range w.links {
		for _, to := range w.Nodes {
			if to == from || l.cut[[2]string{from.Name, to.Name}] {
				continue
			}
			for copies := 1; copies > 0; copies-- {
				if w.Random.Float64() < l.Loss {
					continue
				}
				if w.Random.Float64() < l.Repeat {
					copies++
				}
				delay := l.Delay + time.Duration(w.Random.Int64N(int64(l.Jitter)+1))
				w.After(delay, func() { to.receive(index, from, m) })
			}
		}
	}
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

// config is what the core of a node is given at its nth start.
func (w *World) config(n *Node) core.Config {
	cfg := core.Config{
		Cluster: "sim", Version: "sim", Groups: w.Cluster.Groups, AutoFailback: w.Cluster.AutoFailback,
		Generation: n.generation, TTL: 1 + len(w.Cluster.Nodes),
		ConfigHash: "c0", ResourcesHash: "r0", Seed: w.Random.Uint64(),
		Members: membership.Config{
			Self: n.Name, Links: w.Cluster.Links, Keepalive: w.Cluster.Keepalive,
			Warntime: w.Cluster.Deadtime / 2, Deadtime: w.Cluster.Deadtime, Initdead: w.Cluster.Initdead,
		},
	}
	copy(cfg.UUID[:], n.Name)
	binary.BigEndian.PutUint64(cfg.IncidentSeed[:8], w.Random.Uint64())
	for _, name := range w.Cluster.Nodes {
		if name != n.Name {
			cfg.Members.Peers = append(cfg.Members.Peers, name)
		}
	}
	return cfg
}

// Elapsed is the time since the beginning, as transcripts write it.
func (w *World) Elapsed() string { return fmt.Sprintf("%+.3fs", w.Now.Sub(Epoch).Seconds()) }
