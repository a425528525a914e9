package sim

import (
	"time"

	"github.com/systole-ha/systole/agent/core"
)

// Reach says whether a ping node answers this node.
func (n *Node) Reach(pingNode string, reached bool) {
	if n.unreached == nil {
		n.unreached = map[string]bool{}
	}
	n.unreached[pingNode] = !reached
}

// ping asks every ping node for an echo.
func (n *Node) ping() {
	for _, name := range n.world.Cluster.Pings {
		if n.unreached[name] {
			continue
		}
		n.world.After(200*time.Microsecond, func() {
			if !n.asleep.IsZero() {
				return
			}
			at := n.Now()
			n.awake(func() { n.step(core.Pinged{At: at, PingNode: name, RoundTrip: 200 * time.Microsecond}) })
		})
	}
}
