package metrics

import (
	"math"
	"sync/atomic"
	"time"
)

// A rhythm is how long a peer usually stays silent: a mean and a deviation over
// about the last 64 silences. The loop adds to it; scrapes read it without
// making the loop wait, at worst a mean one heartbeat newer than the deviation.
type rhythm struct {
	least     float64 // seconds that the deviation is taken for at least
	n         int
	variance  float64
	mean      atomicFloat
	deviation atomicFloat
}

// remembered is a balance: a change of keepalive is learnt in about a minute at
// one a second, and one odd silence moves the mean by a 64th of it.
const remembered = 64

// newRhythm takes the deviation for no less than a tenth of keepalive, else the
// first heartbeat a timer's jitter late would look like a death (Akka's
// detector has the same floor, 100 ms where it beats once a second).
func newRhythm(keepalive time.Duration) *rhythm {
	return &rhythm{least: keepalive.Seconds() / 10}
}

// add takes in one silence. The incremental mean and variance are those of
// Finch, "Incremental calculation of weighted mean and variance" (2009), with
// the weight of a plain mean until there is enough to forget.
func (r *rhythm) add(silence time.Duration) {
	r.n = min(r.n+1, remembered)
	weight := 1 / float64(r.n)
	off := silence.Seconds() - r.mean.load()
	step := weight * off
	r.mean.store(r.mean.load() + step)
	r.variance = (1 - weight) * (r.variance + off*step)
	r.deviation.store(max(math.Sqrt(r.variance), r.least))
}

// certain is the largest phi told: beyond it a float64 knows no difference.
const certain = 16

// phi is −log10 of the chance that a peer alive would still be silent, were its
// silences spread normally. It is 0 before the first.
//
// Source: Hayashibara, Défago, Yared, Katayama: "The φ accrual failure
// detector" (2004).
func (r *rhythm) phi(silent time.Duration) float64 {
	mean, deviation := r.mean.load(), r.deviation.load()
	if mean == 0 || deviation == 0 {
		return 0
	}
	later := math.Erfc((silent.Seconds()-mean)/(deviation*math.Sqrt2)) / 2
	return min(max(-math.Log10(later), 0), certain)
}

// An atomicFloat is a float64 written by one goroutine and read by any.
type atomicFloat struct{ bits atomic.Uint64 }

func (f *atomicFloat) store(v float64) { f.bits.Store(math.Float64bits(v)) }
func (f *atomicFloat) load() float64   { return math.Float64frombits(f.bits.Load()) }
