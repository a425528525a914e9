package takeover

import (
	"slices"
	"testing"
	"time"

	"github.com/systole-ha/systole/agent/wire"
)

// TestIPFail talks to the ipfail of a 3.0.6 node, word by word as two of them
// were seen to.
func TestIPFail(t *testing.T) {
	asked := func(d *desk) bool { return slices.Contains(d.said, "ask_resources local me") }
	for _, tt := range []struct {
		name  string
		ours  int
		hears []string // type and num_ping
		says  []string // types and num_ping
		asks  bool     // to give everything up, some time later
	}{
		{name: "it counts less than we: it is to give up", ours: 2, hears: []string{"num_ping_nodes", "1"}, says: []string{"you_are_dead"}},
		{name: "it counts as many: nobody gives up", ours: 2, hears: []string{"num_ping_nodes", "2"}, says: []string{"abort_giveup"}},
		{name: "it counts more: we give up", ours: 1, hears: []string{"num_ping_nodes", "2"}, asks: true},
		{name: "it says that it counts more", ours: 1, hears: []string{"you_are_dead", ""}, asks: true},
		{name: "it says that it counts as many", ours: 1, hears: []string{"abort_giveup", ""}},
		{name: "no number is no word", ours: 1, hears: []string{"num_ping_nodes", "many"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk(t, false)
			d.cfg.Pings = true
			d.act(d.Pings(d.now, tt.ours))
			d.act(d.PeerAlive(d.now, false))
			d.act(d.CommunicationUp(d.now))
			d.hear("resource local 1")
			if !slices.Contains(d.said, "num_ping_nodes") {
				t.Errorf("it was not told what we count: %q", d.said)
			}
			d.said = nil
			m := wire.New("t", tt.hears[0], "dest", "alpha", "from_id", "ipfail", "to_id", "ipfail", "client_gen", "0")
			if tt.hears[1] != "" {
				m.Set("num_ping", tt.hears[1])
			}
			d.number++
			d.act(d.Heard(d.now, d.now, d.number, &m))
			if !slices.Equal(d.said, tt.says) {
				t.Errorf("said\n got %q\nwant %q", d.said, tt.says)
			}
			d.now = d.now.Add(3*time.Second - time.Millisecond)
			d.act(d.Tick(d.now))
			if asked(d) {
				t.Error("asked for a standby before a difference had lasted three keepalives")
			}
			d.now = d.now.Add(time.Millisecond)
			d.act(d.Tick(d.now))
			if got := asked(d); got != tt.asks {
				t.Errorf("asked for a standby: %v, want %v: %q", got, tt.asks, d.said)
			}
		})
	}
}
