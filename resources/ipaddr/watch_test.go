package ipaddr

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/systole-ha/systole/resources"
	"github.com/systole-ha/systole/resources/nstest"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// told collects what a Watcher is told, one line each.
type told chan string

func (t told) AddressChanged(c Change) {
	t <- fmt.Sprintf("%s on %s: %t", c.Address, c.Interface, c.Present)
}

func (t told) AddressLost(l Loss) {
	t <- fmt.Sprintf("%s lost on %s: %s", l.Address, l.Interface, l.Cause)
}

func (t told) AddressConflict(c Conflict) {
	t <- fmt.Sprintf("%s on %s: %s is not %s", c.Address, c.Interface, c.Theirs, c.Ours)
}

func (t told) AddressConflictCleared(c ConflictEnd) {
	t <- fmt.Sprintf("%s on %s: nobody else", c.Address, c.Interface)
}

func (t told) AddressAnnounced(a Announcement) {
	t <- fmt.Sprintf("%s on %s: sent %d, failed %d: %s", a.Address, a.Interface, a.Sent, a.Failed, a.Error)
}

func (t told) AddressesCarried(all []Carrier) {
	for _, c := range all {
		if c.Address == carrierOf {
			t <- fmt.Sprintf("%s on %s: lost %t", c.Address, c.Interface, c.Lost)
		}
	}
}

// next wants these lines and no others between them.
func (t told) next(test testing.TB, want ...string) {
	test.Helper()
	for _, w := range want {
		select {
		case got := <-t:
			if got != w {
				test.Fatalf("told\n got %q\nwant %q", got, w)
			}
		case <-time.After(10 * time.Second):
			test.Fatalf("not told within 10 s: %q", w)
		}
	}
}

// watch starts a watch of the words and of sentinel, which ends with the test.
// It returns when the watch has had its first look.
func (n node) watch(change func(*watch), words ...string) told {
	n.Helper()
	lines := make(told, 100)
	n.watchBy(lines, change, words...)
	return lines
}

func (n node) watchBy(w Watcher, change func(*watch), words ...string) {
	n.Helper()
	var specs []resources.Spec
	for _, word := range append(words, sentinel) {
		specs = append(specs, spec(n.T, word))
	}
	v := newWatch(n.driver.books, specs, w)
	if change != nil {
		change(v)
	}
	ctx, cancel := context.WithCancel(n.Context())
	ended := make(chan error)
	go n.ns.Do(n.T, func() { ended <- v.run(ctx) })
	n.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			n.Errorf("the watch ended: %v", err)
		}
	})
}

// sentinel comes and goes in front of the test's eyes, to know that nothing
// else was told before it.
const sentinel = "IPaddr::192.0.2.250/32/lo"

// until collects what is told until the sentinel has come and gone.
func (n node) until(lines told) (got []string) {
	n.Helper()
	for _, turn := range []struct {
		do   func(string)
		tell string
	}{{n.start, "192.0.2.250 on lo: true"}, {n.stop, "192.0.2.250 on lo: false"}} {
		turn.do(sentinel)
		for line := ""; line != turn.tell; {
			select {
			case line = <-lines:
				got = append(got, line)
			case <-time.After(10 * time.Second):
				n.Fatalf("told only %q within 10 s", got)
			}
		}
		got = got[:len(got)-1]
	}
	return got
}

func (n node) delete(device, address string) {
	n.Helper()
	a, err := netlink.ParseAddr(address)
	if err != nil {
		n.Fatal(err)
	}
	if err := n.ns.Netlink().AddrDel(n.ns.Link(n.T, device), a); err != nil {
		n.Fatal(err)
	}
}

func (n node) setLink(device string, up bool) {
	n.Helper()
	set := n.ns.Netlink().LinkSetDown
	if up {
		set = n.ns.Netlink().LinkSetUp
	}
	if err := set(n.ns.Link(n.T, device)); err != nil {
		n.Fatal(err)
	}
}

func TestWatchAddresses(t *testing.T) {
	const v4, v6 = "IPaddr::192.0.2.10/24/eth0", "IPv6addr::2001:db8::10/64/eth0"
	const on4, off4 = "192.0.2.10 on eth0: true", "192.0.2.10 on eth0: false"
	const on6, off6 = "2001:db8::10 on eth0: true", "2001:db8::10 on eth0: false"
	both := func(n node) {
		n.start(v4)
		n.start(v6)
	}
	tests := []struct {
		name   string
		before func(n node)
		does   func(n node)
		want   []string // in any order, once each
	}{
		{name: "what is not there is not told"},
		{name: "what is there already is told at first", before: both, want: []string{on4, on6}},
		{name: "the driver's own starts and stops are no losses", does: func(n node) {
			both(n)
			n.stop(v4)
			n.stop(v6)
		}, want: []string{on4, on6, off4, off6}},
		{name: "a stop and a start at once are no loss", before: both, does: func(n node) {
			for range 20 {
				n.stop(v4)
				n.start(v4)
			}
		}, want: []string{on4, on6, off4}},
		{name: "somebody removes them", before: both, does: func(n node) {
			n.delete("eth0", "192.0.2.10/24")
			n.delete("eth0", "2001:db8::10/64")
		}, want: []string{on4, on6, off4, off6, "192.0.2.10 lost on eth0: removed", "2001:db8::10 lost on eth0: removed"}},
		{name: "somebody moves it to another interface", before: func(n node) { n.start(v4) }, does: func(n node) {
			n.ns.AddAddress(n.T, "lo", "192.0.2.10/32")
			n.delete("eth0", "192.0.2.10/24")
		}, want: []string{on4, "192.0.2.10 on lo: true", off4, "192.0.2.10 lost on eth0: removed"}},
		{name: "the interface goes down: IPv6 addresses go, IPv4 addresses stay and are of no use", before: both, does: func(n node) {
			n.setLink("eth0", false)
		}, want: []string{on4, on6, off6, "192.0.2.10 lost on eth0: the interface went down", "2001:db8::10 lost on eth0: the interface went down"}},
		{name: "the interface goes away", before: both, does: func(n node) {
			if err := n.ns.Netlink().LinkDel(n.ns.Link(n.T, "eth0")); err != nil {
				n.Fatal(err)
			}
		}, want: []string{on4, on6, off4, off6, "192.0.2.10 lost on eth0: the interface is gone", "2001:db8::10 lost on eth0: the interface is gone"}},
		{name: "somebody removes what the driver has found", before: func(n node) {
			n.ns.AddAddress(n.T, "eth0", "192.0.2.10/24")
			n.status(v4)
		}, does: func(n node) { n.delete("eth0", "192.0.2.10/24") }, want: []string{on4, off4, "192.0.2.10 lost on eth0: removed"}},
		{name: "what the driver does not hold cannot be lost", before: func(n node) { n.ns.AddAddress(n.T, "eth0", "192.0.2.10/24") }, does: func(n node) {
			n.delete("eth0", "192.0.2.10/24")
		}, want: []string{on4, off4}},
		{name: "an address under two prefixes is there until both are gone", does: func(n node) {
			n.ns.AddAddress(n.T, "eth0", "192.0.2.10/24")
			n.ns.AddAddress(n.T, "eth0", "192.0.2.10/32")
			n.delete("eth0", "192.0.2.10/24")
			n.delete("eth0", "192.0.2.10/32")
		}, want: []string{on4, off4}},
		{name: "the driver moves an address to its place", before: func(n node) { n.ns.AddAddress(n.T, "lo", "192.0.2.10/32") }, does: func(n node) {
			n.start(v4)
		}, want: []string{"192.0.2.10 on lo: true", "192.0.2.10 on lo: false", on4}},
		{name: "an interface with another name", before: func(n node) { n.start(v4) }, does: func(n node) {
			if err := n.ns.Netlink().LinkSetName(n.ns.Link(n.T, "eth0"), "wan"); err != nil {
				n.Skip(err) // a kernel that renames no interface that is up
			}
		}, want: []string{on4, off4, "192.0.2.10 on wan: true"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			left, _ := nstest.Pair(t)
			n := newNode(t, left)
			if tt.before != nil {
				tt.before(n)
			}
			lines := n.watch(nil, v4, v6)
			got := n.until(lines) // of the first look, at least
			if tt.does != nil {
				tt.does(n)
				got = append(got, n.until(lines)...)
			}
			slices.Sort(got)
			if want := slices.Compact(slices.Sorted(slices.Values(tt.want))); !slices.Equal(slices.Compact(got), want) {
				t.Errorf("told\n got %q\nwant %q", got, want)
			}
		})
	}
}

func TestWhatWasLostCanBeLostAgain(t *testing.T) {
	const v4 = "IPaddr::192.0.2.10/24/eth0"
	const on, off = "192.0.2.10 on eth0: true", "192.0.2.10 on eth0: false"
	left, _ := nstest.Pair(t)
	n := newNode(t, left)
	n.start(v4)
	lines := n.watch(nil, v4)
	lines.next(t, on)
	for range 2 {
		n.delete("eth0", "192.0.2.10/24")
		lines.next(t, off, "192.0.2.10 lost on eth0: removed")
		n.start(v4)
		lines.next(t, on)
	}
	for range 2 {
		n.setLink("eth0", false)
		lines.next(t, "192.0.2.10 lost on eth0: the interface went down")
		n.setLink("eth0", true)
		n.until(lines) // that it is up is known
	}
	if err := n.ns.Netlink().LinkDel(n.ns.Link(t, "eth0")); err != nil {
		t.Fatal(err)
	}
	lines.next(t, "192.0.2.10 lost on eth0: the interface is gone", off)
}

// A watch that failed is followed by another, which knows nothing but the books.
func TestWatchBegunAnew(t *testing.T) {
	left, _ := nstest.Pair(t)
	n := newNode(t, left)
	n.start("192.0.2.10")
	first, cancel := context.WithCancel(t.Context())
	lines, ended := make(told, 100), make(chan error)
	go left.Do(t, func() { ended <- n.driver.Watch(first, []resources.Spec{spec(t, "192.0.2.10")}, lines) })
	lines.next(t, "192.0.2.10 on eth0: true")
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	lines = n.watch(nil, "192.0.2.10")
	lines.next(t, "192.0.2.10 on eth0: true")
	n.until(lines)
	n.delete("eth0", "192.0.2.10/24")
	lines.next(t, "192.0.2.10 on eth0: false", "192.0.2.10 lost on eth0: removed")
}

func TestAnnouncementsAreTold(t *testing.T) {
	left, _ := nstest.Pair(t)
	n := newNode(t, left)
	n.start("IPv6addr::2001:DB8::10/64/eth0")
	n.start("192.0.2.10")
	lines := n.watch(nil, "192.0.2.10", "IPv6addr::2001:DB8::10/64/eth0")
	present := []string{<-lines, <-lines}
	slices.Sort(present)
	if want := []string{"192.0.2.10 on eth0: true", "2001:DB8::10 on eth0: true"}; !slices.Equal(present, want) {
		t.Fatalf("told\n got %q\nwant %q", present, want)
	}
	n.announce("192.0.2.10")
	lines.next(t, "192.0.2.10 on eth0: sent 2, failed 0: ")
	n.announce("IPv6addr::2001:DB8::10/64/eth0")
	lines.next(t, "2001:DB8::10 on eth0: sent 1, failed 0: ")

	k := <-n.driver.kernel
	good := k.packets
	k.packets = 0 // standard input is no socket
	n.driver.kernel <- k
	if err := n.try(n.driver.Announce, "192.0.2.10"); err == nil {
		t.Error("an announcement that was not sent is no error")
	}
	lines.next(t, "192.0.2.10 on eth0: sent 0, failed 2: "+unix.ENOTSOCK.Error())
	unix.Close(good)
}

// What nobody reads is added up.
func TestAnnouncementsNobodyReads(t *testing.T) {
	b := newBooks()
	ip := netip.MustParseAddr("192.0.2.10")
	for range 3 {
		b.announce(ip, Announcement{Interface: "eth0", Sent: 2})
		b.announce(ip, Announcement{Interface: "eth0", Sent: 1, Failed: 1, Error: "no buffer"})
	}
	b.announce(ip, Announcement{Interface: "eth1", Sent: 2})
	got := b.read().announced
	if want := (Announcement{Interface: "eth1", Sent: 11, Failed: 3, Error: "no buffer"}); len(got) != 1 || got[ip] != want {
		t.Errorf("read\n got %+v\nwant %+v", got, want)
	}
	if again := b.read().announced; len(again) > 0 {
		t.Errorf("read again: %v", again)
	}
}

// slow is a Watcher that takes its time over the first thing it is told.
type slow struct {
	told
	begun, go_ chan struct{}
}

func (s slow) AddressChanged(c Change) {
	if c.Address == "192.0.2.250" {
		close(s.begun)
		<-s.go_
		return
	}
	s.told.AddressChanged(c)
}

// The kernel drops notifications that nobody fetches. What is missed is found by
// a look.
func TestWatchAfterAnOverrun(t *testing.T) {
	left, _ := nstest.Pair(t)
	n := newNode(t, left)
	s := slow{make(told, 100), make(chan struct{}), make(chan struct{})}
	n.start("192.0.2.10")
	n.watchBy(s, nil, "192.0.2.10", "192.0.2.11")
	s.next(t, "192.0.2.10 on eth0: true")
	n.start(sentinel)
	<-s.begun
	for i := range 4000 {
		addAddress(t, left, fmt.Sprintf("198.51.%d.%d/32", i/250, 1+i%250), func(*netlink.Addr) {})
	}
	n.delete("eth0", "192.0.2.10/24")
	left.AddAddress(t, "eth0", "192.0.2.11/24")
	close(s.go_)
	got := []string{<-s.told, <-s.told, <-s.told}
	slices.Sort(got)
	want := []string{"192.0.2.10 lost on eth0: removed", "192.0.2.10 on eth0: false", "192.0.2.11 on eth0: true"}
	if !slices.Equal(got, want) {
		t.Errorf("told\n got %q\nwant %q", got, want)
	}
}
