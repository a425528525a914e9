package ipaddr

import (
	"context"
	"fmt"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/systole-ha/systole/resources"
	"github.com/systole-ha/systole/resources/nstest"
)

// lan puts nodes on one switch, by an interface of the node's own name, with
// host numbers from 1.
func lan(t *testing.T, names ...string) map[string]*nstest.Namespace {
	t.Helper()
	sw := nstest.New(t, "switch")
	bridge := &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: "bridge"}}
	if err := sw.Netlink().LinkAdd(bridge); err != nil {
		t.Fatal(err)
	}
	if err := sw.Netlink().LinkSetUp(bridge); err != nil {
		t.Fatal(err)
	}
	nodes := map[string]*nstest.Namespace{"switch": sw}
	for i, name := range names {
		n := nstest.New(t, name)
		n.Sysctl(t, "ipv6/conf/default/accept_dad", "0")
		nstest.Cable(t, sw, n, name)
		if err := sw.Netlink().LinkSetMaster(sw.Link(t, name), bridge); err != nil {
			t.Fatal(err)
		}
		n.AddAddress(t, name, fmt.Sprintf("192.0.2.%d/24", i+1))
		n.AddAddress(t, name, fmt.Sprintf("2001:db8::%d/64", i+1))
		nodes[name] = n
	}
	return nodes
}

func (n node) probe(words ...string) []resources.Probe {
	n.Helper()
	var specs []resources.Spec
	for _, word := range words {
		specs = append(specs, spec(n.T, word))
	}
	var found []resources.Probe
	var err error
	n.ns.Do(n.T, func() {
		// The sockets are opened on this thread.
		found, err = n.driver.Probe(n.Context(), specs)
	})
	if err != nil {
		n.Fatal(err)
	}
	return found
}

func mac(t *testing.T, n *nstest.Namespace, device string) string {
	t.Helper()
	return n.Link(t, device).Attrs().HardwareAddr.String()
}

func TestProbe(t *testing.T) {
	nodes := lan(t, "me", "one", "two")
	n := newNode(t, nodes["me"])
	one, two := mac(t, nodes["one"], "one"), mac(t, nodes["two"], "two")
	both := []string{min(one, two), max(one, two)}
	for name, addresses := range map[string][]string{
		"me":  {"192.0.2.12/24", "2001:db8::12/64", "192.0.2.13/24", "2001:db8::13/64"},
		"one": {"192.0.2.11/24", "2001:db8::11/64", "192.0.2.13/24", "2001:db8::13/64", "192.0.2.14/24", "2001:db8::14/64"},
		"two": {"192.0.2.14/24", "2001:db8::14/64"},
	} {
		for _, a := range addresses {
			nodes[name].AddAddress(t, name, a)
		}
	}
	rows := []struct {
		name string
		host int
		want resources.Probe
	}{
		{"an address that nobody has", 10, resources.Probe{}},
		{"one that another machine has", 11, resources.Probe{Others: []string{one}}},
		{"one of our own", 12, resources.Probe{Held: true}},
		{"one of our own that another machine has, too", 13, resources.Probe{Held: true, Others: []string{one}}},
		{"one that two others have", 14, resources.Probe{Others: both}},
	}
	var words []string
	for _, row := range rows {
		words = append(words, fmt.Sprintf("IPaddr::192.0.2.%d/24/me", row.host), fmt.Sprintf("IPv6addr::2001:db8::%d/64/me", row.host))
	}
	found := n.probe(words...)
	for i, row := range rows {
		row.want.Asked, row.want.Interface = true, "me"
		for j, version := range []string{"IPv4", "IPv6"} {
			if got := found[2*i+j]; !reflect.DeepEqual(got, row.want) {
				t.Errorf("%s, %s:\n got %+v\nwant %+v", row.name, version, got, row.want)
			}
		}
	}
}

func TestProbeWhereNobodyCanBeAsked(t *testing.T) {
	left, right := nstest.Pair(t, nstest.Cables(2))
	n := newNode(t, left)
	if err := left.Netlink().LinkSetDown(left.Link(t, "eth0")); err != nil {
		t.Fatal(err)
	}
	if err := right.Netlink().LinkSetDown(right.Link(t, "eth1")); err != nil {
		t.Fatal(err)
	}
	nstest.Await(t, "eth1 has lost its carrier", func() bool {
		return left.Link(t, "eth1").Attrs().RawFlags&unix.IFF_RUNNING == 0
	})
	for word, want := range map[string]resources.Probe{
		"IPaddr::192.0.2.10/24/eth0":    {Unasked: "eth0 is down", Interface: "eth0"},
		"IPaddr::198.51.100.10/24/eth1": {Unasked: "eth1 has no carrier", Interface: "eth1"},
		"IPaddr::203.0.113.10/24/lo":    {Unasked: "lo has no neighbours", Interface: "lo"},
		"IPaddr::203.0.113.10/24/eth9":  {Unasked: "no such interface eth9; this machine has eth0, eth1, lo"},
	} {
		if got := n.probe(word)[0]; !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %+v\nwant %+v", word, got, want)
		}
	}
}

// A machine with two interfaces in one network answers for its addresses on
// both (arp_ignore in ip-sysctl), also to itself: that is nobody else.
func TestProbeIsNotAnsweredByItsOwnMachine(t *testing.T) {
	nodes := lan(t, "me")
	me, sw := nodes["me"], nodes["switch"]
	nstest.Cable(t, sw, me, "second")
	if err := sw.Netlink().LinkSetMaster(sw.Link(t, "second"), sw.Link(t, "bridge")); err != nil {
		t.Fatal(err)
	}
	me.AddAddress(t, "me", "192.0.2.10/24")
	listener := me.Listen(t, "me")
	want := resources.Probe{Asked: true, Interface: "me", Held: true}
	if got := newNode(t, me).probe("IPaddr::192.0.2.10/24/me")[0]; !reflect.DeepEqual(got, want) {
		t.Errorf("probed\n got %+v\nwant %+v", got, want)
	}
	if f := listener.NextAbout(t, netip.MustParseAddr("192.0.2.10")); f.Source.String() != mac(t, me, "second") {
		t.Errorf("the second interface did not answer: %+v", f) // then this test shows nothing
	}
}

// Nobody but who is asked takes notice: a third machine believes what it
// believed, and enters nobody for the one that asks.
func TestProbeDisturbsNobody(t *testing.T) {
	nodes := lan(t, "me", "owner", "third")
	n := newNode(t, nodes["me"])
	for _, row := range []struct{ word, address, ours string }{
		{"IPaddr::192.0.2.10/24/me", "192.0.2.10/24", "192.0.2.1"},
		{"IPv6addr::2001:db8::10/64/me", "2001:db8::10/64", "2001:db8::1"},
	} {
		nodes["owner"].AddAddress(t, "owner", row.address)
		ip, ours := netip.MustParsePrefix(row.address).Addr(), netip.MustParseAddr(row.ours)
		stale := nodes["third"].SetMAC(t, "third", "02:00:00:00:00:77") // any
		nodes["third"].SetNeighbour(t, "third", ip, stale)
		if got := n.probe(row.word)[0].Others; len(got) != 1 {
			t.Fatalf("%s: answered by %v", row.word, got)
		}
		if got, ok := nodes["third"].Neighbour(t, "third", ip); !ok || got.MAC.String() != stale.String() {
			t.Errorf("%s: a third machine now believes that %s has it", row.word, got.MAC)
		}
		for _, name := range []string{"third", "owner"} {
			if got, ok := nodes[name].Neighbour(t, name, ours); ok {
				t.Errorf("%s: %s has entered %s for %s", row.word, name, got.MAC, ours)
			}
		}
	}
}

func TestPlace(t *testing.T) {
	left, right := nstest.Pair(t, nstest.Cables(2))
	n := newNode(t, left)
	place := func(word string) (p resources.Place, err error) {
		left.Do(t, func() { p, err = n.driver.Place(t.Context(), spec(t, word)) })
		return p, err
	}
	if err := right.Netlink().LinkSetDown(right.Link(t, "eth1")); err != nil {
		t.Fatal(err)
	}
	nstest.Await(t, "eth1 has lost its carrier", func() bool {
		return left.Link(t, "eth1").Attrs().RawFlags&unix.IFF_RUNNING == 0
	})
	for word, want := range map[string]resources.Place{
		"192.0.2.10":                    {Interface: "eth0", Up: true, Carrier: true},
		"IPaddr::198.51.100.10/24/eth1": {Interface: "eth1", Up: true},
		"IPaddr::198.51.100.10/24/lo":   {Interface: "lo", Up: true, Carrier: true},
	} {
		if got, err := place(word); err != nil || got != want {
			t.Errorf("%s:\n got %+v, %v\nwant %+v", word, got, err, want)
		}
	}
	_, err := place("203.0.113.10")
	const want = "place IPaddr::203.0.113.10: no route leads to 203.0.113.10: name its interface, as in 203.0.113.10/24/eth0; this machine has eth0, eth1, lo"
	if err == nil || err.Error() != want {
		t.Errorf("an address of no network:\n got %v\nwant %s", err, want)
	}
}

func TestProbeEndsWithItsContext(t *testing.T) {
	left, _ := nstest.Pair(t)
	d := New()
	defer d.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	var err error
	began := time.Now()
	left.Do(t, func() { _, err = d.Probe(ctx, []resources.Spec{spec(t, "192.0.2.10")}) })
	if took := time.Since(began); err == nil || took > probeWait {
		t.Errorf("it ended after %v with %v", took, err)
	}
}
