package sim

import (
	"time"

	"github.com/systole-ha/systole/agent/core"
	"github.com/systole-ha/systole/agent/takeover"
)

// A Try is what becomes of one try to switch a node off.
type Try struct {
	Hits   bool          // the node is off afterwards
	Off    time.Duration // when, if it is
	Answer time.Duration // when the device has said so; not before Off
	Err    error         // what it says
}

// fence lets one try to switch the peer off take its time. The device goes on
// when whoever asked it is no more, or had not begun: nobody knows.
func (n *Node) fence(f takeover.Fence) {
	w, life := n.world, n.life
	try := w.Fencer(n, f)
	target := w.Nodes[0]
	if target == n {
		target = w.Nodes[1]
	}
	if try.Hits {
		w.After(try.Off, func() {
			if n.life != life && w.Random.IntN(2) == 0 {
				return
			}
			target.PowerOff()
			w.Check(target)
			w.Fenced(target)
		})
	}
	w.After(try.Answer, func() {
		n.awake(func() {
			if n.life == life {
				n.step(core.FenceDone{FenceDone: takeover.FenceDone{Fence: f.ID, Took: try.Answer, Err: try.Err}})
			}
		})
	})
}
