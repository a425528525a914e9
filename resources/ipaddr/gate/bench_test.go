package gate

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/systole-ha/systole/resources/nstest"
)

// BenchmarkRenew is what every beat costs.
func BenchmarkRenew(b *testing.B) {
	for _, addresses := range []int{1, 50, 500} {
		b.Run(fmt.Sprint(addresses), func(b *testing.B) { benchmark(b, addresses, func(g *Gate) error { return g.Renew(time.Second) }) })
	}
}

// BenchmarkRenewBesideOthers is that where somebody else has changed a rule.
func BenchmarkRenewBesideOthers(b *testing.B) {
	for _, addresses := range []int{1, 50, 500} {
		b.Run(fmt.Sprint(addresses), func(b *testing.B) {
			benchmark(b, addresses, func(g *Gate) error {
				g.next = max(g.next-1, 1)
				return g.Renew(time.Second)
			})
		})
	}
}

func BenchmarkBuild(b *testing.B) {
	for _, addresses := range []int{1, 50, 500} {
		b.Run(fmt.Sprint(addresses), func(b *testing.B) { benchmark(b, addresses, func(g *Gate) error { return g.Build(time.Second) }) })
	}
}

func benchmark(b *testing.B, addresses int, op func(*Gate) error) {
	var list []netip.Addr
	for ip := netip.MustParseAddr("192.0.2.1"); len(list) < addresses; ip = ip.Next() {
		list = append(list, ip)
	}
	nstest.New(b, "node").Do(b, func() {
		g := New(list)
		defer g.Close()
		if err := g.Build(time.Second); err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			if err := op(g); err != nil {
				b.Fatal(err)
			}
		}
	})
}
