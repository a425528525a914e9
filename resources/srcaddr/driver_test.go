package srcaddr

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/systole-ha/systole/resources"
	"github.com/systole-ha/systole/resources/mark"
	"github.com/systole-ha/systole/resources/nstest"
	"github.com/systole-ha/systole/resources/resourcetest"
)

var spec, text = resourcetest.Spec, resourcetest.Text

func TestParse(t *testing.T) {
	for _, tt := range []struct{ name, word, want, err string }{
		{name: "an address", word: "IPsrcaddr::192.0.2.10", want: "192.0.2.10"},
		{name: "none", word: "IPsrcaddr", err: "IPsrcaddr takes one argument, an address, as in IPsrcaddr::192.0.2.10"},
		{name: "two", word: "IPsrcaddr::192.0.2.10::eth0", err: "IPsrcaddr takes one argument, an address, as in IPsrcaddr::192.0.2.10"},
		{name: "a prefix, as IPaddr has it", word: "IPsrcaddr::192.0.2.10/24", err: "IPsrcaddr takes an address without a prefix: write IPsrcaddr::192.0.2.10"},
		{name: "no address", word: "IPsrcaddr::eth0", err: `"eth0" is not an address, as in 192.0.2.10`},
		{name: "the loopback's", word: "IPsrcaddr::127.0.0.1", err: "127.0.0.1 cannot be the source of a connection to another machine"},
		{name: "IPv4 in IPv6", word: "IPsrcaddr::::ffff:192.0.2.10", err: "IPsrcaddr takes one argument, an address, as in IPsrcaddr::192.0.2.10"},
		{name: "IPv6", word: "IPsrcaddr::2001:db8:0:0:0:0:0:1", err: "IPsrcaddr sets no IPv6 address: the source of IPv6 connections is chosen by other rules (RFC 6724)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want := netip.Addr{}
			if tt.want != "" {
				want = netip.MustParseAddr(tt.want)
			}
			if got, err := Parse(spec(t, tt.word)); err == nil && got != want || text(err) != tt.err {
				t.Errorf("Parse(%s):\n got %v, %q\nwant %v, %q", tt.word, got, text(err), want, tt.err)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add("IPsrcaddr::192.0.2.10")
	f.Add("IPsrcaddr::192.0.2.10/24")
	f.Fuzz(func(t *testing.T, word string) {
		if s, err := resources.ParseSpec(word); err == nil {
			if ip, err := Parse(s); err == nil && !ip.Is4() {
				t.Errorf("Parse(%q) = %v", word, ip)
			}
		}
	})
}

func FuzzNote(f *testing.F) {
	f.Add(`[{"To":"0.0.0.0/0","Source":"","Gateway":"192.0.2.254","Link":2}]`)
	f.Add(`[{"To":"::/0"}]`)
	f.Fuzz(func(t *testing.T, text string) {
		for _, before := range readNote(text) {
			before.route() // must not panic
		}
	})
}

const word = "IPsrcaddr::192.0.2.10"

// A bench is a node with a default route, through another that is its router.
type bench struct {
	t            *testing.T
	node, router *nstest.Namespace
	driver       *Driver
}

func newBench(t *testing.T) *bench {
	node, router := nstest.Pair(t, nstest.Cables(2))
	b := &bench{t, node, router, New(mark.In(t.TempDir()))}
	b.addDefault("eth0", "192.0.2.2", 0)
	node.AddAddress(t, "eth0", "192.0.2.10/24")
	return b
}

func (b *bench) addDefault(device, through string, metric int) {
	b.t.Helper()
	to := &net.IPNet{IP: net.IPv4zero, Mask: net.CIDRMask(0, 32)}
	r := netlink.Route{Dst: to, LinkIndex: b.node.Link(b.t, device).Attrs().Index, Gw: net.ParseIP(through), Priority: metric, MTU: 1400}
	if err := b.node.Netlink().RouteAdd(&r); err != nil {
		b.t.Fatal(err)
	}
}

// routes are those of the node by destination, interface, gateway and source.
func (b *bench) routes() (list []string) {
	b.t.Helper()
	found, err := routes(b.node.Netlink())
	if err != nil {
		b.t.Fatal(err)
	}
	for _, r := range found {
		link, err := b.node.Netlink().LinkByIndex(r.LinkIndex)
		if err != nil {
			b.t.Fatal(err)
		}
		list = append(list, strings.TrimSpace(fmt.Sprintf("%v %s mtu %d src %v", destination(r), link.Attrs().Name, r.MTU, r.Src)))
	}
	slices.Sort(list)
	return list
}

func (b *bench) do(op func(s resources.Spec) error) (err error) {
	b.node.Do(b.t, func() { err = op(spec(b.t, word)) })
	return err
}

func (b *bench) start() error {
	return b.do(func(s resources.Spec) error { return b.driver.Start(b.t.Context(), s) })
}

func (b *bench) stop() error {
	return b.do(func(s resources.Spec) error { return b.driver.Stop(b.t.Context(), s) })
}

func (b *bench) status(want resources.Status) {
	b.t.Helper()
	var got resources.Status
	err := b.do(func(s resources.Spec) (err error) {
		got, err = b.driver.Status(b.t.Context(), s)
		return err
	})
	if got != want || err != nil {
		b.t.Errorf("status: got %v, %v; want %v", got, err, want)
	}
}

// source is what a connection of the node to an address comes from.
func (b *bench) source(to string) string {
	b.t.Helper()
	var from string
	b.node.Do(b.t, func() {
		c, err := net.Dial("udp", to)
		if err != nil {
			b.t.Fatal(err)
		}
		defer c.Close()
		from = c.LocalAddr().(*net.UDPAddr).IP.String()
	})
	return from
}

func (b *bench) wantSource(want string) {
	b.t.Helper()
	for _, to := range []string{"203.0.113.9:9", "192.0.2.77:9"} {
		if got := b.source(to); got != want {
			b.t.Errorf("the source of what goes to %s: got %s, want %s", to, got, want)
		}
	}
}

func TestSource(t *testing.T) {
	b := newBench(t)
	before := b.routes()
	b.status(resources.Stopped)
	b.wantSource("192.0.2.1")
	for range 2 {
		ok(t, b.start())
		b.status(resources.Running)
		b.wantSource("192.0.2.10")
	}
	for range 2 {
		ok(t, b.stop())
		b.status(resources.Stopped)
		b.wantSource("192.0.2.1")
	}
	if got := b.routes(); !slices.Equal(got, before) {
		t.Errorf("routes after the stop:\n got %q\nwant %q", got, before)
	}
}

// TestAddressThatWentFirst has the kernel remove the routes along with it, as
// when a lease runs out: the node must not be left without a way out.
func TestAddressThatWentFirst(t *testing.T) {
	b := newBench(t)
	before := b.routes()
	ok(t, b.start())
	address, err := netlink.ParseAddr("192.0.2.10/24")
	ok(t, err)
	ok(t, b.node.Netlink().AddrDel(b.node.Link(t, "eth0"), address))
	if got := b.routes(); slices.Equal(got, before) {
		t.Fatal("the kernel has left the routes as they are: this test tests nothing")
	}
	b.status(resources.Failed)
	ok(t, b.stop())
	b.status(resources.Stopped)
	if got := b.routes(); !slices.Equal(got, before) {
		t.Errorf("routes after the stop:\n got %q\nwant %q", got, before)
	}
}

// TestSourceThatSomebodyChanged is left as it is.
func TestSourceThatSomebodyChanged(t *testing.T) {
	b := newBench(t)
	b.node.AddAddress(t, "eth0", "192.0.2.20/24")
	ok(t, b.start())
	list, err := routes(b.node.Netlink())
	ok(t, err)
	for _, r := range list {
		if destination(r).Bits() == 0 {
			r.Src = net.ParseIP("192.0.2.20")
			ok(t, b.node.Netlink().RouteReplace(&r))
		}
	}
	b.status(resources.Stopped)
	ok(t, b.stop())
	if got := b.source("203.0.113.9:9"); got != "192.0.2.20" {
		t.Errorf("the source of the default route: got %s, want what somebody has set, 192.0.2.20", got)
	}
}

// TestSourceThatWasThere is put back, with everything else.
func TestSourceThatWasThere(t *testing.T) {
	b := newBench(t)
	b.node.AddAddress(t, "eth0", "192.0.2.20/24")
	list, err := routes(b.node.Netlink())
	ok(t, err)
	for _, r := range list {
		if destination(r).Bits() == 0 {
			r.Src = net.ParseIP("192.0.2.20")
			ok(t, b.node.Netlink().RouteReplace(&r))
		}
	}
	before := b.routes()
	ok(t, b.start())
	b.wantSource("192.0.2.10")
	ok(t, b.stop())
	if got := b.routes(); !slices.Equal(got, before) {
		t.Errorf("routes after the stop:\n got %q\nwant %q", got, before)
	}
}

// TestMarksThatWereLost leaves the choice to the kernel, whether the resource is
// started once more or not.
func TestMarksThatWereLost(t *testing.T) {
	for _, again := range []bool{false, true} {
		b := newBench(t)
		ok(t, b.start())
		b.driver = New(mark.In(t.TempDir()))
		b.status(resources.Running)
		if again {
			ok(t, b.start())
		}
		ok(t, b.stop())
		b.status(resources.Stopped)
		if got := b.source("203.0.113.9:9"); got != "192.0.2.1" {
			t.Errorf("started again: %v: the source of the default route: got %s, want 192.0.2.1", again, got)
		}
	}
}

func TestRefusals(t *testing.T) {
	for _, tt := range []struct {
		name    string
		prepare func(b *bench)
		err     string
	}{
		{
			name: "an address that is not here",
			prepare: func(b *bench) {
				a, _ := netlink.ParseAddr("192.0.2.10/24")
				ok(b.t, b.node.Netlink().AddrDel(b.node.Link(b.t, "eth0"), a))
			},
			err: "start IPsrcaddr::192.0.2.10: this node does not have 192.0.2.10: its address resource belongs to the left of IPsrcaddr::192.0.2.10",
		},
		{
			name:    "two default routes of the interface",
			prepare: func(b *bench) { b.addDefault("eth0", "192.0.2.2", 50) },
			err:     "start IPsrcaddr::192.0.2.10: 2 default routes lead through the interface that has 192.0.2.10: which one is meant cannot be told",
		},
		{
			name: "a default route elsewhere",
			prepare: func(b *bench) {
				list, err := routes(b.node.Netlink())
				ok(b.t, err)
				for _, r := range list {
					if destination(r).Bits() == 0 {
						ok(b.t, b.node.Netlink().RouteDel(&r))
					}
				}
				b.addDefault("eth1", "198.51.100.2", 0)
			},
			err: "start IPsrcaddr::192.0.2.10: no default route leads through the interface that has 192.0.2.10: there is nothing to set",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t)
			tt.prepare(b)
			before := b.routes()
			if err := b.start(); text(err) != tt.err {
				t.Errorf("start:\n got %s\nwant %s", text(err), tt.err)
			}
			ok(t, b.stop())
			if got := b.routes(); !slices.Equal(got, before) {
				t.Errorf("routes:\n got %q\nwant %q", got, before)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	b := newBench(t)
	check := func() (found []resources.Finding) {
		b.node.Do(t, func() { found = b.driver.Check(t.Context(), spec(t, word)) })
		return found
	}
	if got := check(); len(got) > 0 {
		t.Errorf("with a default route: %v", got)
	}
	list, err := routes(b.node.Netlink())
	ok(t, err)
	for _, r := range list {
		if destination(r).Bits() == 0 {
			ok(t, b.node.Netlink().RouteDel(&r))
		}
	}
	want := []resources.Finding{{Fatal: true, Text: "this machine has no default route to set the source address on"}}
	if got := check(); !slices.Equal(got, want) {
		t.Errorf("without:\n got %v\nwant %v", got, want)
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil && !errors.Is(err, unix.ESRCH) {
		t.Fatal(err)
	}
}
