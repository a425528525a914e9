package ipaddr

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/systole-ha/systole/resources"
	"github.com/systole-ha/systole/resources/nstest"
)

// benchmark runs fn in a node with a Driver, on the thread of the node.
func benchmark(b *testing.B, fn func(d *Driver)) {
	left, _ := nstest.Pair(b)
	left.Do(b, func() {
		d := New()
		defer d.Close()
		fn(d)
	})
}

func must(b *testing.B, err error) {
	if err != nil {
		b.Fatal(err)
	}
}

func BenchmarkStartStop(b *testing.B) {
	for _, word := range []string{"IPaddr::192.0.2.10/24/eth0", "192.0.2.10", "IPv6addr::2001:db8::10/64/eth0"} {
		b.Run(word, func(b *testing.B) {
			benchmark(b, func(d *Driver) {
				s := spec(b, word)
				for b.Loop() {
					must(b, d.Start(b.Context(), s))
					must(b, d.Stop(b.Context(), s))
				}
			})
		})
	}
}

func BenchmarkStartOfWhatIsThere(b *testing.B) {
	benchmark(b, func(d *Driver) {
		s := spec(b, "IPaddr::192.0.2.10/24/eth0")
		for b.Loop() {
			must(b, d.Start(b.Context(), s))
		}
	})
}

func BenchmarkStatus(b *testing.B) {
	benchmark(b, func(d *Driver) {
		s := spec(b, "IPaddr::192.0.2.10/24/eth0")
		must(b, d.Start(b.Context(), s))
		for b.Loop() {
			_, err := d.Status(b.Context(), s)
			must(b, err)
		}
	})
}

func BenchmarkAnnounce(b *testing.B) {
	for _, word := range []string{"IPaddr::192.0.2.10/24/eth0", "IPv6addr::2001:db8::10/64/eth0"} {
		b.Run(word, func(b *testing.B) {
			benchmark(b, func(d *Driver) {
				s := spec(b, word)
				must(b, d.Start(b.Context(), s))
				for b.Loop() {
					must(b, d.Announce(b.Context(), s))
				}
			})
		})
	}
}

// BenchmarkFiveHundred is a group of 500 addresses in a network where the node
// has one of its own: each figure is for all of them, started one after the
// other and stopped in reverse, as groups are. A watch beside it must not slow it.
func BenchmarkFiveHundred(b *testing.B) {
	own := spec(b, "IPaddr::10.0.255.1/16/eth0")
	for _, pattern := range []string{"IPaddr::10.0.%d.%d/16/eth0", "IPv6addr::2001:db8::%x:%x/64/eth0"} {
		var group []resources.Spec
		for i := range 500 {
			group = append(group, spec(b, fmt.Sprintf(pattern, i/250, i%250+1)))
		}
		for _, isWatched := range []bool{false, true} {
			b.Run(fmt.Sprintf("%s/watched=%t", pattern, isWatched), func(b *testing.B) { fiveHundred(b, own, group, isWatched) })
		}
	}
}

func fiveHundred(b *testing.B, own resources.Spec, group []resources.Spec, isWatched bool) {
	left, _ := nstest.Pair(b)
	d := New()
	defer d.Close()
	if isWatched {
		ctx, cancel := context.WithCancel(b.Context())
		ended := make(chan error)
		go left.Do(b, func() { ended <- d.Watch(ctx, group, deaf{}) })
		defer func() { cancel(); must(b, <-ended) }()
	}
	left.Do(b, func() {
		must(b, d.Start(b.Context(), own))
		all := func(op string, fn func(resources.Spec) error) {
			before := b.Elapsed()
			for _, s := range group {
				must(b, fn(s))
			}
			b.ReportMetric(float64((b.Elapsed()-before).Microseconds())/1000, op+"-ms")
		}
		for b.Loop() {
			all("start", func(s resources.Spec) error { return d.Start(b.Context(), s) })
			all("announce", func(s resources.Spec) error { return d.Announce(b.Context(), s) })
			slices.Reverse(group)
			all("stop", func(s resources.Spec) error { return d.Stop(b.Context(), s) })
			slices.Reverse(group)
		}
	})
}

// deaf is a Watcher that takes no time.
type deaf struct{}

func (deaf) AddressChanged(Change)              {}
func (deaf) AddressLost(Loss)                   {}
func (deaf) AddressConflict(Conflict)           {}
func (deaf) AddressConflictCleared(ConflictEnd) {}
func (deaf) AddressAnnounced(Announcement)      {}
func (deaf) AddressesCarried([]Carrier)         {}
