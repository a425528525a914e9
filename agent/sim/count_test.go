package sim

import (
	"testing"
	"time"

	"github.com/systole-ha/systole/agent/event"
)

// TestEachHeartbeatIsCountedOnce holds what a node counts as received on each
// link to what its peer counts as sent, while nothing happens and while groups
// move. Acknowledgements and letters are no heartbeats.
func TestEachHeartbeatIsCountedOnce(t *testing.T) {
	for _, tt := range []struct {
		name  string
		moves int
	}{{"nothing happens", 0}, {"groups move", 10}} {
		t.Run(tt.name, func(t *testing.T) {
			cluster := pair(1)
			cluster.Links = []string{"eth0", "eth1"}
			cluster.Keepalive, cluster.Deadtime = 100*time.Millisecond, time.Second
			w := New(1, cluster)
			sent, received, moved := map[string]int{}, map[string]int{}, 0
			w.Watch = func(n *Node, e event.Event) {
				switch e := e.(type) {
				case event.HeartbeatSent:
					sent[n.Name]++
				case event.HeartbeatReceived:
					received[e.Peer+" "+e.Link]++
				case event.ReleaseCompleted:
					moved++
				}
			}
			for _, n := range w.Nodes {
				n.Boot()
			}
			w.RunUntil(Epoch.Add(time.Minute + 50*time.Millisecond)) // between two heartbeats: none is under way
			clear(sent)
			clear(received)
			for i := range tt.moves {
				w.After(time.Duration(i)*time.Second, func() { w.Nodes[i%2].Request("standby", "all", nil) })
			}
			w.RunUntil(Epoch.Add(2*time.Minute + 50*time.Millisecond))
			for _, n := range w.Nodes {
				if got := sent[n.Name]; got != 600 {
					t.Errorf("%s has sent %d in a minute, want 600", n.Name, got)
				}
				for _, link := range cluster.Links {
					if got := received[n.Name+" "+link]; got != sent[n.Name] {
						t.Errorf("%s has sent %d, its peer has heard %d on %s", n.Name, sent[n.Name], got, link)
					}
				}
			}
			if moved < tt.moves/2 {
				t.Errorf("%d groups moved", moved)
			}
		})
	}
}
