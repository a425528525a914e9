package nstest

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
)

// A Neighbour is what a node believes about who has an address.
type Neighbour struct {
	MAC net.HardwareAddr
	Age time.Duration // since the entry was last changed, in steps of 10 ms
}

// clockTick is the unit of the kernel's neighbour ages: 1/USER_HZ, which is
// 10 ms on every architecture Go runs on.
const clockTick = 10 * time.Millisecond

// Neighbour looks an address up in the node's ARP or neighbour table; ok is
// false when there is no entry with a hardware address.
func (n *Namespace) Neighbour(t testing.TB, device string, ip netip.Addr) (found Neighbour, ok bool) {
	t.Helper()
	list, err := n.handle.NeighList(n.Link(t, device).Attrs().Index, family(ip))
	if err != nil {
		t.Fatalf("%s: neighbours on %s: %v", n.Name, device, err)
	}
	for _, entry := range list {
		if entry.IP.Equal(ip.AsSlice()) && len(entry.HardwareAddr) > 0 {
			return Neighbour{MAC: entry.HardwareAddr, Age: time.Duration(entry.Updated) * clockTick}, true
		}
	}
	return Neighbour{}, false
}

// SetNeighbour makes the node believe, as of now and until it hears otherwise,
// that mac has the address. The entry is an ordinary one, as if it was learnt.
func (n *Namespace) SetNeighbour(t testing.TB, device string, ip netip.Addr, mac net.HardwareAddr) {
	t.Helper()
	err := n.handle.NeighSet(&netlink.Neigh{
		LinkIndex:    n.Link(t, device).Attrs().Index,
		Family:       family(ip),
		State:        netlink.NUD_REACHABLE,
		IP:           ip.AsSlice(),
		HardwareAddr: mac,
	})
	if err != nil {
		t.Fatalf("%s: set neighbour %s on %s: %v", n.Name, ip, device, err)
	}
}

func family(ip netip.Addr) int {
	if ip.Is4() {
		return netlink.FAMILY_V4
	}
	return netlink.FAMILY_V6
}
