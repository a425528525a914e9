package ipaddr

import (
	"errors"
	"testing"

	"github.com/systole-ha/systole/resources/nstest"
)

// TestRevoke takes every lease away in their time: nothing is held from then
// on, no address is started before the next renewal, and that is no lapse.
func TestRevoke(t *testing.T) {
	for name, open := range map[string]func(*testing.T, *nstest.Namespace) node{
		"lifetimes": newLeased,
		"the gate": func(t *testing.T, ns *nstest.Namespace) node {
			n := node{T: t, ns: ns, driver: Leased(Terms{Lifetime: 10 * second, Gate: 10 * second, Keepalive: gateBeat, Addresses: guardedAddresses()})}
			t.Cleanup(func() { n.driver.Close() })
			return n
		},
	} {
		t.Run(name, func(t *testing.T) {
			left, _ := nstest.Pair(t)
			n := open(t, left)
			n.T = t
			address := "IPaddr2::" + leased4 + "/eth0"
			if err := n.renew(); err != nil {
				t.Fatal(err)
			}
			n.start(address)
			n.has("eth0", with(own0, leased4)...)

			var err error
			n.ns.Do(t, func() { err = n.driver.Revoke() })
			if err != nil {
				t.Fatal(err)
			}
			n.has("eth0", own0...)
			if err := n.try(n.driver.Start, address); !errors.Is(err, errRevoked) {
				t.Errorf("a start before the next renewal: %v, want %v", err, errRevoked)
			}
			n.has("eth0", own0...)
			if n.lapsed() {
				t.Error("what was revoked counts as lapsed")
			}
			if err := n.renew(); err != nil {
				t.Fatal(err)
			}
			n.start(address)
			n.has("eth0", with(own0, leased4)...)
		})
	}
}
