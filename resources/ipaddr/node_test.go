package ipaddr

import (
	"context"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/systole-ha/systole/resources"
	"github.com/systole-ha/systole/resources/nstest"
	"github.com/systole-ha/systole/resources/resourcetest"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

var spec = resourcetest.Spec

// A node is a Driver in a namespace.
type node struct {
	*testing.T
	ns     *nstest.Namespace
	driver *Driver
}

func newNode(t *testing.T, ns *nstest.Namespace) node {
	t.Helper()
	n := node{T: t, ns: ns, driver: New()}
	t.Cleanup(func() { n.driver.Close() })
	return n
}

func (n node) try(op func(context.Context, resources.Spec) error, word string) (err error) {
	n.Helper()
	n.ns.Do(n.T, func() { err = op(n.Context(), spec(n.T, word)) })
	return err
}

func (n node) start(word string) {
	n.Helper()
	if err := n.try(n.driver.Start, word); err != nil {
		n.Fatal(err)
	}
}

func (n node) stop(word string) {
	n.Helper()
	if err := n.try(n.driver.Stop, word); err != nil {
		n.Fatal(err)
	}
}

func (n node) status(word string) (got resources.Status) {
	n.Helper()
	err := n.try(func(ctx context.Context, s resources.Spec) (err error) {
		got, err = n.driver.Status(ctx, s)
		return err
	}, word)
	if err != nil {
		n.Fatal(err)
	}
	return got
}

// has wants exactly these addresses on an interface, in any order.
func (n node) has(device string, want ...string) {
	n.Helper()
	got := n.ns.Addresses(n.T, device)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		n.Errorf("%s has\n got %v\nwant %v", device, got, want)
	}
}

// The node's own addresses on its two interfaces.
var (
	own0 = []string{"192.0.2.1/24", "2001:db8::1/64"}
	own1 = []string{"198.51.100.1/24", "2001:db8:1::1/64"}
)

func with(own []string, more ...string) []string { return append(slices.Clone(own), more...) }

func defaultRoute(t *testing.T, n *nstest.Namespace, device, gateway string) {
	t.Helper()
	network := "0.0.0.0/0"
	if strings.Contains(gateway, ":") {
		network = "::/0"
	}
	_, everything, _ := net.ParseCIDR(network)
	err := n.Netlink().RouteAdd(&netlink.Route{
		LinkIndex: n.Link(t, device).Attrs().Index, Dst: everything, Gw: net.ParseIP(gateway)})
	if err != nil {
		t.Fatal(err)
	}
}

func held4(t *testing.T, n *nstest.Namespace, device string) []netlink.Addr {
	t.Helper()
	list, err := n.Netlink().AddrList(n.Link(t, device), netlink.FAMILY_V4)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func mustAddresses(t *testing.T, n *nstest.Namespace) []netlink.Addr {
	t.Helper()
	list, err := n.Netlink().AddrList(nil, netlink.FAMILY_ALL)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func addAddress(t *testing.T, n *nstest.Namespace, address string, change func(*netlink.Addr)) {
	t.Helper()
	a, err := netlink.ParseAddr(address)
	if err != nil {
		t.Fatal(err)
	}
	change(a)
	if err := n.Netlink().AddrAdd(n.Link(t, "eth0"), a); err != nil {
		t.Fatal(err)
	}
}

func addTentative(t *testing.T, n *nstest.Namespace, address string) {
	t.Helper()
	addAddress(t, n, address, func(*netlink.Addr) {})
}

func addForSeconds(t *testing.T, n *nstest.Namespace, address string, seconds int) {
	t.Helper()
	addAddress(t, n, address, func(a *netlink.Addr) { a.ValidLft, a.PreferedLft = seconds, seconds })
}

// addWithOwnRoute does as NetworkManager and systemd-networkd do.
func addWithOwnRoute(t *testing.T, n *nstest.Namespace, address string, metric int) {
	t.Helper()
	addAddress(t, n, address, func(a *netlink.Addr) { a.Flags = unix.IFA_F_NODAD | unix.IFA_F_NOPREFIXROUTE })
	_, network, err := net.ParseCIDR(address)
	if err != nil {
		t.Fatal(err)
	}
	err = n.Netlink().RouteAdd(&netlink.Route{LinkIndex: n.Link(t, "eth0").Attrs().Index, Dst: network, Protocol: unix.RTPROT_RA, Priority: metric})
	if err != nil {
		t.Fatal(err)
	}
}
