package link

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/systole-ha/systole/resources/nstest"
)

// A link lives through all an interface can do, and what it carried before it
// carries afterwards.
func TestInterfaceComesAndGoes(t *testing.T) {
	tests := []struct {
		name        string
		left, right Medium
	}{
		{"bcast", broadcast, broadcast},
		{"mcast", group, group},
		{"mcast6", group6, group6},
		{"ucast", unicastTo("192.0.2.2"), unicastTo("192.0.2.1")},
		{"ucast6", unicast6To("2001:db8::2"), unicast6To("2001:db8::1")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel() // most of the time is the second by which the kernel puts off news of a carrier
			ns1, ns2 := nstest.New(t, "left"), nstest.New(t, "right")
			left, right := start(t, ns1, tt.left), start(t, ns2, tt.right)
			left.awaitState(0, "waiting no_device")
			var refused *SendError
			if err := left.links[0].Send([]byte("x")); !errors.As(err, &refused) || refused.Reason != SendNoDevice {
				t.Errorf("Send without an interface: %v, want reason %s", err, SendNoDevice)
			}
			for round := range 2 {
				nstest.Cable(t, ns1, ns2, "eth0")
				number(t, ns1, ns2)
				exchange(t, left, right, fmt.Sprintf("new %d", round))

				must(t, ns1.Netlink().LinkSetDown(ns1.Link(t, "eth0")))
				left.awaitState(0, "waiting down")
				right.awaitState(0, "waiting no_carrier")

				must(t, ns1.Netlink().LinkSetUp(ns1.Link(t, "eth0")))
				number(t, ns1, ns2)
				exchange(t, left, right, fmt.Sprintf("up %d", round))

				must(t, ns1.Netlink().LinkDel(ns1.Link(t, "eth0")))
				left.awaitState(0, "waiting no_device")
				right.awaitState(0, "waiting no_device")
			}
		})
	}
}

// The interface is another one before anybody noticed that it was gone.
func TestInterfaceIsReplaced(t *testing.T) {
	ns1, ns2 := nstest.Pair(t)
	left, right := start(t, ns1, broadcast), start(t, ns2, broadcast)
	exchange(t, left, right, "old")
	for round := range 20 {
		must(t, ns1.Netlink().LinkDel(ns1.Link(t, "eth0")))
		nstest.Cable(t, ns1, ns2, "eth0")
		number(t, ns1, ns2)
		exchange(t, left, right, fmt.Sprintf("new %d", round))
	}
}

func TestBroadcastAddressChanges(t *testing.T) {
	ns1, ns2 := nstest.Pair(t)
	left, right := start(t, ns1, broadcast), start(t, ns2, broadcast)
	exchange(t, left, right, "first network")
	for _, ns := range []*nstest.Namespace{ns1, ns2} {
		forget(t, ns)
	}
	ns1.AddAddress(t, "eth0", "198.51.100.1/25")
	ns2.AddAddress(t, "eth0", "198.51.100.2/25")
	exchange(t, left, right, "second network")
	for _, h := range right.all() {
		if got, want := h.Source.Addr().String(), "198.51.100.1"; h.Text == "second network from the left" && got != want {
			t.Errorf("%q came from %s, want %s", h.Text, got, want)
		}
	}
}

func TestBroadcastNeedsNoAddress(t *testing.T) {
	ns1, ns2 := nstest.New(t, "left"), nstest.New(t, "right")
	nstest.Cable(t, ns1, ns2, "eth0")
	exchange(t, start(t, ns1, broadcast), start(t, ns2, broadcast), "to all networks")
}

// An address that was the peer's can become ours, and go again.
func TestUnicastToOurselves(t *testing.T) {
	ns1, ns2 := nstest.Pair(t)
	left := start(t, ns1, unicastTo("192.0.2.2"), unicast6To("2001:db8::2"))
	right := start(t, ns2, unicastTo("192.0.2.1"), unicast6To("2001:db8::1"))
	left.awaitOpen()
	right.awaitOpen()

	forget(t, ns2)
	ns1.AddAddress(t, "eth0", "192.0.2.2/24")
	ns1.AddAddress(t, "eth0", "2001:db8::2/64")
	left.awaitState(0, "unused")
	left.awaitState(1, "unused")
	left.send(0, "to nobody")
	left.send(1, "to nobody")
	if got := left.links[0].Stats().Sent; got != 0 {
		t.Errorf("an unused link sent %d packets", got)
	}

	forget(t, ns1)
	number(t, ns1, ns2)
	left.awaitState(0, "open")
	left.awaitState(1, "open")
	exchange(t, left, right, "again")
	if heard := left.all(); slices.ContainsFunc(heard, func(h hearing) bool { return h.Text == "to nobody" }) {
		t.Errorf("the left heard itself: %v", said(heard))
	}
}

func TestUnresolvedName(t *testing.T) {
	ns1, _ := nstest.Pair(t)
	left := start(t, ns1, unicastTo("peer.invalid"))
	left.awaitState(0, "waiting unresolved")
}

func TestOneOfTwoLinksIsClosed(t *testing.T) {
	ns1, ns2 := nstest.Pair(t)
	left := start(t, ns1, broadcast, unicastTo("192.0.2.2"))
	right := start(t, ns2, broadcast, unicastTo("192.0.2.1"))
	left.awaitOpen()
	right.awaitOpen()

	must(t, right.links[0].Close()) // it may be the one that reads for both
	nstest.Await(t, "the other link hears", func() bool {
		left.send(0, "broadcast")
		left.send(1, "unicast")
		return slices.Contains(said(right.all()), "eth0/1:unicast")
	})
	if got := right.links[0].Stats().Received; got != 0 {
		t.Errorf("a closed link received %d packets", got)
	}
	var refused *SendError
	if err := right.links[0].Send([]byte("x")); !errors.As(err, &refused) || !errors.Is(err, ErrNotOpen) {
		t.Errorf("Send on a closed link: %v, want %v", err, ErrNotOpen)
	}
}

// exchange wants each node to hear the other on its first link, once both are
// open. What is sent before the other's kernel is ready is lost, as heartbeats
// are.
func exchange(t *testing.T, left, right *node, text string) {
	t.Helper()
	left.awaitOpen()
	right.awaitOpen()
	for _, way := range []struct {
		from, to *node
		text     string
	}{{left, right, text + " from the left"}, {right, left, text + " from the right"}} {
		packet := way.from.packet(way.text, way.from.links[0].Format())
		nstest.Await(t, way.text+" is heard", func() bool {
			if err := way.from.links[0].Send(packet); err != nil {
				t.Logf("not yet: %v", err)
			}
			return slices.Contains(said(way.to.all()), "eth0/0:"+way.text)
		})
	}
}

// number gives both ends the addresses of nstest.Pair that they lack.
func number(t *testing.T, ns1, ns2 *nstest.Namespace) {
	t.Helper()
	for i, ns := range []*nstest.Namespace{ns1, ns2} {
		has := ns.Addresses(t, "eth0")
		for _, a := range []string{fmt.Sprintf("192.0.2.%d/24", i+1), fmt.Sprintf("2001:db8::%d/64", i+1)} {
			if !slices.Contains(has, a) {
				ns.AddAddress(t, "eth0", a)
			}
		}
	}
}

// forget takes all addresses off an interface.
func forget(t *testing.T, ns *nstest.Namespace) {
	t.Helper()
	eth0 := ns.Link(t, "eth0")
	for _, address := range ns.Addresses(t, "eth0") {
		a, err := netlink.ParseAddr(address)
		if err != nil {
			t.Fatal(err)
		}
		// The first of a subnet takes the others with it (promote_secondaries).
		if err := ns.Netlink().AddrDel(eth0, a); err != nil && !errors.Is(err, unix.EADDRNOTAVAIL) {
			t.Fatal(err)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
