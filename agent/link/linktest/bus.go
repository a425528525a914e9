// Package linktest is a heartbeat medium in memory: a bus that loses, delays
// and cuts in each direction as a test says. It runs on the time of package
// testing/synctest when used inside a bubble. Its ends are links like those of
// package link: they check signatures, decode, stamp arrival, and can be
// drained.
package linktest

import (
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/systole-ha/systole/agent/link"
	"github.com/systole-ha/systole/agent/wire"
)

// A Way is what one direction between two ends is like. The zero Way carries
// everything at once.
type Way struct {
	Cut    bool
	Loss   float64       // the share of packets that do not arrive, 0 to 1
	Copies float64       // the share that arrives twice
	Delay  time.Duration // of every packet
	Jitter time.Duration // up to so much more, evenly: packets overtake each other
}

// A Bus joins ends: what one sends, every other hears, as on a broadcast
// network. Two ends make a cable.
type Bus struct {
	seed uint64

	mu   sync.Mutex
	ends []*End
	ways map[pair]*way
}

type pair struct{ from, to *End }

// A way has dice of its own, so that what it loses does not depend on the order
// in which others send.
type way struct {
	Way
	dice *rand.Rand
}

// NewBus makes a bus. The same seed loses the same packets.
func NewBus(seed uint64) *Bus { return &Bus{seed: seed, ways: map[pair]*way{}} }

// Plug adds an end, which hears and is heard once its Run has begun.
func (b *Bus) Plug(name string, index int, ring *wire.Keyring, h link.Handler) *End {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := newEnd(b, name, index, ring, h)
	for i, other := range b.ends {
		n := uint64(len(b.ends))
		b.ways[pair{e, other}] = &way{dice: rand.New(rand.NewPCG(b.seed, n<<32|uint64(i)))}
		b.ways[pair{other, e}] = &way{dice: rand.New(rand.NewPCG(b.seed, uint64(i)<<32|n))}
	}
	b.ends = append(b.ends, e)
	return e
}

// Set changes one direction. It holds for what is sent from now on.
func (b *Bus) Set(from, to *End, w Way) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ways[pair{from, to}].Way = w
}

// SetAll changes all directions.
func (b *Bus) SetAll(w Way) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, way := range b.ways {
		way.Way = w
	}
}

// carry puts a packet on its way to everybody else.
func (b *Bus) carry(from *End, packet []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	for _, to := range b.ends {
		if to == from {
			continue
		}
		w := b.ways[pair{from, to}]
		if w.Cut || w.dice.Float64() < w.Loss {
			continue
		}
		to.arrive(packet, now.Add(w.delay()))
		if w.dice.Float64() < w.Copies {
			to.arrive(packet, now.Add(w.delay()))
		}
	}
}

func (w *way) delay() time.Duration {
	if w.Jitter <= 0 {
		return w.Delay
	}
	return w.Delay + time.Duration(w.dice.Int64N(int64(w.Jitter)+1))
}

// A frame is a packet on its way to one end, or waiting there.
type frame struct {
	bytes []byte
	at    time.Time // when it arrives
}

// insert keeps frames in the order in which they arrive.
func insert(frames []frame, f frame) []frame {
	i := len(frames)
	for i > 0 && f.at.Before(frames[i-1].at) {
		i--
	}
	return slices.Insert(frames, i, f)
}
