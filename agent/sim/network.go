package sim

import (
	"time"

	"github.com/systole-ha/systole/agent/wire"
)

// A Link is one medium between all nodes.
type Link struct {
	Loss, Repeat  float64 // of each copy of each message
	Delay, Jitter time.Duration
	cut           map[way]bool
	lastHeard     map[way]time.Time
	worksSince    time.Time
}

// A way is from one node to another.
type way struct{ from, to *Node }

// Link is the link with the given index.
func (w *World) Link(index int) *Link { return w.links[index] }

// Cut stops a link from carrying what from sends to to; Mend undoes it.
func (w *World) Cut(link int, from, to string) {
	w.links[link].cut[way{w.Node(from), w.Node(to)}] = true
}
func (w *World) Mend(link int, from, to string) {
	delete(w.links[link].cut, way{w.Node(from), w.Node(to)})
}

// StopInBeat has the next heartbeat of a node reach nobody, on any link, and
// stops the node in the midst of the one after, when it has renewed its leases
// and nothing has left.
func (n *Node) StopInBeat() { n.loses = 2 }

// carry sends a message over every link to every other node.
func (w *World) carry(from *Node, m wire.Message) {
	if from.loses > 0 && string(m.Get("t")) == "status" {
		if from.loses--; from.loses == 0 {
			from.Freeze()
		}
		return
	}
	for index, l := range w.links {
		for _, to := range w.Nodes {
			if to == from || l.cut[way{from, to}] {
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
