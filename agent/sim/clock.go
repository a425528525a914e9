package sim

import (
	"time"

	"github.com/systole-ha/systole/agent/core"
)

// Now is the instant by the clock of a node: two nodes' clocks may be hours
// apart, and that of a node stands still while it is suspended.
func (n *Node) Now() time.Time { return n.world.Now.Add(n.Ahead) }

// Suspend stops everything on a node, and the clock that its daemon goes by,
// but not the kernel's lifetimes of addresses; what is sent to it is lost.
func (n *Node) Suspend() { n.sleep(false) }

// Pause stops a node that is a virtual machine: its kernel's timers stand still,
// too, and it answers nobody. When it goes on, all its clocks have jumped.
func (n *Node) Pause() { n.sleep(true) }

func (n *Node) sleep(paused bool) {
	if n.Core == nil || n.Frozen {
		return
	}
	n.Freeze()
	n.asleep, n.paused = n.world.Now, paused
}

// Wake undoes Suspend and Pause.
func (n *Node) Wake() {
	if !n.Frozen || n.asleep.IsZero() {
		return
	}
	long, paused := n.world.Now.Sub(n.asleep), n.paused
	missed := n.missed
	n.asleep, n.paused, n.Frozen, n.missed = time.Time{}, false, false, nil
	if paused {
		n.expire()
	} else {
		n.Ahead -= long
		n.step(core.Suspended{For: long})
	}
	for _, do := range missed {
		do()
	}
}
