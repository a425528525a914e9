package ipaddr

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/google/nftables"

	"github.com/systole-ha/systole/resources"
	"github.com/systole-ha/systole/resources/ipaddr/gate"
	"github.com/systole-ha/systole/resources/nstest"
)

// What the tests of a gate hold: keepalive 50 ms, and 200 ms of it.
const (
	gateLife = 200 * time.Millisecond
	gateBeat = 50 * time.Millisecond
	guarded4 = "IPaddr2::" + leased4 + "/eth0"
	guarded6 = "IPv6addr::" + leased6 + "/eth0"
)

func guardedAddresses() []netip.Addr {
	return []netip.Addr{netip.MustParseAddr("192.0.2.10"), netip.MustParseAddr("2001:db8::10")}
}

// newGuarded is a node whose addresses are held by a gate, and by a lifetime of
// a second behind it.
func newGuarded(t *testing.T, ns *nstest.Namespace) node {
	n := node{T: t, ns: ns, driver: Leased(Terms{Lifetime: second, Gate: gateLife, Keepalive: gateBeat, Addresses: guardedAddresses()})}
	t.Cleanup(func() { n.driver.Close() })
	return n
}

// answers reports who the neighbours see answer for the address.
func (n node) answers(asking node, word string) bool {
	n.Helper()
	var found []resources.Probe
	asking.ns.Do(n.T, func() {
		var err error
		ctx, cancel := context.WithTimeout(n.Context(), 5*time.Second)
		defer cancel()
		if found, err = asking.driver.Probe(ctx, []resources.Spec{spec(n.T, word)}); err != nil {
			n.Fatal(err)
		}
	})
	return len(found[0].Others) > 0
}

// gateIs wants the gate of the machine to be in a state.
func (n node) gateIs(want gate.State) {
	n.Helper()
	n.ns.Do(n.T, func() {
		g := gate.New(nil)
		defer g.Close()
		if got, err := g.Find(); err != nil || got != want {
			n.Errorf("the gate is found in state %v, %v; want %v", got, err, want)
		}
	})
}

// TestGatedLease is a daemon that stands still: nobody answers long before the
// kernel has removed the addresses, and what was ordered before is refused.
func TestGatedLease(t *testing.T) {
	left, right := nstest.Pair(t)
	n, asking := newGuarded(t, left), newNode(t, right)
	if err := n.renew(); err != nil {
		t.Fatal(err)
	}
	n.start(guarded4)
	n.start(guarded6)
	n.whileRenewed(func() {
		for _, word := range []string{guarded4, guarded6} {
			if !n.answers(asking, word) {
				t.Errorf("nobody answers for %s, whose lease is renewed", word)
			}
		}
	})

	// This process stands still from here on. The kernel counts in jiffies, and
	// shuts the gate one of them too soon rather than too late.
	nstest.Await(t, "the gate to shut", func() bool { return n.found() == gate.Shut && awake() > n.driver.leases.ends })
	n.has("eth0", with(own0, leased4, leased6)...) // still, for a second
	if err := n.try(n.driver.Start, guarded4); !errors.Is(err, errLapsed) {
		t.Errorf("a start that was ordered before the standstill: %v", err)
	}
	if !n.lapsed() || n.lapsed() {
		t.Error("the lapse was not noticed, or twice")
	}
	n.has("eth0", own0...)
	if err := n.renew(); err != nil {
		t.Error(err)
	}
	n.gateIs(gate.Open)
	n.has("eth0", own0...)
	n.whileRenewed(func() {
		n.start(guarded4)
		if !n.answers(asking, guarded4) {
			t.Error("nobody answers for an address that was taken again")
		}
	})
}

// whileRenewed does something while a loop beats.
func (n node) whileRenewed(do func()) {
	n.Helper()
	ctx, stop := context.WithCancel(n.Context())
	beats := make(chan error, 1)
	go func() {
		beat := time.NewTicker(gateBeat / 2)
		defer beat.Stop()
		for ctx.Err() == nil {
			if err := n.renew(); err != nil {
				beats <- err
				return
			}
			<-beat.C
		}
		beats <- nil
	}()
	do()
	stop()
	if err := <-beats; err != nil {
		n.Fatal(err)
	}
}

func (n node) found() (state gate.State) {
	n.ns.Do(n.T, func() {
		g := gate.New(nil)
		defer g.Close()
		var err error
		if state, err = g.Find(); err != nil {
			n.Fatal(err)
		}
	})
	return state
}

// TestALateBeatShutsNoLater has a heartbeat come late: the peer has waited
// meanwhile, and so the gate has less to be open.
func TestALateBeatShutsNoLater(t *testing.T) {
	left, _ := nstest.Pair(t)
	n := newGuarded(t, left)
	if err := n.renew(); err != nil {
		t.Fatal(err)
	}
	l := n.driver.leases
	late := 100 * time.Millisecond
	l.door.called -= late + gateBeat // as if it had been so long ago
	l.door.renewed = l.door.called
	before := awake()
	if err := n.renew(); err != nil {
		t.Fatal(err)
	}
	if got, most := l.ends-before, gateLife-late+20*time.Millisecond; got > most {
		t.Errorf("a beat that came %v late has left the gate open for %v, want %v", late, got, most)
	}
}

// TestRenewGateTooLate has the kernel shut the gate before this process knows:
// it goes on as if it had not stood still.
func TestRenewGateTooLate(t *testing.T) {
	left, _ := nstest.Pair(t)
	n := newGuarded(t, left)
	if err := n.renew(); err != nil {
		t.Fatal(err)
	}
	n.start(guarded4)
	nstest.Await(t, "the gate to shut", func() bool { return n.found() == gate.Shut })
	l := n.driver.leases
	l.ends, l.door.called, l.renewed = l.ends+second, l.door.called+second, l.renewed+second
	l.door.renewed = 0
	if err := n.renew(); !errors.Is(err, errLapsed) {
		t.Errorf("renewing what has shut: %v", err)
	}
	n.gateIs(gate.Shut)
	n.has("eth0", own0...)
	if !n.lapsed() {
		t.Error("the lapse was not noticed")
	}
}

// TestNextDaemonAtTheGate is what a daemon does with the gate and the addresses
// that another has left.
func TestNextDaemonAtTheGate(t *testing.T) {
	for _, tt := range []struct {
		name  string
		shut  bool // the earlier daemon was gone for longer than its lease
		stays bool
		next  Terms
		gate  gate.State // in the end
	}{
		{name: "in time it takes both over", stays: true, next: Terms{Lifetime: second, Gate: second, Keepalive: gateBeat, Addresses: guardedAddresses()}, gate: gate.Open},
		{name: "too late it removes what another may have", shut: true, next: Terms{Lifetime: second, Gate: second, Keepalive: gateBeat, Addresses: guardedAddresses()}, gate: gate.Open},
		{name: "without a gate of its own it removes it", stays: true, next: Terms{Addresses: guardedAddresses()}, gate: gate.Absent},
	} {
		t.Run(tt.name, func(t *testing.T) {
			left, _ := nstest.Pair(t)
			first := node{T: t, ns: left, driver: Leased(Terms{Gate: 10 * second, Keepalive: gateBeat, Addresses: guardedAddresses()})}
			if err := first.renew(); err != nil {
				t.Fatal(err)
			}
			first.start(guarded4)
			left.Do(t, func() { first.driver.Close() }) // it leaves an address, and so the gate
			first.gateIs(gate.Open)
			if tt.shut {
				left.Do(t, func() {
					g := gate.New(nil)
					defer g.Close()
					if err := g.Shut(); err != nil {
						t.Fatal(err)
					}
				})
			}
			next := node{T: t, ns: left, driver: Leased(tt.next)}
			t.Cleanup(func() { next.driver.Close() })
			want := map[bool]resources.Status{true: resources.Running, false: resources.Stopped}[tt.stays]
			if tt.next.Lifetime > 0 && tt.stays {
				want = resources.Failed // it was there for good, and is to be started anew by a lease
			}
			if got := next.status(guarded4); got != want && got != resources.Running {
				t.Errorf("the next daemon finds it %s, want %s", got, want)
			}
			if err := next.renew(); err != nil {
				t.Fatal(err)
			}
			next.gateIs(tt.gate)
			if tt.stays {
				next.has("eth0", with(own0, leased4)...)
			} else {
				next.has("eth0", own0...)
			}
		})
	}
}

// TestTheGateGoesWithTheLastAddress is a daemon that ends in order.
func TestTheGateGoesWithTheLastAddress(t *testing.T) {
	left, _ := nstest.Pair(t)
	n := newGuarded(t, left)
	if err := n.renew(); err != nil {
		t.Fatal(err)
	}
	n.start(guarded4)
	n.gateIs(gate.Open)
	n.stop(guarded4)
	left.Do(t, func() { n.driver.Close() })
	n.gateIs(gate.Absent)
}

// TestFlushedRuleset is a firewall that is loaded anew.
func TestFlushedRuleset(t *testing.T) {
	left, _ := nstest.Pair(t)
	n := newGuarded(t, left)
	if err := n.renew(); err != nil {
		t.Fatal(err)
	}
	n.start(guarded4)
	left.Do(t, func() {
		c, err := nftables.New()
		if err == nil {
			c.FlushRuleset()
			err = c.Flush()
		}
		if err != nil {
			t.Fatal(err)
		}
	})
	n.gateIs(gate.Absent)
	n.driver.leases.door.renewed = 0 // its next beat
	if err := n.renew(); !errors.Is(err, resources.ErrLeaseRestored) {
		t.Errorf("renewing what somebody flushed: %v", err)
	}
	n.gateIs(gate.Open)
	n.has("eth0", with(own0, leased4)...)
}
