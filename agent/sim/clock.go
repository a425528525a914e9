package sim

import (
	"time"
	"unsafe"

	"github.com/systole-ha/systole/agent/core"
)

// Now is the instant by the clocks of a node, as time.Now would tell it. By that
// which the daemon goes by two nodes may be hours apart, and it stands still
// while the node is suspended; that of the wall may be set besides.
func (n *Node) Now() time.Time {
	return instant(n.world.Now.Sub(Epoch)+n.Ahead, n.world.Now.Add(n.Ahead+n.Wall))
}

// SetClock sets the wall clock of a node forward, or back, as a person or a
// time server does.
func (n *Node) SetClock(by time.Duration) { n.Wall += by }

// instant is one with a reading of each clock, as nothing but time.Now makes
// them: Sub, Before and After go by the monotonic one, Unix and UTC by the wall.
// Its words are those of the type Time in package time.
func instant(monotonic time.Duration, wall time.Time) (t time.Time) {
	const hasMonotonic, nanosecondBits = 1 << 63, 30
	words := (*struct {
		wall uint64
		ext  int64
	})(unsafe.Pointer(&t))
	words.wall = hasMonotonic | uint64(wall.Unix()-year1885)<<nanosecondBits | uint64(wall.Nanosecond())
	words.ext = int64(monotonic)
	return t
}

// year1885 is where the seconds of such an instant begin.
var year1885 = time.Date(1885, 1, 1, 0, 0, 0, 0, time.UTC).Unix()

// since is how long after the beginning of the history an instant of the node's
// clock is.
func (n *Node) since(at time.Time) time.Duration { return at.Sub(instant(0, Epoch)) - n.Ahead }

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
		n.Ahead, n.Wall = n.Ahead-long, n.Wall+long // people's clock is right again
		n.step(core.Suspended{For: long})
	}
	for _, do := range missed {
		do()
	}
}
