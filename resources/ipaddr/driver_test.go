package ipaddr

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/systole-ha/systole/resources"
	"github.com/systole-ha/systole/resources/nstest"
	"golang.org/x/sys/unix"
)

func TestStartAndStop(t *testing.T) {
	tests := []struct {
		name       string
		word       string
		eth0, eth1 string // where the address goes
	}{
		{name: "an address with everything given", word: "IPaddr::192.0.2.10/24/eth0/192.0.2.255", eth0: "192.0.2.10/24"},
		{name: "a bare address takes interface and prefix of the network it is in", word: "192.0.2.10", eth0: "192.0.2.10/24"},
		{name: "the network may be on the second interface", word: "198.51.100.10", eth1: "198.51.100.10/24"},
		{name: "an address in no network goes where the default route goes", word: "203.0.113.10", eth1: "203.0.113.10/32"},
		{name: "there it keeps its prefix", word: "203.0.113.10/24", eth1: "203.0.113.10/24"},
		{name: "an interface that is given wins over the route", word: "IPaddr::192.0.2.10/24/eth1", eth1: "192.0.2.10/24"},
		{name: "an interface whose networks do not contain it makes a single address", word: "IPaddr::192.0.2.10//eth1", eth1: "192.0.2.10/32"},
		{name: "a prefix that is given wins over that of the network", word: "IPaddr2::192.0.2.10/32", eth0: "192.0.2.10/32"},
		{name: "an IPv6 address with everything given", word: "IPv6addr::2001:db8::10/64/eth0", eth0: "2001:db8::10/64"},
		{name: "an IPv6 address alone", word: "IPv6addr::2001:db8:1::10", eth1: "2001:db8:1::10/64"},
		{name: "an IPv6 address in no network", word: "IPv6addr::2001:db8:ffff::10", eth1: "2001:db8:ffff::10/128"},
		{name: "an IPv6 address by itself", word: "IPv6addr::2001:db8::10/128", eth0: "2001:db8::10/128"},
	}
	left, _ := nstest.Pair(t, nstest.Cables(2))
	defaultRoute(t, left, "eth1", "198.51.100.2")
	defaultRoute(t, left, "eth1", "2001:db8:1::2")
	n := newNode(t, left)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := node{T: t, ns: n.ns, driver: n.driver}
			present := func() {
				t.Helper()
				n.has("eth0", slices.DeleteFunc(with(own0, tt.eth0), isEmpty)...)
				n.has("eth1", slices.DeleteFunc(with(own1, tt.eth1), isEmpty)...)
				if got := n.status(tt.word); got != resources.Running {
					t.Errorf("status is %v, want running", got)
				}
			}
			absent := func() {
				t.Helper()
				n.has("eth0", own0...)
				n.has("eth1", own1...)
				if got := n.status(tt.word); got != resources.Stopped {
					t.Errorf("status is %v, want stopped", got)
				}
			}
			absent()
			n.stop(tt.word) // of what is not there
			absent()
			n.start(tt.word)
			present()
			n.start(tt.word) // of what is there
			present()
			n.stop(tt.word)
			absent()
		})
	}
}

func isEmpty(s string) bool { return s == "" }

func TestStartSetsWhatTheArgumentSays(t *testing.T) {
	left, _ := nstest.Pair(t)
	n := newNode(t, left)
	n.start("IPaddr2::192.0.2.10/24/eth0:web/192.0.2.127")
	n.start("IPaddr::192.0.2.11/24/eth0")
	got := map[string]string{}
	for _, a := range held4(t, left, "eth0") {
		got[a.IP.String()] = a.Label + " " + a.Broadcast.String()
	}
	want := map[string]string{
		"192.0.2.1":  "eth0 192.0.2.255",
		"192.0.2.10": "eth0:web 192.0.2.127",
		"192.0.2.11": "eth0 192.0.2.255",
	}
	for ip := range want {
		if got[ip] != want[ip] {
			t.Errorf("label and broadcast address of %s are %q, want %q", ip, got[ip], want[ip])
		}
	}
}

func TestStartRefuses(t *testing.T) {
	tests := []struct {
		name string
		word string
		want string
	}{
		{
			name: "an interface that is not there, naming those that are",
			word: "IPaddr::192.0.2.10/24/eth7",
			want: "start IPaddr::192.0.2.10/24/eth7: no such interface eth7; this machine has eth0, eth1, lo",
		},
		{
			name: "an interface that is down",
			word: "IPaddr::198.51.100.10/24/eth1",
			want: `start IPaddr::198.51.100.10/24/eth1: interface eth1 is down: bring it up with "ip link set eth1 up"`,
		},
		{
			name: "an address to which no route leads",
			word: "203.0.113.10/24",
			want: "start IPaddr::203.0.113.10/24: no route leads to 203.0.113.10: name its interface, as in 203.0.113.10/24/eth0; this machine has eth0, eth1, lo",
		},
		{
			name: "an argument that cannot be read",
			word: "IPaddr::192.0.2.300",
			want: `start IPaddr::192.0.2.300: "192.0.2.300" is not an IP address`,
		},
	}
	left, _ := nstest.Pair(t, nstest.Cables(2))
	if err := left.Netlink().LinkSetDown(left.Link(t, "eth1")); err != nil {
		t.Fatal(err)
	}
	n := newNode(t, left)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := node{T: t, ns: n.ns, driver: n.driver}.try(n.driver.Start, tt.word)
			if err == nil || err.Error() != tt.want {
				t.Errorf("Start\n got %v\nwant %v", err, tt.want)
			}
			if !errors.As(err, new(*resources.Error)) {
				t.Errorf("the error is a %T, want a *resources.Error", err)
			}
		})
	}
	n.has("eth0", own0...)
}

func TestStartSaysThatIPv6IsDisabled(t *testing.T) {
	left, _ := nstest.Pair(t)
	left.Sysctl(t, "ipv6/conf/eth0/disable_ipv6", "1")
	err := newNode(t, left).try(New().Start, "IPv6addr::2001:db8::10/64/eth0")
	if err == nil || !strings.Contains(err.Error(), "add 2001:db8::10/64 to eth0: ") || !strings.Contains(err.Error(), "disabled") {
		t.Errorf("Start: %v, want that IPv6 is disabled on eth0", err)
	}
}

// What Start gives an IPv6 address: no duplicate detection, which two nodes that
// hand it over would fail, and no part in what the node sends of its own.
func TestIPv6AddressIsUsableAtOnceAndNotASource(t *testing.T) {
	left, _ := nstest.Pair(t)
	left.Sysctl(t, "ipv6/conf/eth0/accept_dad", "1")
	n := newNode(t, left)
	n.start("IPv6addr::2001:db8::a/64/eth0")

	for _, a := range mustAddresses(t, left) {
		if a.IP.String() == "2001:db8::a" && a.Flags&unix.IFA_F_TENTATIVE != 0 {
			t.Errorf("%s is tentative", a.IPNet)
		}
	}
	routes, err := left.Netlink().RouteGet(net.ParseIP("2001:db8::b")) // nearer to ::a than to ::1
	if err != nil || len(routes) != 1 {
		t.Fatalf("route to 2001:db8::b: %v, %v", routes, err)
	}
	if got := routes[0].Src.String(); got != "2001:db8::1" {
		t.Errorf("the node sends from %s, want 2001:db8::1", got)
	}
}

func TestACancelledContextChangesNothing(t *testing.T) {
	left, _ := nstest.Pair(t)
	n := newNode(t, left)
	err := n.try(func(_ context.Context, s resources.Spec) error {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		return n.driver.Start(ctx, s)
	}, "192.0.2.10")
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Start: %v, want %v", err, context.Canceled)
	}
	n.has("eth0", own0...)
}

func TestDriverGoesOnAfterItsSocketBroke(t *testing.T) {
	left, _ := nstest.Pair(t)
	n := newNode(t, left)
	n.start("192.0.2.10")
	k := <-n.driver.kernel
	k.sockets[unix.NETLINK_ROUTE].Socket.Close()
	n.driver.kernel <- k

	if err := n.try(n.driver.Stop, "192.0.2.10"); err == nil {
		t.Error("Stop on a closed socket succeeded")
	}
	n.stop("192.0.2.10")
	n.has("eth0", own0...)
}

func TestDriverServesManyAtOnce(t *testing.T) {
	left, _ := nstest.Pair(t)
	driver := New()
	defer driver.Close()
	words := []string{"192.0.2.10", "192.0.2.11", "192.0.2.12", "IPv6addr::2001:db8::10", "IPv6addr::2001:db8::11"}
	errs := make(chan error)
	for _, word := range words {
		go func() {
			var err error
			left.Do(t, func() {
				s := spec(t, word)
				for range 20 {
					err = errors.Join(err, driver.Start(t.Context(), s), driver.Announce(t.Context(), s), driver.Stop(t.Context(), s))
				}
				err = errors.Join(err, driver.Start(t.Context(), s))
			})
			errs <- err
		}()
	}
	for range words {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	newNode(t, left).has("eth0", with(own0, "192.0.2.10/24", "192.0.2.11/24", "192.0.2.12/24", "2001:db8::10/64", "2001:db8::11/64")...)
}
