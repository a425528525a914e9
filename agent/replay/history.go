package replay

import (
	"time"

	"github.com/systole-ha/systole/agent/core"
	"github.com/systole-ha/systole/agent/wire"
)

// A History is recordings of one pair of nodes, one after the other: the state
// at the end of one is that at the beginning of the next. Between them, the
// heartbeats of the other node are made up.
type History []*Chapter

// A Chapter is one recording, and what its packets do not show.
type Chapter struct {
	Name string
	Says string // what was done, for people
	*Recording

	Keys    []wire.Key // both nodes have the first until Signs says otherwise
	Signs   []Sign
	Wishes  []Wish
	Cut     []Span           // in which nothing passes between the nodes
	Broken  string           // a resource that will not start
	Deaf    map[string]Span  // when a node does not reach its ping nodes
	Until   map[string]Until // what is compared of a node; all where absent
	Prelude bool             // nothing is compared: it leads to the next
}

// A Span is a time within a recording.
type Span struct{ From, To time.Duration }

func (s Span) has(at time.Duration) bool { return s.From <= at && at < s.To }

// A Sign says which keys a node has from some instant on.
type Sign struct {
	Node string
	At   time.Duration
	Keys []int // indices in Keys; it signs with the first
}

// A Wish is what somebody did to a node when its real counterpart said Line for
// the first time; at the beginning where Line is empty.
type Wish struct {
	Node string
	Line string
	Do   Deed
}

// A Deed is done to a node.
type Deed func(*node)

// Stop is the clean stop of the daemon.
func Stop() Deed { return func(n *node) { n.step(core.Stop{Reason: "asked"}) } }

// Standby is hb_standby.
func Standby(scope string) Deed { return func(n *node) { n.request("standby", scope) } }

// Takeover is hb_takeover.
func Takeover(scope string) Deed { return func(n *node) { n.request("takeover", scope) } }

// Kill ends the daemon and leaves what it holds.
func Kill() Deed { return (*node).kill }

// PowerOff ends everything.
func PowerOff() Deed { return (*node).powerOff }

// An Until ends the comparison of a node where the other node's recorded words
// no longer answer what the core says.
type Until struct {
	At  time.Duration
	Why string
}
