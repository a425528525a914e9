package traces

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/systole-ha/systole/agent/event"
)

// incident builds what this node saw of two owners. A node that did not take
// over itself was paused or cut off: its half of the incident is "isolated",
// with its own pause, as the peer's is the takeover. The two link to each other.
func (s *spans) incident(in *incident) {
	a := anchor(in.ended)
	start := a.at(in.at)
	stalled := !in.stall.at.IsZero()
	if !in.isolated {
		id, _ := traceID(in.Trace)
		own := trace.ContextWithSpanContext(context.Background(), span(id, spanID(id, s.node, takeoverTop)))
		s.splitBrain(own, in, start)
		return
	}
	pause := a.at(in.stall.at.Add(-in.stall.Late))
	if stalled && pause.Before(start) {
		start = pause
	}
	ctx, id := s.topContext(in.Trace, takeoverTop, trace.SpanID{})
	top := spec{name: "isolated", start: start, end: in.ended, attributes: s.incidentAttributes(in)}
	if in.correlated {
		top.links = []trace.SpanContext{span(id, spanID(id, in.Peer, takeoverTop))}
	}
	ctx = build(ctx, s.incidents, top)
	if stalled {
		build(ctx, s.incidents, spec{
			name: "stall", start: pause, end: a.at(in.stall.at), attributes: []attribute.KeyValue{seconds("stall", in.stall.Late)},
		})
	}
	s.splitBrain(ctx, in, a.at(in.at))
}

func (s *spans) splitBrain(ctx context.Context, in *incident, start time.Time) {
	build(ctx, s.incidents, spec{
		name: "split_brain", start: start, end: in.ended, attributes: s.incidentAttributes(in),
		failure: "two nodes held one group", errorType: "split_brain",
	})
}

func (s *spans) incidentAttributes(in *incident) []attribute.KeyValue {
	released := in.cleared.Released
	if released == "" {
		released = unfinished
	}
	return []attribute.KeyValue{
		words("cluster", s.cluster), words("node", s.node), words("peer", in.Peer), words("evidence", in.Evidence),
		attribute.StringSlice("systole.groups", in.Groups), words("released", released),
		attribute.Bool("systole.trace.correlated", in.correlated),
	}
}

// falseDeath builds the time for which a peer was not heard that had been alive
// all along: part of the takeover that followed, or, where the peer held nothing
// to take over, this node's half of the incident.
func (s *spans) falseDeath(at time.Time, d death, e event.PeerFalseDeath, tookOver bool) {
	id, _ := traceID(e.Trace)
	ctx := trace.ContextWithSpanContext(context.Background(), span(id, spanID(id, s.node, takeoverTop)))
	if !tookOver {
		ctx, _ = s.topContext(e.Trace, takeoverTop, trace.SpanID{})
	}
	build(ctx, s.incidents, spec{
		name: "false_death", start: at.Add(-e.Silence), end: at,
		attributes: []attribute.KeyValue{
			words("cluster", s.cluster), words("node", s.node), words("peer", e.Peer),
			seconds("silence", e.Silence), seconds("deadtime", d.Deadtime), seconds("stall", e.Stall),
		},
		failure: "the peer was called dead and was not", errorType: "false_death",
	})
}

// heartbeatLate builds a silence that ended well. Its trace is the one that the
// metrics have as the exemplar of the heartbeat that ended it.
func (s *spans) heartbeatLate(at time.Time, e event.HeartbeatLate) {
	attributes := []attribute.KeyValue{
		words("cluster", s.cluster), words("node", s.node), words("peer", e.Peer), words("link", e.Link),
		seconds("silence", e.Silence), seconds("warntime", e.Warntime), seconds("deadtime", e.Deadtime), seconds("stall", e.Stall),
	}
	if e.Deadtime > 0 {
		attributes = append(attributes, attribute.Float64("systole.deadtime_used_ratio", e.Silence.Seconds()/e.Deadtime.Seconds()))
	}
	id, _ := traceID(e.Trace)
	ctx := given(context.Background(), id, spanID(id, s.node, e.Kind()))
	build(ctx, s.rest, spec{name: heartbeatLate, start: at.Add(-e.Silence), end: at, attributes: attributes})
}
