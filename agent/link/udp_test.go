package link

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/systole-ha/systole/resources/nstest"
)

const haPort = 694

var (
	broadcast  = Broadcast{Device: "eth0", Port: haPort}
	group      = Multicast{Device: "eth0", Group: netip.MustParseAddr("239.0.0.42"), Port: haPort, TTL: 1}
	group6     = Multicast{Device: "eth0", Group: netip.MustParseAddr("ff15::42"), Port: haPort, TTL: 1}
	groupLink6 = Multicast{Device: "eth0", Group: netip.MustParseAddr("ff02::42"), Port: haPort, TTL: 1}
)

func unicastTo(target string) Unicast { return Unicast{Device: "eth0", Target: target, Port: haPort} }

func unicast6To(target string) Unicast {
	return Unicast{Device: "eth0", Target: target, Port: haPort, IPv6: true}
}

func TestPacketsCross(t *testing.T) {
	tests := []struct {
		name        string
		left, right []Medium
		by          int // the link of the left that sends
		source      string
		want        string // what the right hears
		echo        bool   // the sender hears itself
	}{
		{
			name: "a broadcast reaches the other node and comes back",
			left: []Medium{broadcast}, right: []Medium{broadcast},
			source: "192.0.2.1", want: "eth0/0:beat", echo: true,
		},
		{
			name: "a multicast reaches the other node only",
			left: []Medium{group}, right: []Medium{group},
			source: "192.0.2.1", want: "eth0/0:beat",
		},
		{
			name: "a multicast with loop comes back",
			left: []Medium{loop(group)}, right: []Medium{group},
			source: "192.0.2.1", want: "eth0/0:beat", echo: true,
		},
		{
			name: "an IPv6 multicast reaches the other node only",
			left: []Medium{group6}, right: []Medium{group6},
			source: "2001:db8::1", want: "eth0/0:beat",
		},
		{
			name: "an IPv6 multicast of link scope comes from the link-local address",
			left: []Medium{groupLink6}, right: []Medium{groupLink6},
			source: "fe80::", want: "eth0/0:beat",
		},
		{
			name: "a unicast reaches the other node",
			left: []Medium{unicastTo("192.0.2.2")}, right: []Medium{unicastTo("192.0.2.1")},
			source: "192.0.2.1", want: "eth0/0:beat",
		},
		{
			name: "an IPv6 unicast reaches the other node",
			left: []Medium{unicast6To("2001:db8::2")}, right: []Medium{unicast6To("2001:db8::1")},
			source: "2001:db8::1", want: "eth0/0:beat",
		},
		{
			name: "both nodes can have the same two ucast lines",
			left: []Medium{unicastTo("192.0.2.1"), unicastTo("192.0.2.2")}, by: 1,
			right:  []Medium{unicastTo("192.0.2.1"), unicastTo("192.0.2.2")},
			source: "192.0.2.1", want: "eth0/0:beat",
		},
		{
			name: "a broadcast does not speak for the ucast link beside it",
			left: []Medium{broadcast, unicastTo("192.0.2.2")}, by: 0,
			right:  []Medium{unicastTo("192.0.2.1"), broadcast},
			source: "192.0.2.1", want: "eth0/1:beat", echo: true,
		},
		{
			name: "a unicast does not speak for the bcast link beside it",
			left: []Medium{broadcast, unicastTo("192.0.2.2")}, by: 1,
			right:  []Medium{broadcast, unicastTo("192.0.2.1")},
			source: "192.0.2.1", want: "eth0/1:beat",
		},
		{
			name: "a multicast on the port of a broadcast is heard once",
			left: []Medium{broadcast, group}, by: 1, right: []Medium{broadcast, group},
			source: "192.0.2.1", want: "eth0/1:beat",
		},
		{
			name: "a node with bcast hears one with ucast",
			left: []Medium{unicastTo("192.0.2.2")}, right: []Medium{broadcast},
			source: "192.0.2.1", want: "eth0/0:beat",
		},
		{
			name: "a node with ucast hears one with bcast",
			left: []Medium{broadcast}, right: []Medium{unicastTo("192.0.2.1")},
			source: "192.0.2.1", want: "eth0/0:beat", echo: true,
		},
		{
			name: "a ucast line that names another address of the peer hears it all the same",
			left: []Medium{unicastTo("192.0.2.2")}, right: []Medium{unicastTo("192.0.2.77")},
			source: "192.0.2.1", want: "eth0/0:beat",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ns1, ns2 := nstest.Pair(t)
			linkLocal(t, ns1, "eth0")
			left, right := start(t, ns1, tt.left...), start(t, ns2, tt.right...)
			left.awaitOpen()
			right.awaitOpen()
			left.send(tt.by, "beat")
			left.send(tt.by, "end")

			heard := right.await(2)
			if got, want := said(heard), []string{tt.want, tt.want[:7] + "end"}; !slices.Equal(got, want) {
				t.Errorf("the right heard\n got %v\nwant %v", got, want)
			}
			if got := heard[0].Source.Addr().String(); got != tt.source && !(tt.source == "fe80::" && got[:6] == "fe80::") {
				t.Errorf("it came from %s, want %s", got, tt.source)
			}
			if tt.echo {
				left.await(2)
			}
			if got := len(left.all()) > 0; got != tt.echo {
				t.Errorf("the sender heard itself: %v, want %v", got, tt.echo)
			}
		})
	}
}

func loop(m Multicast) Multicast {
	m.Loop = true
	return m
}

func TestLinkLocalUnicast(t *testing.T) {
	ns1, ns2 := nstest.Pair(t)
	left := start(t, ns1, unicast6To(linkLocal(t, ns2, "eth0")))
	right := start(t, ns2, unicast6To(linkLocal(t, ns1, "eth0")))
	left.awaitOpen()
	right.awaitOpen()
	left.send(0, "beat")
	if got := right.await(1)[0].Source.Addr().String(); got != linkLocal(t, ns1, "eth0") {
		t.Errorf("it came from %s, want %s", got, linkLocal(t, ns1, "eth0"))
	}
}

// linkLocal waits for the link-local address of an interface to be usable.
func linkLocal(t *testing.T, ns *nstest.Namespace, device string) (address string) {
	t.Helper()
	nstest.Await(t, device+" has a link-local address", func() bool {
		all, err := ns.Netlink().AddrList(ns.Link(t, device), netlink.FAMILY_V6)
		for _, a := range all {
			if a.IP.IsLinkLocalUnicast() && a.Flags&unix.IFA_F_TENTATIVE == 0 {
				address = a.IP.String()
			}
		}
		return err == nil && address != ""
	})
	return address
}
