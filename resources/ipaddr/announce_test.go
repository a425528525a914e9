package ipaddr

import (
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/mdlayher/arp"
	"github.com/mdlayher/ndp"
	"github.com/systole-ha/systole/resources/nstest"
)

func (n node) announce(word string) {
	n.Helper()
	if err := n.try(n.driver.Announce, word); err != nil {
		n.Fatal(err)
	}
}

func TestAnnouncementOfIPv4(t *testing.T) {
	left, right := nstest.Pair(t)
	n := newNode(t, left)
	listener := right.Listen(t, "eth0")
	n.start("192.0.2.10")
	n.announce("192.0.2.10")

	mac := left.Link(t, "eth0").Attrs().HardwareAddr.String()
	const broadcast, nobody = "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00"
	want := [][]string{ // operation, Ethernet source and destination, sender, target
		{"request", mac, broadcast, "192.0.2.10", mac, "192.0.2.10", nobody},
		{"reply", mac, broadcast, "192.0.2.10", mac, "192.0.2.10", mac},
	}
	for _, want := range want {
		f := listener.NextAbout(t, netip.MustParseAddr("192.0.2.10"))
		if f.ARP == nil {
			t.Fatalf("heard %+v, want an ARP packet", f)
		}
		operation := map[arp.Operation]string{arp.OperationRequest: "request", arp.OperationReply: "reply"}[f.ARP.Operation]
		got := []string{operation, f.Source.String(), f.Destination.String(),
			f.ARP.SenderIP.String(), f.ARP.SenderHardwareAddr.String(), f.ARP.TargetIP.String(), f.ARP.TargetHardwareAddr.String()}
		if !slices.Equal(got, want) {
			t.Errorf("heard\n got %v\nwant %v", got, want)
		}
	}
}

func TestAnnouncementOfIPv6(t *testing.T) {
	for _, router := range []bool{false, true} {
		name := "of a host"
		if router {
			name = "of a router"
		}
		t.Run(name, func(t *testing.T) {
			left, right := nstest.Pair(t)
			if router {
				left.Sysctl(t, "ipv6/conf/eth0/forwarding", "1")
			}
			n := newNode(t, left)
			n.start("IPv6addr::2001:db8::10")
			listener := right.Listen(t, "eth0")
			n.announce("IPv6addr::2001:db8::10")

			f := listener.NextAbout(t, netip.MustParseAddr("2001:db8::10"))
			mac := left.Link(t, "eth0").Attrs().HardwareAddr
			got := []any{f.Source.String(), f.Destination.String(), f.From.String(), f.To.String(), f.HopLimit,
				f.Advertisement.Router, f.Advertisement.Solicited, f.Advertisement.Override, targetAddress(f)}
			want := []any{mac.String(), "33:33:00:00:00:01", "2001:db8::10", "ff02::1", 255,
				router, false, true, mac.String()}
			if !slices.Equal(got, want) {
				t.Errorf("heard\n got %v\nwant %v", got, want)
			}
		})
	}
}

func targetAddress(f nstest.Frame) string {
	for _, option := range f.Advertisement.Options {
		if o, ok := option.(*ndp.LinkLayerAddress); ok && o.Direction == ndp.Target {
			return o.Addr.String()
		}
	}
	return ""
}

// The point of it all: a neighbour that has the address of the node that died
// turns to the one that took over.
func TestNeighboursLearnTheNewOwner(t *testing.T) {
	old := net.HardwareAddr{2, 0, 0, 0, 0, 9}
	tests := []struct {
		name string
		word string
		age  time.Duration // of the neighbour's entry, at least
	}{
		{name: "IPv4, an entry as fresh as can be", word: "192.0.2.10"},
		{name: "IPv4, an entry older than the second for which Linux locks one", word: "192.0.2.10", age: 1050 * time.Millisecond},
		{name: "IPv6, an entry as fresh as can be", word: "IPv6addr::2001:db8::10"},
		{name: "IPv6, an entry older than a second", word: "IPv6addr::2001:db8::10", age: 1050 * time.Millisecond},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			left, right := nstest.Pair(t)
			n := newNode(t, left)
			a, err := Parse(spec(t, tt.word))
			if err != nil {
				t.Fatal(err)
			}
			right.SetNeighbour(t, "eth0", a.IP, old)
			nstest.Await(t, "the entry has its age", func() bool {
				entry, ok := right.Neighbour(t, "eth0", a.IP)
				return ok && entry.Age >= tt.age
			})

			n.start(tt.word)
			n.announce(tt.word)

			learns(t, right, a.IP, left.Link(t, "eth0").Attrs().HardwareAddr, old)
		})
	}
}

// learns wants a node to have the new hardware address for ip, and soon.
func learns(t *testing.T, n *nstest.Namespace, ip netip.Addr, want, old net.HardwareAddr) {
	t.Helper()
	nstest.Await(t, n.Name+" learns that "+ip.String()+" is at "+want.String(), func() bool {
		entry, ok := n.Neighbour(t, "eth0", ip)
		if ok && entry.MAC.String() != want.String() && entry.MAC.String() != old.String() {
			t.Fatalf("%s believes that %s is at %s", n.Name, ip, entry.MAC)
		}
		return ok && entry.MAC.String() == want.String()
	})
}

// The driver keeps its sockets, but no hardware address and no index.
func TestAnnouncementsFollowTheInterface(t *testing.T) {
	for _, word := range []string{"IPaddr::192.0.2.10/24/eth0", "IPv6addr::2001:db8::10/64/eth0"} {
		t.Run(word, func(t *testing.T) {
			left, right := nstest.Pair(t)
			n := newNode(t, left)
			a, err := Parse(spec(t, word))
			if err != nil {
				t.Fatal(err)
			}
			n.start(word)
			n.announce(word)

			before := left.Link(t, "eth0").Attrs().HardwareAddr
			right.SetNeighbour(t, "eth0", a.IP, before)
			after := left.SetMAC(t, "eth0", "02:00:00:00:00:07")
			n.announce(word)
			learns(t, right, a.IP, after, before)

			if err := left.Netlink().LinkDel(left.Link(t, "eth0")); err != nil {
				t.Fatal(err)
			}
			if err := n.try(n.driver.Announce, word); err == nil {
				t.Error("Announce on an interface that is gone succeeded")
			}
			nstest.Cable(t, left, right, "eth0")
			n.start(word)
			right.SetNeighbour(t, "eth0", a.IP, after)
			n.announce(word)
			learns(t, right, a.IP, left.Link(t, "eth0").Attrs().HardwareAddr, after)
		})
	}
}

func TestAnnounceOfWhatIsNotHeld(t *testing.T) {
	left, _ := nstest.Pair(t)
	n := newNode(t, left)
	err := n.try(n.driver.Announce, "192.0.2.10")
	if want := "announce IPaddr::192.0.2.10: 192.0.2.10 is not held here"; err == nil || err.Error() != want {
		t.Errorf("Announce\n got %v\nwant %v", err, want)
	}
}

func TestAnnounceWhereNobodyListens(t *testing.T) {
	left, _ := nstest.Pair(t)
	n := newNode(t, left)
	n.start("IPaddr::192.0.2.10/32/lo")
	n.announce("IPaddr::192.0.2.10/32/lo")
}
