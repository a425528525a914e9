package ipaddr

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/mdlayher/arp"
	"github.com/mdlayher/ethernet"
	"github.com/mdlayher/packet"
	"github.com/systole-ha/systole/resources"
	"github.com/systole-ha/systole/resources/nstest"
	"golang.org/x/sys/unix"
)

// A stranger is a machine on the cable that sends what it likes.
type stranger struct {
	testing.TB
	conn *packet.Conn
}

func newStranger(t testing.TB, n *nstest.Namespace, device string) stranger {
	t.Helper()
	s := stranger{TB: t}
	var err error
	n.Do(t, func() {
		var ifi *net.Interface
		if ifi, err = net.InterfaceByName(device); err == nil {
			s.conn, err = packet.Listen(ifi, packet.Raw, unix.ETH_P_LOOPBACK, nil)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.conn.Close() })
	return s
}

func (s stranger) send(f *ethernet.Frame, err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
	b, err := f.MarshalBinary()
	if err == nil {
		_, err = s.conn.WriteTo(b, &packet.Addr{HardwareAddr: f.Destination})
	}
	if err != nil {
		s.Fatal(err)
	}
}

var (
	theirs  = net.HardwareAddr{2, 0, 0, 0, 0, 9}
	others  = net.HardwareAddr{2, 0, 0, 0, 0, 10}
	nobody  = make(net.HardwareAddr, 6)
	virtual = netip.MustParseAddr("192.0.2.10")
)

func (s stranger) claims(ip netip.Addr, mac net.HardwareAddr) {
	s.Helper()
	if ip.Is4() {
		s.send(arpFrame(arp.OperationRequest, ip, mac, nobody))
		return
	}
	s.send(unsolicitedAdvertisement(ip, link{mac: mac}))
}

// at changes the times of a watch.
func at(settle, quiet, again time.Duration) func(*watch) {
	return func(w *watch) { w.settle, w.quiet, w.again = settle, quiet, again }
}

func TestConflicts(t *testing.T) {
	const v4, v6 = "IPaddr::192.0.2.10/24/eth0", "IPv6addr::2001:db8::10/64/eth0"
	six := netip.MustParseAddr("2001:db8::10")
	asks := func(sender netip.Addr, mac net.HardwareAddr) (*ethernet.Frame, error) {
		p, err := arp.NewPacket(arp.OperationRequest, mac, sender, nobody, virtual)
		if err != nil {
			return nil, err
		}
		payload, err := p.MarshalBinary()
		return &ethernet.Frame{Destination: ethernet.Broadcast, Source: mac, EtherType: ethernet.EtherTypeARP, Payload: payload}, err
	}
	tests := []struct {
		name string
		does func(s stranger, n node)
		is   string // the address in conflict, if any
	}{
		{name: "an ARP announcement of another", is: "192.0.2.10", does: func(s stranger, n node) {
			s.send(arpFrame(arp.OperationRequest, virtual, theirs, nobody))
		}},
		{name: "an ARP reply of another", is: "192.0.2.10", does: func(s stranger, n node) {
			s.send(arpFrame(arp.OperationReply, virtual, theirs, n.ns.Link(n.T, "eth0").Attrs().HardwareAddr))
		}},
		{name: "another who asks for a third with our address as his", is: "192.0.2.10", does: func(s stranger, n node) {
			s.send(asks(virtual, theirs))
		}},
		{name: "a neighbour who asks for our address", does: func(s stranger, n node) { s.send(asks(netip.MustParseAddr("192.0.2.2"), theirs)) }},
		{name: "a probe, which claims nothing", does: func(s stranger, n node) { s.send(asks(netip.IPv4Unspecified(), theirs)) }},
		{name: "an echo of our own announcement", does: func(s stranger, n node) {
			s.claims(virtual, n.ns.Link(n.T, "eth0").Attrs().HardwareAddr)
			s.claims(six, n.ns.Link(n.T, "eth0").Attrs().HardwareAddr)
		}},
		{name: "another interface of this machine", does: func(s stranger, n node) {
			s.claims(virtual, n.ns.Link(n.T, "eth1").Attrs().HardwareAddr)
		}},
		{name: "a claim to an address that is not held", does: func(s stranger, n node) {
			s.claims(netip.MustParseAddr("192.0.2.11"), theirs)
			s.claims(netip.MustParseAddr("2001:db8:ffff::10"), theirs) // with the same last word
		}},
		{name: "an advertisement of another", is: "2001:db8::10", does: func(s stranger, n node) { s.claims(six, theirs) }},
		{name: "an advertisement from behind a router", does: func(s stranger, n node) {
			f, err := unsolicitedAdvertisement(six, link{mac: theirs})
			f.Payload[7] = 254 // hop limit
			s.send(f, err)
		}},
		{name: "an advertisement without a hardware address", does: func(s stranger, n node) {
			f, err := unsolicitedAdvertisement(six, link{mac: theirs})
			f.Payload[headerIPv6+24] = 1 // the option is a source's
			f.Payload[headerIPv6+2]++    // checksum: one less above
			s.send(f, err)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			left, right := nstest.Pair(t, nstest.Cables(2))
			n := newNode(t, left)
			n.start(v4)
			n.start(v6)
			lines := n.watch(at(0, time.Hour, time.Hour), v4, v6)
			n.until(lines)
			s := newStranger(t, right, "eth0")
			tt.does(s, n)
			// A claim of a second stranger to both shows that the first has been heard.
			want := []string{}
			ours := left.Link(t, "eth0").Attrs().HardwareAddr.String()
			if tt.is != "" {
				want = append(want, fmt.Sprintf("%s on eth0: %s is not %s", tt.is, theirs, ours))
			}
			s.claims(virtual, others)
			s.claims(six, others)
			want = append(want,
				fmt.Sprintf("192.0.2.10 on eth0: %s is not %s", others, ours),
				fmt.Sprintf("2001:db8::10 on eth0: %s is not %s", others, ours))
			var got []string
			for range want {
				select {
				case line := <-lines:
					got = append(got, line)
				case <-time.After(5 * time.Second):
				}
			}
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("told\n got %q\nwant %q", got, want)
			}
		})
	}
}

// What the filter in the kernel lets pass may have been there before it was set.
func TestClaimsThatCount(t *testing.T) {
	ours := net.HardwareAddr{2, 0, 0, 0, 0, 1}
	tests := []struct {
		name   string
		change func(*watched)
		claim  claim
		counts bool
	}{
		{"to an address that is being given up, which the watch has not read yet", func(a *watched) { a.hold.since = time.Unix(1, 0) }, claim{virtual, theirs, 2}, false},
		{"another's", nil, claim{virtual, theirs, 2}, true},
		{"on another network", nil, claim{virtual, theirs, 3}, false},
		{"by an interface of ours", nil, claim{virtual, ours, 2}, false},
		{"to an address that nobody configured", nil, claim{netip.MustParseAddr("192.0.2.11"), theirs, 2}, false},
		{"to an address that is not held", func(a *watched) { a.hold = nil }, claim{virtual, theirs, 2}, false},
		{"to an address held since a moment", func(a *watched) { a.hold.armed = false }, claim{virtual, theirs, 2}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			lines := make(told, 10)
			w := newWatch(newBooks(), []resources.Spec{spec(t, "192.0.2.10")}, lines)
			w.links = map[int]link{1: {index: 1, name: "lo"}, 2: {index: 2, name: "eth0", mac: ours}, 3: {index: 3, name: "eth1", mac: others}}
			a := w.addresses[virtual]
			w.books.hold(virtual, 2)
			a.hold = &hold{holding: w.books.held[virtual], armed: true}
			if tt.change != nil {
				tt.change(a)
			}
			w.claimed(time.Now(), tt.claim)
			if counts := len(lines) > 0; counts != tt.counts {
				t.Errorf("it counts: %v, want %v", counts, tt.counts)
			}
		})
	}
}

func TestConflictsEnd(t *testing.T) {
	const v4 = "IPaddr::192.0.2.10/24/eth0"
	setup := func(t *testing.T, quiet time.Duration) (node, stranger, told, string) {
		left, right := nstest.Pair(t)
		n := newNode(t, left)
		n.start(v4)
		lines := n.watch(at(0, quiet, time.Hour), v4)
		n.until(lines)
		s := newStranger(t, right, "eth0")
		s.claims(virtual, theirs)
		conflict := fmt.Sprintf("192.0.2.10 on eth0: %s is not %s", theirs, left.Link(t, "eth0").Attrs().HardwareAddr)
		lines.next(t, conflict)
		return n, s, lines, conflict
	}
	t.Run("when nobody else has been heard for a while", func(t *testing.T) {
		_, s, lines, conflict := setup(t, 50*time.Millisecond)
		lines.next(t, "192.0.2.10 on eth0: nobody else")
		s.claims(virtual, theirs)
		lines.next(t, conflict, "192.0.2.10 on eth0: nobody else")
	})
	t.Run("when the address is released, after which nothing is heard", func(t *testing.T) {
		n, s, lines, _ := setup(t, time.Hour)
		n.stop(v4)
		ended := []string{<-lines, <-lines}
		slices.Sort(ended)
		if want := []string{"192.0.2.10 on eth0: false", "192.0.2.10 on eth0: nobody else"}; !slices.Equal(ended, want) {
			t.Errorf("told\n got %q\nwant %q", ended, want)
		}
		s.claims(virtual, theirs)
		if got := n.until(lines); len(got) > 0 {
			t.Errorf("told %q", got)
		}
	})
}

// The former owner's last announcement comes when the address is held here
// already: not before the holding has settled is a claim a conflict.
func TestConflictsOfAFreshHolding(t *testing.T) {
	const v4 = "IPaddr::192.0.2.10/24/eth0"
	left, right := nstest.Pair(t)
	n := newNode(t, left)
	const settle = 300 * time.Millisecond
	lines := n.watch(at(settle, time.Hour, time.Hour), v4)
	n.until(lines)
	s := newStranger(t, right, "eth0")
	began := time.Now()
	n.start(v4)
	lines.next(t, "192.0.2.10 on eth0: true")
	repeat := time.NewTicker(5 * time.Millisecond)
	defer repeat.Stop()
	for {
		s.claims(virtual, theirs)
		select {
		case line := <-lines:
			if after := time.Since(began); after < settle || after > settle+2*time.Second {
				t.Errorf("told after %v: %q; want it soon after %v", after, line, settle)
			}
			return
		case <-repeat.C:
		case <-t.Context().Done():
			return
		}
	}
}

func TestConflictsAreToldAgain(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	const again, quiet = time.Minute, 50 * time.Second
	mac := func(i int) net.HardwareAddr { return net.HardwareAddr{2, 0, 0, 0, 1, byte(i)} }
	tests := []struct {
		name  string
		after time.Duration // the one before
		mac   net.HardwareAddr
		tell  bool
	}{
		{"the first", 0, mac(0), true},
		{"the same at once", 0, mac(0), false},
		{"another", time.Second, mac(1), true},
		{"the first, an instant short of a minute later", 59*time.Second - 1, mac(0), false},
		{"a minute later", 1, mac(0), true},
		{"the other, a minute after it was told", time.Second, mac(1), true},
	}
	c := &conflict{first: now, told: map[string]time.Time{}}
	for _, tt := range tests {
		now = now.Add(tt.after)
		if got := c.heard(now, tt.mac, again); got != tt.tell {
			t.Errorf("%s: told %v, want %v", tt.name, got, tt.tell)
		}
	}
	told := 0
	for i := range 250 {
		if c.heard(now, mac(i), again) {
			told++
		}
	}
	if told+2 != conflictMost {
		t.Errorf("%d strangers of 250 at once were told, want %d", told+2, conflictMost)
	}
	if c.isOver(now.Add(quiet-1), quiet) || !c.isOver(now.Add(quiet), quiet) {
		t.Errorf("a conflict does not end %v after the last claim", quiet)
	}
}

// The kernel lets pass no other packet than those about the addresses, as many
// as there are.
func TestTheWireIsFiltered(t *testing.T) {
	tests := []struct {
		name string
		held int
	}{{"one address", 1}, {"500 addresses", 500}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			left, right := nstest.Pair(t)
			var readers sync.WaitGroup
			defer readers.Wait()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var w *wire
			var err error
			left.Do(t, func() { w, err = openWire(ctx, true, true, &readers) })
			if err != nil {
				t.Fatal(err)
			}
			defer w.close()
			var v4, v6 []netip.Addr
			for i := range tt.held {
				v4 = append(v4, netip.AddrFrom4([4]byte{10, 0, byte(i / 250), byte(i % 250)}))
				v6 = append(v6, netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 14: byte(i / 250), 15: byte(i % 250)}))
			}
			w.listen(append(slices.Clone(v4), v6...))
			s := newStranger(t, right, "eth0")
			for i := range 10 {
				s.claims(netip.AddrFrom4([4]byte{10, 1, 0, byte(i)}), theirs)
				s.claims(netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 13: 1, 15: byte(i)}), theirs)
			}
			for _, of := range [][]netip.Addr{v4, v6} {
				for _, ip := range []netip.Addr{of[0], of[len(of)-1]} {
					s.claims(ip, theirs)
					select {
					case c := <-w.claims:
						if c.ip != ip || c.mac.String() != theirs.String() || c.link != left.Link(t, "eth0").Attrs().Index {
							t.Errorf("heard %+v, want a claim of %s to %s", c, theirs, ip)
						}
					case <-time.After(5 * time.Second):
						t.Fatalf("did not hear of %s", ip)
					}
				}
			}
		})
	}
}

// More words than a filter has room for are no reason to hear nothing.
func TestFiltersHaveAnEnd(t *testing.T) {
	words := make([]uint32, filterMost)
	if got := len(assemble(arpFilter(words))); got > 4096 { // BPF_MAXINSNS
		t.Errorf("%d instructions", got)
	}
	if got := len(assemble(arpFilter(append(words, 0)))); got != 5 {
		t.Errorf("%d instructions, want one that lets all pass", got)
	}
}

// BenchmarkFloodOfClaims floods a node that holds an address with claims to it,
// and counts those that are looked at.
func BenchmarkFloodOfClaims(b *testing.B) {
	left, right := nstest.Pair(b)
	var readers sync.WaitGroup
	ctx, cancel := context.WithCancel(b.Context())
	var w *wire
	var err error
	left.Do(b, func() { w, err = openWire(ctx, true, false, &readers) })
	if err != nil {
		b.Fatal(err)
	}
	w.listen([]netip.Addr{virtual})
	var heard int
	readers.Go(func() {
		for {
			select {
			case <-w.claims:
				heard++
			case <-ctx.Done():
				return
			}
		}
	})
	s := newStranger(b, right, "eth0")
	began := time.Now()
	for b.Loop() {
		s.claims(virtual, theirs)
	}
	took := time.Since(began).Seconds()
	w.close()
	cancel()
	readers.Wait()
	b.ReportMetric(float64(b.N)/took, "sent/s")
	b.ReportMetric(float64(heard)/took, "heard/s")
}
