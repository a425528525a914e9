package sim

import (
	"flag"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var (
	seeds = flag.Int("seeds", 2000, "how many histories")
	from  = flag.Uint64("from", 1, "the first of them")
	seed  = flag.Uint64("seed", 0, "replay this one, aloud")
)

// TestSeeds plays many histories of faults and holds them against the rules.
func TestSeeds(t *testing.T) {
	s := story{cluster: pair, faults: [][]fault{endings, cuts, requests, freezes, breakage}}
	playAll(t, *seeds, s)
}

// TestLeases plays histories in which daemons and nodes freeze, crash and come
// back, but hear each other while they run: then no address is ever on two. The
// lease is shorter than the deadtime by more than a keepalive.
func TestLeases(t *testing.T) {
	playAll(t, *seeds/2, leasedStory(func(c Cluster) time.Duration { return c.Deadtime - c.Keepalive - 50*time.Millisecond }))
}

// TestLeasesCanBeTooLong sees that the rule of leased histories can fail: a
// lease that outlasts the deadtime leaves an address on two nodes.
func TestLeasesCanBeTooLong(t *testing.T) {
	s := leasedStory(func(c Cluster) time.Duration { return 2 * c.Deadtime })
	for seed := range uint64(100) {
		if err := s.play(seed+1, false); err != nil && strings.Contains(err.Error(), "both nodes have an address") {
			return
		}
	}
	t.Error("no history of 100 had an address on two nodes")
}

// lostAndFrozen stops a node at the worst instant after a heartbeat of its was
// lost: its peer has heard it last two keepalives before it renewed its leases.
var lostAndFrozen = []fault{{"freeze after a lost heartbeat", 6, func(t *trouble) {
	n := t.node()
	if n.Core == nil || n.Frozen || n.loses > 0 { // one lost heartbeat at a time
		return
	}
	t.say("%s", n.Name)
	n.StopInBeat()
	t.w.After(time.Second+t.while(4000), n.Thaw)
}}}

// gatedStory loses single heartbeats of nodes that then stand still.
func gatedStory(lease func(Cluster) time.Duration) story {
	s := leasedStory(lease)
	leased := s.cluster
	s.cluster = func(seed uint64) Cluster { c := leased(seed); c.Gated = true; return c }
	s.faults = append(s.faults, lostAndFrozen)
	return s
}

// TestLeasesBearALostHeartbeat plays histories with leases of the length that the
// gate has: shorter than the deadtime by two keepalives.
func TestLeasesBearALostHeartbeat(t *testing.T) {
	playAll(t, *seeds/8, gatedStory(func(c Cluster) time.Duration { return c.Deadtime - 2*c.Keepalive - 50*time.Millisecond }))
}

// TestLeasesThatDoNot sees that these histories can fail: leases that leave room
// for no lost heartbeat.
func TestLeasesThatDoNot(t *testing.T) {
	s := gatedStory(func(c Cluster) time.Duration { return c.Deadtime - c.Keepalive - 50*time.Millisecond })
	for seed := range uint64(100) {
		if err := s.play(seed+1, false); err != nil && strings.Contains(err.Error(), "both nodes have an address") {
			return
		}
	}
	t.Error("no history of 100 had an address on two nodes")
}

func leasedStory(lease func(Cluster) time.Duration) story {
	return story{
		cluster: func(seed uint64) Cluster { c := pair(seed); return leased(c, lease(c)) },
		faults:  [][]fault{endings, requests, breakage, times(6, freezes)},
		never:   true,
	}
}

// playAll plays histories on all cores, and all of them even if some fail, up to
// a number that nobody would read.
func playAll(t *testing.T, seeds int, s story) {
	if *seed != 0 {
		if err := s.play(*seed, true); err != nil {
			t.Fatal(err)
		}
		return
	}
	// A history is garbage: memory for it costs less than to collect it.
	defer debug.SetGCPercent(debug.SetGCPercent(800))
	const tooMany = 20
	var next, failed atomic.Uint64
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for i := next.Add(1); i <= uint64(seeds) && failed.Load() < tooMany; i = next.Add(1) {
				number := *from + i - 1
				if err := s.play(number, false); err != nil {
					failed.Add(1)
					t.Errorf("seed %d: %v\nreplay: go test ./agent/sim -run '^%s$' -seed %d -v", number, err, t.Name(), number)
				}
				if i%5000 == 0 { // of a long run: where to go on from
					fmt.Printf("%s: about %d of %d played, up to seed %d, %d failed\n", t.Name(), i, seeds, number, failed.Load())
				}
			}
		})
	}
	workers.Wait()
}
