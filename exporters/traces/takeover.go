package traces

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/systole-ha/systole/agent/event"
)

// unfinished is the result of what was under way when the daemon ended.
const unfinished = "unfinished"

// An outcome is how a takeover or release ended.
type outcome struct {
	at     time.Time
	result string // success, partial, failed, unfinished
	took   time.Duration
	outage time.Duration
}

// move builds the spans of a takeover or release: its top, the parts before the
// decision, and one for each group with what was done to it. The top of a
// takeover from a dead peer links to the peer's half of the incident, which
// comes when the peer was not dead, and otherwise never; so does the release of
// a node that stood still to the peer's takeover, if there was one.
func (s *spans) move(m *move, o outcome) {
	a := anchor(o.at)
	decided := o.at.Add(-o.took)
	start := decided.Add(-m.phase("silence") - m.phase("confirm") - m.phase("fence"))
	ctx, id := s.topContext(m.trace, m.what(), s.parent(m))
	top := spec{
		name: m.name(), start: start, end: o.at, kind: m.kind(),
		attributes: s.topAttributes(m, o), events: m.moments(a, start),
	}
	if (m.death != nil || m.lapse()) && m.correlated {
		top.links = append(top.links, span(id, spanID(id, m.peer, takeoverTop)))
	}
	if o.result != "success" {
		top.failure, top.errorType = m.reason(o.result), o.result
	}
	ctx = build(ctx, s.incidents, top)
	if m.death != nil {
		s.detection(ctx, a, m, start)
	}
	s.fencing(ctx, a, m)
	for _, w := range m.work {
		s.group(ctx, a, w, o.at, m.acquire)
	}
}

func (m *move) what() string {
	if m.acquire || m.lapse() {
		return takeoverTop
	}
	return releaseTop
}

// parent is the span that a move is part of: the giver's, where the peer gave
// what we take; this node's own half of the incident, where it yields.
func (s *spans) parent(m *move) trace.SpanID {
	id, err := trace.TraceIDFromHex(m.trace)
	switch {
	case err != nil:
	case m.acquire && m.handedOver():
		return spanID(id, m.peer, releaseTop)
	case m.trigger == "start":
		return spanID(id, s.node, joinTop)
	case m.trigger == "yield":
		return spanID(id, s.node, takeoverTop)
	}
	return trace.SpanID{}
}

// kind is that of the message by which groups are handed over.
func (m *move) kind() trace.SpanKind {
	switch {
	case !m.handedOver():
		return trace.SpanKindInternal
	case m.acquire:
		return trace.SpanKindConsumer
	}
	return trace.SpanKindProducer
}

func (s *spans) topAttributes(m *move, o outcome) []attribute.KeyValue {
	attributes := []attribute.KeyValue{
		words("cluster", s.cluster), words("node", s.node), words("trigger", m.trigger), words("result", o.result),
		attribute.StringSlice("systole.groups", m.groups), attribute.Int64("systole.move.id", int64(m.id)),
	}
	if m.peer != "" {
		attributes = append(attributes, words("peer", m.peer), attribute.Bool("systole.trace.correlated", m.correlated))
	}
	if o.outage > 0 {
		attributes = append(attributes, seconds("outage_bound", o.outage))
	}
	for _, p := range m.phases {
		attributes = append(attributes, seconds("phase."+p.Phase, p.Took))
	}
	return attributes
}

// reason is why a move did not succeed: the first failure, if there was one.
func (m *move) reason(result string) string {
	if len(m.failed) > 0 {
		f := m.failed[0]
		return f.Operation + " " + f.Resource + ": " + f.Error
	}
	return result
}

// moments are the events of the top span: the last sign of the peer, what the
// decision rested on, each phase at its end, each failure.
func (m *move) moments(a anchor, start time.Time) []moment {
	var moments []moment
	if d := m.death; d != nil {
		moments = append(moments,
			moment{"peer.last_heard", start, []attribute.KeyValue{words("peer", d.Peer), attribute.Int64("systole.sequence", int64(d.Sequence))}},
			moment{"peer.dead", a.at(d.at), []attribute.KeyValue{
				words("peer", d.Peer), seconds("silence", d.Silence), seconds("deadtime", d.Deadtime), seconds("stall", d.Stall)}})
	}
	moments = append(moments, moment{m.name() + ".decided", a.at(m.decided), nil})
	end := start
	for _, p := range m.phases {
		end = end.Add(p.Took)
		moments = append(moments, moment{"takeover.phase", end, []attribute.KeyValue{words("phase", p.Phase), seconds("took", p.Took)}})
	}
	for _, f := range m.failed {
		moments = append(moments, moment{"takeover.failed", a.at(f.at), []attribute.KeyValue{
			words("group", f.Group), words("resource", f.Resource), words("operation", f.Operation), words("error", f.Error), words("next", f.Next)}})
	}
	return moments
}

// detection builds the time from the last heartbeat to the decision.
func (s *spans) detection(ctx context.Context, a anchor, m *move, start time.Time) {
	d := m.death
	doubted := start.Add(m.phase("silence"))
	detect := spec{
		name: "detect", start: start, end: doubted,
		attributes: []attribute.KeyValue{
			words("peer", d.Peer), seconds("deadtime", d.Deadtime), seconds("silence", d.Silence), seconds("stall", d.Stall),
			attribute.Int("systole.links.up", d.linksUp),
		},
	}
	for _, l := range d.links {
		detect.events = append(detect.events, moment{"link.down", a.at(l.at), []attribute.KeyValue{words("link", l.Link), seconds("silence", l.Silence)}})
	}
	build(ctx, s.incidents, detect)
	build(ctx, s.incidents, spec{
		name: "confirm", start: doubted, end: doubted.Add(m.phase("confirm")),
		attributes: []attribute.KeyValue{words("peer", d.Peer)}, events: d.answers(doubted),
	})
}

// answers are what ping nodes have said: that others were heard while the peer
// was not is the best evidence that the fault is not ours.
func (d *death) answers(doubted time.Time) []moment {
	var moments []moment
	for _, r := range d.pings {
		answer := r.Event.(event.PingAnswered)
		age := d.at.Sub(r.Time)
		moments = append(moments, moment{"ping_node", doubted, []attribute.KeyValue{
			words("ping_node", answer.PingNode), attribute.Bool("systole.answered", age < d.Silence),
			seconds("age", age), seconds("round_trip", answer.RoundTrip)}})
	}
	return moments
}
