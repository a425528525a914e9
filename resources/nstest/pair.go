package nstest

import (
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// networks are those of the cables of a Pair, in order: the ranges kept for
// documentation by RFC 5737 and RFC 3849. The left node has host number 1, the
// right one 2.
var networks = []struct{ v4, v6 string }{
	{"192.0.2.%d/24", "2001:db8::%d/64"},
	{"198.51.100.%d/24", "2001:db8:1::%d/64"},
	{"203.0.113.%d/24", "2001:db8:2::%d/64"},
}

// An Option changes how Pair wires its nodes.
type Option func(*wiring)

type wiring struct{ cables int }

// Cables asks for n cables between the two nodes, eth0 to eth0 and so on; at
// most three.
func Cables(n int) Option { return func(w *wiring) { w.cables = n } }

// Pair makes two nodes and a cable between them, eth0 to eth0, with carrier and
// addresses: 192.0.2.1/24 and 2001:db8::1/64 on the left, .2 and ::2 on the
// right. A second cable has 198.51.100.0/24 and 2001:db8:1::/64, a third
// 203.0.113.0/24 and 2001:db8:2::/64. There is no default route, and no address
// waits for duplicate detection.
func Pair(t testing.TB, options ...Option) (left, right *Namespace) {
	t.Helper()
	w := wiring{cables: 1}
	for _, option := range options {
		option(&w)
	}
	left, right = New(t, "left"), New(t, "right")
	for _, n := range []*Namespace{left, right} {
		n.Sysctl(t, "ipv6/conf/default/accept_dad", "0")
	}
	for i := range w.cables {
		name := fmt.Sprintf("eth%d", i)
		Cable(t, left, right, name)
		left.AddAddress(t, name, fmt.Sprintf(networks[i].v4, 1))
		left.AddAddress(t, name, fmt.Sprintf(networks[i].v6, 1))
		right.AddAddress(t, name, fmt.Sprintf(networks[i].v4, 2))
		right.AddAddress(t, name, fmt.Sprintf(networks[i].v6, 2))
	}
	return left, right
}

// Cable lays one cable (a veth pair) between two nodes, with an interface of
// the given name at both ends, and returns when both have carrier.
func Cable(t testing.TB, left, right *Namespace, name string) {
	t.Helper()
	veth := &netlink.Veth{
		LinkAttrs:     netlink.LinkAttrs{Name: name},
		PeerName:      name,
		PeerNamespace: netlink.NsFd(right.fd),
	}
	if err := left.handle.LinkAdd(veth); err != nil {
		t.Fatalf("%s: add %s: %v", left.Name, name, err)
	}
	for _, n := range []*Namespace{left, right} {
		if err := n.handle.LinkSetUp(n.Link(t, name)); err != nil {
			t.Fatalf("%s: bring up %s: %v", n.Name, name, err)
		}
	}
	for _, n := range []*Namespace{left, right} {
		Await(t, n.Name+" has carrier on "+name, func() bool {
			return n.Link(t, name).Attrs().RawFlags&unix.IFF_LOWER_UP != 0
		})
	}
}

// Link looks an interface up.
func (n *Namespace) Link(t testing.TB, name string) netlink.Link {
	t.Helper()
	link, err := n.handle.LinkByName(name)
	if err != nil {
		t.Fatalf("%s: interface %s: %v", n.Name, name, err)
	}
	return link
}

// AddAddress gives an interface an address such as "192.0.2.7/24" and returns
// when the node takes packets for it: the kernel enters the route to an IPv6
// address some time after it has acknowledged the address.
func (n *Namespace) AddAddress(t testing.TB, device, address string) {
	t.Helper()
	a, err := netlink.ParseAddr(address)
	if err != nil {
		t.Fatal(err)
	}
	if a.IP.To4() == nil {
		a.Flags = unix.IFA_F_NODAD
	}
	if err := n.handle.AddrAdd(n.Link(t, device), a); err != nil {
		t.Fatalf("%s: add %s to %s: %v", n.Name, address, device, err)
	}
	Await(t, n.Name+" takes packets for "+address, func() bool {
		routes, err := n.handle.RouteGetWithOptions(a.IP, &netlink.RouteGetOptions{FIBMatch: true})
		return err == nil && len(routes) == 1 && routes[0].Type == unix.RTN_LOCAL
	})
}

// Addresses lists the addresses of an interface as "192.0.2.7/24", in the
// kernel's order, without the link-local ones.
func (n *Namespace) Addresses(t testing.TB, device string) []string {
	t.Helper()
	found, err := n.handle.AddrList(n.Link(t, device), netlink.FAMILY_ALL)
	if err != nil {
		t.Fatalf("%s: addresses of %s: %v", n.Name, device, err)
	}
	var list []string
	for _, a := range found {
		if !a.IP.IsLinkLocalUnicast() {
			list = append(list, a.IPNet.String())
		}
	}
	return list
}

// SetMAC changes the hardware address of an interface, as when another card
// answers for the same addresses.
func (n *Namespace) SetMAC(t testing.TB, device, mac string) net.HardwareAddr {
	t.Helper()
	hw, err := net.ParseMAC(mac)
	if err != nil {
		t.Fatal(err)
	}
	if err := n.handle.LinkSetHardwareAddr(n.Link(t, device), hw); err != nil {
		t.Fatalf("%s: set MAC of %s: %v", n.Name, device, err)
	}
	return hw
}

// Await returns when done does, and ends the test when it does not within five
// seconds; what says what was waited for.
func Await(t testing.TB, what string, done func() bool) {
	t.Helper()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	giveUp := time.After(5 * time.Second)
	for !done() {
		select {
		case <-look.C:
		case <-giveUp:
			t.Fatalf("waited 5 s in vain until %s", what)
		}
	}
}
