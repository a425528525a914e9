package gate

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/mdlayher/arp"
	"github.com/mdlayher/ethernet"
	"github.com/mdlayher/ndp"
	"github.com/mdlayher/packet"
	"golang.org/x/sys/unix"

	"github.com/systole-ha/systole/resources/nstest"
)

// The virtual addresses, and the node's own that nothing may happen to.
var (
	virtual4 = netip.MustParseAddr("192.0.2.10")
	virtual6 = netip.MustParseAddr("2001:db8::10")
	own4     = netip.MustParseAddr("192.0.2.1")
	own6     = netip.MustParseAddr("2001:db8::1")
)

// A node is a machine with the virtual addresses and a gate, and one that asks
// it.
type node struct {
	*testing.T
	left, right *nstest.Namespace
	gate        *Gate
	asking      *packet.Conn
	mac         net.HardwareAddr // of who asks
	theirs      net.HardwareAddr // of who is asked
}

func newNode(t *testing.T) *node {
	left, right := nstest.Pair(t)
	left.AddAddress(t, "eth0", virtual4.String()+"/24")
	left.AddAddress(t, "eth0", virtual6.String()+"/64")
	n := &node{T: t, left: left, right: right, gate: New([]netip.Addr{virtual4, virtual6})}
	t.Cleanup(n.gate.Close)
	for _, ip := range []netip.Addr{virtual4, virtual6, own4, own6} {
		n.echo(ip)
		n.theirs = left.Link(t, "eth0").Attrs().HardwareAddr
		right.SetNeighbour(t, "eth0", ip, n.theirs)
	}
	right.Do(t, func() {
		ifi, err := net.InterfaceByName("eth0")
		if err == nil {
			n.mac = ifi.HardwareAddr
			n.asking, err = packet.Listen(ifi, packet.Raw, unix.ETH_P_ALL, nil)
		}
		if err != nil {
			t.Fatal(err)
		}
	})
	t.Cleanup(func() { n.asking.Close() })
	return n
}

// echo answers datagrams to an address of the node.
func (n *node) echo(ip netip.Addr) {
	var server net.PacketConn
	n.left.Do(n.T, func() {
		var err error
		if server, err = net.ListenPacket("udp", netip.AddrPortFrom(ip, 9).String()); err != nil {
			n.Fatal(err)
		}
	})
	n.Cleanup(func() { server.Close() })
	go func() {
		b := make([]byte, 16)
		for {
			size, from, err := server.ReadFrom(b)
			if err != nil {
				return
			}
			_, _ = server.WriteTo(b[:size], from) // what is not let through is the test's to see
		}
	}()
}

func (n *node) do(fn func(*Gate) error) (err error) {
	n.Helper()
	n.left.Do(n.T, func() { err = fn(n.gate) })
	return err
}

func (n *node) must(fn func(*Gate) error) {
	n.Helper()
	if err := n.do(fn); err != nil {
		n.Fatal(err)
	}
}

func (n *node) build(life time.Duration) {
	n.Helper()
	n.must(func(g *Gate) error { return g.Build(life) })
}

func (n *node) renew(life time.Duration) error {
	n.Helper()
	return n.do(func(g *Gate) error { return g.Renew(life) })
}

// How long an answer is waited for: one that should not come some hundred times
// as long as it takes, one that should as long as a busy machine may need.
const (
	unwanted = 20 * time.Millisecond
	wanted   = 2 * time.Second
)

// answers reports whether the node sends anything back.
func (n *node) answers(ip netip.Addr, within time.Duration) bool {
	n.Helper()
	answers := false
	n.right.Do(n.T, func() {
		c, err := net.Dial("udp", netip.AddrPortFrom(ip, 9).String())
		if err != nil {
			n.Fatal(err)
		}
		defer c.Close()
		if err := c.SetDeadline(time.Now().Add(within)); err != nil {
			n.Fatal(err)
		}
		if _, err := c.Write([]byte("who?")); err != nil {
			n.Fatal(err)
		}
		_, err = c.Read(make([]byte, 16))
		answers = err == nil
	})
	return answers
}

// speaksFor reports whether the node says that it has the address, by ARP or
// neighbour discovery.
func (n *node) speaksFor(ip netip.Addr, within time.Duration) bool {
	n.Helper()
	if _, err := n.asking.WriteTo(n.question(ip), &packet.Addr{HardwareAddr: ethernet.Broadcast}); err != nil {
		n.Fatal(err)
	}
	if err := n.asking.SetReadDeadline(time.Now().Add(within)); err != nil {
		n.Fatal(err)
	}
	b := make([]byte, 2048)
	for {
		size, _, err := n.asking.ReadFrom(b)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return false
		}
		var f ethernet.Frame
		if err = errors.Join(err, f.UnmarshalBinary(bytes.Clone(b[:size]))); err != nil {
			n.Fatal(err)
		}
		if !bytes.Equal(f.Source, n.theirs) {
			continue
		}
		var reply arp.Packet
		if f.EtherType == ethernet.EtherTypeARP && reply.UnmarshalBinary(f.Payload) == nil && reply.SenderIP == ip {
			return true
		}
		if f.EtherType == ethernet.EtherTypeIPv6 && len(f.Payload) > 40 {
			m, err := ndp.ParseMessage(f.Payload[40:])
			if na, ok := m.(*ndp.NeighborAdvertisement); err == nil && ok && na.TargetAddress == ip {
				return true
			}
		}
	}
}

func (n *node) question(ip netip.Addr) []byte {
	f := &ethernet.Frame{Source: n.mac, Destination: ethernet.Broadcast, EtherType: ethernet.EtherTypeARP}
	if ip.Is4() {
		p, err := arp.NewPacket(arp.OperationRequest, n.mac, netip.MustParseAddr("192.0.2.2"), make(net.HardwareAddr, 6), ip)
		if err != nil {
			n.Fatal(err)
		}
		f.Payload, _ = p.MarshalBinary()
	} else {
		from, group := netip.MustParseAddr("2001:db8::2"), netip.MustParseAddr("ff02::1:ff00:0")
		g := group.As16()
		i := ip.As16()
		copy(g[13:], i[13:])
		group = netip.AddrFrom16(g)
		m, err := ndp.MarshalMessageChecksum(&ndp.NeighborSolicitation{TargetAddress: ip,
			Options: []ndp.Option{&ndp.LinkLayerAddress{Direction: ndp.Source, Addr: n.mac}}}, from, group)
		if err != nil {
			n.Fatal(err)
		}
		header := make([]byte, 40)
		header[0], header[5], header[6], header[7] = 6<<4, byte(len(m)), unix.IPPROTO_ICMPV6, ndp.HopLimit
		copy(header[8:], from.AsSlice())
		copy(header[24:], group.AsSlice())
		f.EtherType, f.Payload = ethernet.EtherTypeIPv6, append(header, m...)
		f.Destination = net.HardwareAddr{0x33, 0x33, g[12], g[13], g[14], g[15]}
	}
	b, err := f.MarshalBinary()
	if err != nil {
		n.Fatal(err)
	}
	return b
}

// is wants the virtual addresses answered for, or not, and the node's own
// always.
func (n *node) is(open bool) {
	n.Helper()
	for _, ip := range []netip.Addr{virtual4, virtual6, own4, own6} {
		want, within := open || ip == own4 || ip == own6, unwanted
		if want {
			within = wanted
		}
		if got := n.answers(ip, within); got != want {
			n.Errorf("%s is answered: %v, want %v", ip, got, want)
		}
		if got := n.speaksFor(ip, within); got != want {
			n.Errorf("%s is spoken for: %v, want %v", ip, got, want)
		}
	}
}

const (
	long  = 10 * time.Second // outlives what a test looks at
	short = 100 * time.Millisecond
)

func TestGate(t *testing.T) {
	n := newNode(t)
	n.is(true)
	n.build(0)
	n.is(false)
	if err := n.renew(long); err != nil {
		t.Fatal(err)
	}
	n.is(true)
	n.must((*Gate).Shut)
	n.is(false)
	if err := n.renew(short); err != nil {
		t.Fatal(err)
	}
	nstest.Await(t, "the gate to shut by itself", func() bool { return !n.answers(virtual4, unwanted) })
	n.is(false)
	if err := n.renew(long); !errors.Is(err, ErrShut) {
		t.Errorf("renewed after its time: %v, want that the kernel refuses", err)
	}
	n.is(false)
	n.build(long)
	n.is(true)
	n.build(0)
	n.must((*Gate).Remove)
	n.is(true)
}

// jiffy is the kernel's unit of timeouts at its coarsest, CONFIG_HZ=100.
const jiffy = 10 * time.Millisecond

// TestItShutsOnTime asks all the time and wants the last answer never later than
// the gate was to be open, and once at least not much sooner: a busy machine
// may be the reason for the others.
func TestItShutsOnTime(t *testing.T) {
	n := newNode(t)
	const life = 200 * time.Millisecond
	longest := time.Duration(0)
	for range 5 {
		n.build(life)
		n.must(func(g *Gate) error { // twice: the second is what extends the first
			return errors.Join(g.Renew(life), g.Renew(life))
		})
		renewed := time.Now() // the last one is not later
		for time.Since(renewed) < 2*life {
			if asked := time.Now(); n.answers(virtual4, unwanted) {
				longest = max(longest, asked.Sub(renewed))
			}
		}
	}
	t.Logf("the last answer came %v after the last renewal", longest)
	if longest > life || longest < life-3*jiffy {
		t.Errorf("the last answer came %v after the last renewal, want %v", longest, life)
	}
}

// TestWhatOthersDo has somebody else change rules: ours are put up again, all
// of them, and theirs stay.
func TestWhatOthersDo(t *testing.T) {
	inet := &nftables.Table{Name: name, Family: nftables.TableFamilyINet}
	for _, tt := range []struct {
		name  string
		do    func(c *nftables.Conn)
		wrong bool // with ours
	}{
		{"a ruleset is flushed", func(c *nftables.Conn) { c.FlushRuleset() }, true},
		{"one table is deleted", func(c *nftables.Conn) { c.DelTable(&nftables.Table{Name: name, Family: nftables.TableFamilyARP}) }, true},
		{"rules are flushed", func(c *nftables.Conn) { c.FlushTable(inet) }, true},
		{"rules of one chain are flushed", func(c *nftables.Conn) { c.FlushChain(&nftables.Chain{Name: "leaves", Table: inet}) }, true},
		{"addresses are flushed", func(c *nftables.Conn) { c.FlushSet(&nftables.Set{Name: addresses4, Table: inet}) }, true},
		{"a rule that lets all pass is added", func(c *nftables.Conn) {
			c.InsertRule(&nftables.Rule{Table: inet, Chain: &nftables.Chain{Name: "arrives", Table: inet}, Exprs: []expr.Any{&expr.Verdict{Kind: expr.VerdictAccept}}})
		}, true},
		{"another table comes", func(c *nftables.Conn) { c.AddTable(&nftables.Table{Name: "other", Family: nftables.TableFamilyINet}) }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := newNode(t)
			n.build(long)
			n.foreign(func(c *nftables.Conn) { c.AddTable(&nftables.Table{Name: "theirs", Family: nftables.TableFamilyIPv4}) })
			if err := n.renew(long); err != nil {
				t.Fatalf("after somebody else's table has come: %v", err)
			}
			n.foreign(tt.do)
			if err := n.renew(long); errors.Is(err, ErrRebuilt) != tt.wrong || !tt.wrong && err != nil {
				t.Errorf("renewing says %v, want that the gate was rebuilt: %v", err, tt.wrong)
			}
			if err := n.renew(long); err != nil {
				t.Errorf("and the next time %v", err)
			}
			n.is(true)
			n.must((*Gate).Shut)
			n.is(false)
			n.must((*Gate).Remove)
			n.foreign(func(c *nftables.Conn) {
				left, err := c.ListTables()
				want := map[bool]int{true: 0, false: 1}[tt.name == "a ruleset is flushed"]
				if tt.name == "another table comes" {
					want = 2
				}
				if err != nil || len(left) != want {
					t.Errorf("%d tables are left, want %d of others' (%v)", len(left), want, err)
				}
			})
		})
	}
}

// foreign does something to the rules in one transaction, as another process.
func (n *node) foreign(do func(*nftables.Conn)) {
	n.Helper()
	n.left.Do(n.T, func() {
		c, err := nftables.New()
		if err != nil {
			n.Fatal(err)
		}
		do(c)
		if err := c.Flush(); err != nil {
			n.Fatal(err)
		}
	})
}

// TestTheNextProcess finds the gate of one that has ended.
func TestTheNextProcess(t *testing.T) {
	n := newNode(t)
	n.finds(Absent)
	n.build(0)
	n.gate.Close()
	n.gate = New([]netip.Addr{virtual4})
	n.finds(Shut)
	n.is(false)
	if err := n.do(func(g *Gate) error { return g.Adopt(long) }); !errors.Is(err, ErrShut) {
		t.Errorf("adopting a gate that has shut: %v", err)
	}
	n.build(long)
	n.gate.Close()
	n.gate = New([]netip.Addr{virtual4})
	n.finds(Open)
	n.must(func(g *Gate) error { return g.Adopt(long) })
	n.must((*Gate).Shut)
	if n.answers(virtual4, unwanted) || !n.answers(virtual6, wanted) {
		t.Error("the addresses of the gate are not those of the new process")
	}
	n.must((*Gate).Remove)
	n.must((*Gate).Remove) // there is none
	n.must((*Gate).Shut)
	n.finds(Absent)
}

func (n *node) finds(want State) {
	n.Helper()
	n.must(func(g *Gate) error {
		got, err := g.Find()
		if got != want {
			n.Errorf("found %v, want %v", got, want)
		}
		return err
	})
}

// TestOthersChangeRulesAllTheTime renews beside a process that never stops.
func TestOthersChangeRulesAllTheTime(t *testing.T) {
	n := newNode(t)
	n.build(long)
	for i := range 20 {
		n.foreign(func(c *nftables.Conn) {
			c.AddTable(&nftables.Table{Name: "theirs", Family: nftables.TableFamilyIPv4})
			if i%2 == 1 {
				c.DelTable(&nftables.Table{Name: "theirs", Family: nftables.TableFamilyIPv4})
			}
		})
		if err := n.renew(long); err != nil {
			t.Fatal(err)
		}
	}
	n.is(true)
}
