package traces

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/systole-ha/systole/agent/event"
)

// triesKept bounds the tries of one fencing: where no device works they go on
// for ever.
const triesKept = 32

// A fencing is what was done to know that a peer is off.
type fencing struct {
	event.FenceStarted
	at      time.Time
	tries   []try
	omitted int
	result  string // off, confirmed; empty while it is not over
	by      string
	ended   time.Time
}

type try struct {
	event.FenceAttempted
	at time.Time // its end
}

func (g *gatherer) fenceAttempted(at time.Time, e event.FenceAttempted) {
	f, ok := g.fencings[e.Peer]
	if !ok {
		return
	}
	if len(f.tries) == triesKept {
		f.tries = f.tries[1:]
		f.omitted++
	}
	f.tries = append(f.tries, try{e, at})
	g.fencings[e.Peer] = f
}

func (g *gatherer) fenceCompleted(at time.Time, e event.FenceCompleted) {
	f, ok := g.fencings[e.Peer]
	if !ok {
		return
	}
	if e.Result == "aborted" {
		delete(g.fencings, e.Peer)
		return
	}
	f.result, f.by, f.ended = e.Result, e.By, at
	g.fencings[e.Peer] = f
}

// fencedFor is what a takeover has waited for: the first one after it.
func (g *gatherer) fencedFor(m *move) *fencing {
	f, ok := g.fencings[m.peer]
	if !ok || f.result == "" || f.Trace != m.trace {
		return nil
	}
	delete(g.fencings, m.peer)
	return &f
}

// fencing builds the time from the verdict on the peer until it was known to be
// off, with a span for each try of a device.
func (s *spans) fencing(ctx context.Context, a anchor, m *move) {
	f := m.fencing
	if f == nil {
		return
	}
	attributes := []attribute.KeyValue{
		words("peer", f.Peer), words("action", f.Action), words("result", f.result), words("by", f.by),
		seconds("delay", f.Delay), attribute.Int("systole.tries", len(f.tries)+f.omitted),
	}
	ctx = build(ctx, s.incidents, spec{name: "fence", start: a.at(f.at), end: a.at(f.ended), attributes: attributes})
	for _, t := range f.tries {
		one := spec{
			name: "fence " + t.Method, start: a.at(t.at.Add(-t.Took)), end: a.at(t.at),
			attributes: []attribute.KeyValue{
				words("peer", t.Peer), words("method", t.Method), words("action", t.Action), words("result", t.Result),
				attribute.Int("systole.level", t.Level), attribute.Int("systole.attempt", t.Attempt),
			},
		}
		if t.Result != "ok" {
			one.failure, one.errorType = t.Error, t.Result
		}
		build(ctx, s.incidents, one)
	}
}
