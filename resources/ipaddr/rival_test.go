package ipaddr

import (
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/mdlayher/arp"
	"github.com/mdlayher/ethernet"
	"github.com/mdlayher/ndp"
	"github.com/systole-ha/systole/resources"
	"github.com/systole-ha/systole/resources/nstest"
	"golang.org/x/sys/unix"
)

// Another machine that has an address says nothing of its own accord. It is
// asked when the address is put up here, and its answer counts at once.
func TestRivals(t *testing.T) {
	tests := []struct{ name, word, address, told string }{
		{name: "an IPv4 address", word: "IPaddr::192.0.2.10/24/eth0", address: "192.0.2.10/24", told: "192.0.2.10"},
		{name: "an IPv6 address", word: "IPv6addr::2001:db8::10/64/eth0", address: "2001:db8::10/64", told: "2001:db8::10"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			left, right := nstest.Pair(t)
			n := newNode(t, left)
			right.AddAddress(t, "eth0", tt.address)
			lines := n.watch(at(time.Hour, time.Hour, time.Hour), tt.word) // what is heard unasked does not count
			n.until(lines)
			n.start(tt.word)
			lines.next(t, tt.told+" on eth0: true",
				fmt.Sprintf("%s on eth0: %s is not %s", tt.told, mac(t, right, "eth0"), mac(t, left, "eth0")))
			n.has("eth0", with(own0, tt.address)...) // the claim stands
		})
	}
}

// The question is RFC 5227's, with no sender that anybody could enter, and is
// asked three times where nobody answers.
func TestProbesOfAFreeAddress(t *testing.T) {
	left, right := nstest.Pair(t)
	n := newNode(t, left)
	n.until(n.watch(nil, "IPaddr::192.0.2.10/24/eth0"))
	listener := right.Listen(t, "eth0")
	n.start("IPaddr::192.0.2.10/24/eth0")
	for i := range probeRounds {
		f := listener.Next(t)
		for f.ARP == nil || f.ARP.TargetIP != virtual {
			f = listener.Next(t)
		}
		if f.ARP.Operation != arp.OperationRequest || !f.ARP.SenderIP.IsUnspecified() || f.ARP.SenderHardwareAddr.String() != mac(t, left, "eth0") {
			t.Errorf("question %d: %+v", i+1, f.ARP)
		}
	}
}

// What the former owner says of its own accord in that time counts for nothing.
func TestNoRivalUnasked(t *testing.T) {
	left, right := nstest.Pair(t)
	n := newNode(t, left)
	lines := n.watch(at(time.Hour, time.Hour, time.Hour), "IPaddr::192.0.2.10/24/eth0")
	n.until(lines)
	listener, s := right.Listen(t, "eth0"), newStranger(t, right, "eth0")
	ours := left.Link(t, "eth0").Attrs().HardwareAddr
	n.start("IPaddr::192.0.2.10/24/eth0")
	for f := listener.Next(t); f.ARP == nil || f.ARP.TargetIP != virtual; f = listener.Next(t) {
	}
	s.claims(virtual, theirs)
	s.send(arpFrame(arp.OperationReply, virtual, theirs, ours))
	p, err := arp.NewPacket(arp.OperationReply, others, virtual, ours, netip.IPv4Unspecified())
	if err != nil {
		t.Fatal(err)
	}
	payload, err := p.MarshalBinary()
	s.send(&ethernet.Frame{Destination: ours, Source: others, EtherType: ethernet.EtherTypeARP, Payload: payload}, err)
	lines.next(t, "192.0.2.10 on eth0: true", fmt.Sprintf("192.0.2.10 on eth0: %s is not %s", others, ours))
}

// Nobody is asked for an address that has been released meanwhile.
func TestProbesEndWithTheClaim(t *testing.T) {
	b := newBooks()
	b.begin(virtual, 2)
	begun := b.claimed[virtual]
	s := &segment{targets: []*target{{ip: virtual, into: new(resources.Probe), isVoid: func() bool { return !b.stands(virtual, begun) }}}}
	b.release(virtual)
	if open, err := s.send(); open > 0 || err != nil { // it has no socket, either
		t.Errorf("asked for %d, %v", open, err)
	}
}

// Who speaks for the address meanwhile, but not to us, may be the former owner,
// whose last announcement is on its way.
func TestOnlyAnswersMakeRivals(t *testing.T) {
	ours := net.HardwareAddr{2, 0, 0, 0, 0, 1}
	six, linkLocal := netip.MustParseAddr("2001:db8::10"), netip.MustParseAddr("fe80::1")
	reply := func(op arp.Operation, to net.HardwareAddr, ip netip.Addr) *ethernet.Frame {
		p, err := arp.NewPacket(op, theirs, virtual, to, ip)
		if err != nil {
			t.Fatal(err)
		}
		payload, err := p.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		return &ethernet.Frame{Destination: to, Source: theirs, EtherType: ethernet.EtherTypeARP, Payload: payload}
	}
	advertisement := func(solicited bool, to net.HardwareAddr) *ethernet.Frame {
		message, err := ndp.MarshalMessageChecksum(&ndp.NeighborAdvertisement{
			Solicited: solicited, TargetAddress: six,
			Options: []ndp.Option{&ndp.LinkLayerAddress{Direction: ndp.Target, Addr: theirs}},
		}, six, linkLocal)
		if err != nil {
			t.Fatal(err)
		}
		return icmpFrame(six, linkLocal, theirs, to, message)
	}
	tests := []struct {
		name    string
		frame   *ethernet.Frame
		answers bool
	}{
		{"the answer to a probe", reply(arp.OperationReply, ours, netip.IPv4Unspecified()), true},
		{"the answer to the probe of another node", reply(arp.OperationReply, others, netip.IPv4Unspecified()), false},
		{"the answer to an ordinary question, asked before", reply(arp.OperationReply, ours, netip.MustParseAddr("192.0.2.1")), false},
		{"a question", reply(arp.OperationRequest, ours, netip.IPv4Unspecified()), false},
		{"an announcement", reply(arp.OperationReply, theirs, virtual), false},
		{"the answer to a solicitation", advertisement(true, ours), true},
		{"the answer to that of another node", advertisement(true, others), false},
		{"an unsolicited advertisement", advertisement(false, allNodesMAC), false},
		{"one that comes to us alone", advertisement(false, ours), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, err := tt.frame.MarshalBinary()
			if err != nil {
				t.Fatal(err)
			}
			s := &segment{link: link{mac: ours}, ipv6: tt.frame.EtherType == ethernet.EtherTypeIPv6, strict: true}
			if ip, _ := s.answer(b); ip.IsValid() != tt.answers {
				t.Errorf("it answers: %v, want %v", ip.IsValid(), tt.answers)
			}
		})
	}
}

// An answer may come before the driver is through, or when it has given the
// address up again.
func TestRivalsAndHoldings(t *testing.T) {
	ours := net.HardwareAddr{2, 0, 0, 0, 0, 1}
	const line = "192.0.2.10 on eth0: 02:00:00:00:00:09 is not 02:00:00:00:00:01"
	tests := []struct {
		name string
		does func(w *watch, hears func())
		want int
	}{
		{"an answer before the address is held waits until it is", func(w *watch, hears func()) {
			hears()
			if a := w.addresses[virtual]; len(a.rivals) != 1 {
				t.Errorf("%d wait", len(a.rivals))
			}
			w.books.hold(virtual, 2)
			w.readBooks(t.Context())
		}, 1},
		{"one afterwards counts at once", func(w *watch, hears func()) {
			w.books.hold(virtual, 2)
			w.readBooks(t.Context())
			hears()
		}, 1},
		{"one to an address that was released does not", func(w *watch, hears func()) {
			w.books.hold(virtual, 2)
			w.readBooks(t.Context())
			w.books.release(virtual)
			hears()
		}, 0},
		{"nor to one whose start has failed", func(w *watch, hears func()) {
			w.books.release(virtual)
			hears()
			w.books.hold(virtual, 2) // by another start
			w.readBooks(t.Context())
		}, 0},
		{"nor one to an earlier start", func(w *watch, hears func()) {
			w.books.begin(virtual, 2)
			hears()
			w.books.hold(virtual, 2)
			w.readBooks(t.Context())
		}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			lines := make(told, 10)
			w := newWatch(newBooks(), []resources.Spec{spec(t, "192.0.2.10")}, lines)
			w.links = map[int]link{2: {index: 2, name: "eth0", mac: ours, flags: unix.IFF_LOOPBACK}} // nobody is asked
			w.books.begin(virtual, 2)
			first := w.books.claimed[virtual]
			w.readBooks(t.Context())
			tt.does(w, func() { w.answered(time.Now(), rival{claim{virtual, theirs, 2}, first}) })
			if len(lines) != tt.want {
				t.Fatalf("%d conflicts told, want %d", len(lines), tt.want)
			}
			if tt.want > 0 {
				lines.next(t, line)
			}
		})
	}
}
