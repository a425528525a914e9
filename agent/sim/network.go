package sim

import (
	"time"

	"github.com/systole-ha/systole/agent/wire"
)

// A Link is one medium between all nodes.
type Link struct {
	Loss, Repeat  float64 // of each copy of each message
	Delay, Jitter time.Duration
	cut           map[[2]string]bool // from, to
	lastHeard     map[[2]string]time.Time
	worksSince    time.Time
}

// Link is the link with the given index.
func (w *World) Link(index int) *Link { return w.links[index] }

// Cut stops a link from carrying what from sends to to; Mend undoes it.
func (w *World) Cut(link int, from, to string)  { w.links[link].cut[[2]string{from, to}] = true }
func (w *World) Mend(link int, from, to string) { delete(w.links[link].cut, [2]string{from, to}) }

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
