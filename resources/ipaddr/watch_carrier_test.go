package ipaddr

import (
	"testing"

	"github.com/systole-ha/systole/resources/nstest"
)

// carrierOf is the address whose carrier is told to the test even when it is
// there.
const carrierOf = "192.0.2.77"

func TestWatchCarriers(t *testing.T) {
	const named, routed = "IPaddr::192.0.2.77/24/eth0", "IPaddr::192.0.2.77"
	const has, lost = "192.0.2.77 on eth0: lost false", "192.0.2.77 on eth0: lost true"
	tests := []struct {
		name   string
		word   string
		before func(n, far node)
		does   []func(n, far node)
		want   []string // after each
	}{
		{
			name: "the other end of the cable is pulled, and put back", word: named,
			does: []func(n, far node){func(_, far node) { far.setLink("eth0", false) }, func(_, far node) { far.setLink("eth0", true) }},
			want: []string{lost, has},
		},
		{
			name: "an address that is held", word: named,
			before: func(n, _ node) { n.start(named) },
			does:   []func(n, far node){func(_, far node) { far.setLink("eth0", false) }},
			want:   []string{lost},
		},
		{
			name: "an interface that is found by a route stays the one", word: routed,
			does: []func(n, far node){func(n, _ node) { n.setLink("eth0", false) }, func(n, _ node) { n.setLink("eth0", true) }},
			want: []string{lost, has},
		},
		{
			name: "the interface goes", word: named,
			does: []func(n, far node){func(n, _ node) { n.remove("eth0") }},
			want: []string{lost},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			left, right := nstest.Pair(t)
			n, far := newNode(t, left), newNode(t, right)
			if tt.before != nil {
				tt.before(n, far)
			}
			lines := make(carriers, 100)
			n.watchBy(lines, nil, tt.word)
			told(lines).next(t, has)
			for i, do := range tt.does {
				do(n, far)
				told(lines).next(t, tt.want[i])
			}
		})
	}
}

// carriers collects only what is told of carriers.
type carriers chan string

func (c carriers) AddressChanged(Change)              {}
func (c carriers) AddressLost(Loss)                   {}
func (c carriers) AddressConflict(Conflict)           {}
func (c carriers) AddressConflictCleared(ConflictEnd) {}
func (c carriers) AddressAnnounced(Announcement)      {}
func (c carriers) AddressesCarried(all []Carrier)     { told(c).AddressesCarried(all) }

func (n node) remove(device string) {
	n.Helper()
	if err := n.ns.Netlink().LinkDel(n.ns.Link(n.T, device)); err != nil {
		n.Fatal(err)
	}
}
