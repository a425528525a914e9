package ipaddr

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/systole-ha/systole/resources"
	"github.com/systole-ha/systole/resources/nstest"
)

const (
	leased4 = "192.0.2.10/24"
	leased6 = "2001:db8::10/64"
	second  = time.Second
)

func newLeased(t *testing.T, ns *nstest.Namespace) node {
	n := node{T: t, ns: ns, driver: Leased(Terms{Lifetime: second})}
	t.Cleanup(func() { n.driver.Close() })
	return n
}

func (n node) renew() (err error) {
	n.ns.Do(n.T, func() { err = n.driver.Renew() })
	return err
}

func (n node) lapsed() (is bool) {
	n.ns.Do(n.T, func() { is = n.driver.Lapsed() })
	return is
}

func (n node) holdsLeased() bool {
	held := 0
	for _, a := range n.ns.Addresses(n.T, "eth0") {
		if a == leased4 || a == leased6 {
			held++
		}
	}
	return held > 0
}

// renewFor renews as a loop with this keepalive does.
func (n node) renewFor(d, keepalive time.Duration) {
	n.Helper()
	beat := time.NewTicker(keepalive)
	defer beat.Stop()
	for end := time.Now().Add(d); time.Now().Before(end); <-beat.C {
		if err := n.renew(); err != nil {
			n.Fatal(err)
		}
	}
}

// TestLease holds the kernel to what the lease is worth: addresses stay while
// they are renewed, and go by themselves when they are not.
func TestLease(t *testing.T) {
	left, _ := nstest.Pair(t)
	n := newLeased(t, left)
	if err := n.renew(); err != nil {
		t.Fatal(err)
	}
	n.start("IPaddr2::" + leased4 + "/eth0")
	n.start("IPv6addr::" + leased6 + "/eth0")
	n.renewFor(2500*time.Millisecond, 50*time.Millisecond)
	n.has("eth0", with(own0, leased4, leased6)...)
	for _, word := range []string{"IPaddr2::" + leased4 + "/eth0", "IPv6addr::" + leased6 + "/eth0"} {
		if got := n.status(word); got != resources.Running {
			t.Errorf("%s is %s while it is renewed", word, got)
		}
	}
	if n.lapsed() {
		t.Error("a lease that is renewed has lapsed")
	}

	// This process stands still from here on.
	stood := time.Now()
	nstest.Await(t, "the addresses to go", func() bool { return !n.holdsLeased() })
	if took := time.Since(stood); took > second+250*time.Millisecond {
		t.Errorf("an address was there for %s after the last renewal", took)
	}
	n.has("eth0", own0...)

	// And goes on from here.
	if err := n.try(n.driver.Start, "IPaddr2::"+leased4+"/eth0"); !errors.Is(err, errLapsed) {
		t.Errorf("a start that was ordered before the standstill: %v", err)
	}
	n.has("eth0", own0...)
	if !n.lapsed() {
		t.Error("the lapse was not noticed")
	}
	if n.lapsed() {
		t.Error("the lapse was noticed twice")
	}
	if err := n.renew(); err != nil {
		t.Error(err)
	}
	n.has("eth0", own0...)
	n.start("IPaddr2::" + leased4 + "/eth0")
	n.has("eth0", with(own0, leased4)...)
}

// TestRenewAfterTheLease is a process that was stopped between its look at the
// clock and the kernel: what it gives back it takes away again.
func TestRenewAfterTheLease(t *testing.T) {
	left, _ := nstest.Pair(t)
	n := newLeased(t, left)
	n.start("IPaddr2::" + leased4 + "/eth0")
	if err := n.renew(); err != nil {
		t.Fatal(err)
	}
	nstest.Await(t, "the address to go", func() bool { return !n.holdsLeased() })
	if err := n.renew(); !errors.Is(err, errLapsed) {
		t.Errorf("renewing what has run out: %v", err)
	}
	n.has("eth0", own0...)
	if !n.lapsed() {
		t.Error("the lapse was not noticed")
	}
}

func TestStopEndsTheLease(t *testing.T) {
	left, _ := nstest.Pair(t)
	n := newLeased(t, left)
	n.start("IPaddr2::" + leased4 + "/eth0")
	n.stop("IPaddr2::" + leased4 + "/eth0")
	n.renewFor(300*time.Millisecond, 20*time.Millisecond)
	n.has("eth0", own0...)
}

// TestNextDaemonTakesTheLeaseUp is a restart: what an earlier daemon left,
// by a lease or for good, lasts while the new one renews it, and not longer.
func TestNextDaemonTakesTheLeaseUp(t *testing.T) {
	const word = "IPaddr2::" + leased4 + "/eth0"
	for _, tt := range []struct {
		name  string
		first func() *Driver
	}{
		{"left by a lease", func() *Driver { return Leased(Terms{Lifetime: 2 * second}) }},
		{"left for good", New},
	} {
		t.Run(tt.name, func(t *testing.T) {
			left, _ := nstest.Pair(t)
			first := node{T: t, ns: left, driver: tt.first()}
			first.start(word)
			first.driver.Close()
			next := newLeased(t, left)
			if got := next.status(word); got != resources.Running {
				t.Fatalf("the next daemon finds it %s", got)
			}
			next.renewFor(2500*time.Millisecond, 50*time.Millisecond)
			next.has("eth0", with(own0, leased4)...)
			nstest.Await(t, "the address to go", func() bool { return !next.holdsLeased() })
		})
	}
}

// TestOwnAddressOutlivesALease has the virtual address as the first of its
// network, with which the kernel removes the others unless it promotes one.
func TestOwnAddressOutlivesALease(t *testing.T) {
	left, _ := nstest.Pair(t)
	left.Sysctl(t, "ipv4/conf/eth0/promote_secondaries", "0")
	deleteAddress(t, left, own0[0])
	n := newLeased(t, left)
	n.start("IPaddr2::" + leased4 + "/eth0")
	left.AddAddress(t, "eth0", own0[0])
	if err := n.renew(); err != nil {
		t.Fatal(err)
	}
	nstest.Await(t, "the lease to run out", func() bool { return !n.holdsLeased() })
	n.has("eth0", own0...)
}

// TestRenewWaitsForNoOperation holds the driver's turn while it renews.
func TestRenewWaitsForNoOperation(t *testing.T) {
	left, _ := nstest.Pair(t)
	n := newLeased(t, left)
	n.start("IPaddr2::" + leased4 + "/eth0")
	left.Do(t, func() {
		err := n.driver.turn(context.Background(), func(*kernel) error { return n.driver.Renew() })
		if err != nil {
			t.Error(err)
		}
	})
	n.has("eth0", with(own0, leased4)...)
}
