package ipaddr

import (
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/systole-ha/systole/resources/nstest"
	"github.com/vishvananda/netlink"
)

// Whatever came first, and whatever the kernel does with the secondary
// addresses of one that goes: a virtual address goes alone.
func TestNoOtherAddressGoesWithAVirtualOne(t *testing.T) {
	const vip, second = "192.0.2.10/24", "192.0.2.11/24"
	tests := []struct {
		name  string
		order []string // of addition; all but the node's own are virtual
	}{
		{name: "the node's own first", order: []string{"192.0.2.1/24", vip}},
		{name: "the virtual one first", order: []string{vip, "192.0.2.1/24"}},
		{name: "the virtual one between two of the node's own", order: []string{"192.0.2.1/24", vip, "192.0.2.3/24"}},
		{name: "the virtual one before two of the node's own", order: []string{vip, "192.0.2.1/24", "192.0.2.3/24"}},
		{name: "two virtual ones, then the node's own", order: []string{vip, second, "192.0.2.1/24"}},
		{name: "two virtual ones around the node's own", order: []string{second, "192.0.2.1/24", vip}},
		{name: "two virtual ones in a network where the node has none", order: []string{vip, second}},
		{name: "another prefix of the node's own", order: []string{vip, "192.0.2.1/25"}},
		{name: "IPv6, the node's own first", order: []string{"2001:db8::1/64", "2001:db8::10/64"}},
		{name: "IPv6, the virtual one first", order: []string{"2001:db8::10/64", "2001:db8::1/64"}},
		{name: "IPv6, two virtual ones", order: []string{"2001:db8::10/64", "2001:db8::11/64"}},
	}
	for _, promotion := range []string{"0", "1"} {
		for _, tt := range tests {
			t.Run("promotion "+promotion+"/"+tt.name, func(t *testing.T) {
				left, right := nstest.Pair(t)
				left.Sysctl(t, "ipv4/conf/eth0/promote_secondaries", promotion)
				n := newNode(t, left)
				for _, own := range own0 {
					deleteAddress(t, left, own)
				}
				for _, address := range tt.order {
					if isVirtual(address) {
						n.start("IPaddr2::" + address + "/eth0")
					} else {
						left.AddAddress(t, "eth0", address)
					}
				}
				remaining := slices.Clone(tt.order)
				for _, address := range tt.order {
					if !isVirtual(address) {
						continue
					}
					n.stop("IPaddr2::" + address + "/eth0")
					remaining = slices.DeleteFunc(remaining, func(a string) bool { return a == address })
					n.has("eth0", remaining...)
					if len(remaining) > 0 {
						reaches(t, left, right, remaining[0])
					}
				}
				if got := left.ReadSysctl(t, "ipv4/conf/eth0/promote_secondaries"); got != promotion+"\n" {
					t.Errorf("promote_secondaries is %q afterwards, was %q", got, promotion)
				}
			})
		}
	}
}

func isVirtual(address string) bool {
	return strings.Contains(address, ".10/") || strings.Contains(address, ".11/") ||
		strings.Contains(address, "::10/") || strings.Contains(address, "::11/")
}

func deleteAddress(t *testing.T, n *nstest.Namespace, address string) {
	t.Helper()
	for _, a := range mustAddresses(t, n) {
		if a.IPNet.String() == address {
			if err := n.Netlink().AddrDel(nil, &a); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Fatalf("%s has no %s", n.Name, address)
}

// reaches wants the right node to hear a datagram that the left one sends from
// one of its addresses: the network of the address still has its route.
func reaches(t *testing.T, left, right *nstest.Namespace, from string) {
	t.Helper()
	to := "192.0.2.2"
	if strings.Contains(from, ":") {
		to = "2001:db8::2"
	}
	source, _, err := net.ParseCIDR(from)
	if err != nil {
		t.Fatal(err)
	}
	var listener, sender net.PacketConn
	right.Do(t, func() { listener, err = net.ListenPacket("udp", net.JoinHostPort(to, "694")) })
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	left.Do(t, func() { sender, err = net.ListenPacket("udp", net.JoinHostPort(source.String(), "0")) })
	if err != nil {
		t.Fatal(err)
	}
	defer sender.Close()
	if _, err := sender.WriteTo([]byte("keepalive"), listener.LocalAddr()); err != nil {
		t.Errorf("from %s: %v", from, err)
		return
	}
	if err := listener.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := listener.ReadFrom(make([]byte, 64)); err != nil {
		t.Errorf("%s did not hear %s: %v", to, from, err)
	}
}

// A restart of the network takes the node's own address away and puts it back
// behind the virtual one.
func TestTheNetworkSurvivesItsRestart(t *testing.T) {
	for _, promotion := range []string{"0", "1"} {
		t.Run("promotion "+promotion, func(t *testing.T) {
			left, right := nstest.Pair(t)
			left.Sysctl(t, "ipv4/conf/eth0/promote_secondaries", promotion)
			n := newNode(t, left)
			n.start("192.0.2.10/24")

			deleteAddress(t, left, "192.0.2.1/24")
			n.start("IPaddr::192.0.2.10/24/eth0") // without promotion it went along
			left.AddAddress(t, "eth0", "192.0.2.1/24")
			n.has("eth0", with(own0, "192.0.2.10/24")...)
			reaches(t, left, right, "192.0.2.1/24")

			n.stop("IPaddr::192.0.2.10/24/eth0")
			n.has("eth0", own0...)
			reaches(t, left, right, "192.0.2.1/24")
		})
	}
}

// NetworkManager and systemd-networkd manage the routes to IPv6 networks
// themselves. A virtual address neither adds one nor takes theirs.
func TestTheRouteOfAnotherDaemonStaysTheOnlyOne(t *testing.T) {
	left, _ := nstest.Pair(t)
	n := newNode(t, left)
	deleteAddress(t, left, "2001:db8::1/64")
	addWithOwnRoute(t, left, "2001:db8::1/64", 1024)

	n.start("IPv6addr::2001:db8::10/64/eth0")
	if got, want := metrics(t, left, "2001:db8::/64"), []int{1024}; !slices.Equal(got, want) {
		t.Errorf("metrics of the routes to the network while the address is held\n got %v\nwant %v", got, want)
	}
	n.stop("IPv6addr::2001:db8::10/64/eth0")
	if got, want := metrics(t, left, "2001:db8::/64"), []int{1024}; !slices.Equal(got, want) {
		t.Errorf("metrics of the routes to the network afterwards\n got %v\nwant %v", got, want)
	}
}

func metrics(t *testing.T, n *nstest.Namespace, network string) (list []int) {
	t.Helper()
	routes, err := n.Netlink().RouteList(n.Link(t, "eth0"), netlink.FAMILY_V6)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range routes {
		if r.Dst.String() == network {
			list = append(list, r.Priority)
		}
	}
	return list
}
