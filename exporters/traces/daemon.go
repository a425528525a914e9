package traces

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/systole-ha/systole/agent/event"
)

// join builds how this daemon came to take part. Where a peer had called this
// node dead it links to the peer's takeover, of which an earlier incarnation of
// this node could not know.
func (s *spans) join(at time.Time, e event.NodeJoined) {
	ctx, _ := s.topContext(e.Trace, joinTop, trace.SpanID{})
	sp := spec{
		name: "join", start: at.Add(-e.Took), end: at,
		attributes: []attribute.KeyValue{words("cluster", s.cluster), words("node", s.node)},
	}
	if id, known := traceID(e.Incident); known {
		sp.attributes = append(sp.attributes, words("peer", e.Peer))
		sp.links = []trace.SpanContext{span(id, spanID(id, e.Peer, takeoverTop))}
	}
	build(ctx, s.incidents, sp)
}

// reload builds a file that was read again.
func (s *spans) reload(r event.Record) {
	sp := spec{
		name: "config.reload", start: r.Time, end: r.Time,
		attributes: []attribute.KeyValue{words("cluster", s.cluster), words("node", s.node)},
	}
	switch e := r.Event.(type) {
	case event.ConfigReloaded:
		sp.attributes = append(sp.attributes, words("file", e.File), words("result", "accepted"), attribute.StringSlice("systole.changed", e.Changed))
	case event.ConfigReloadFailed:
		sp.attributes = append(sp.attributes, words("file", e.File), words("result", "refused"), attribute.Int("systole.errors", e.Errors))
		sp.failure, sp.errorType = e.Error, "refused"
	}
	build(context.Background(), s.incidents, sp)
}

// command builds what an operator asked for, linked to what came of it; m is
// nil where nothing has.
func (s *spans) command(at time.Time, e event.OperatorCommand, m *move) {
	sp := spec{
		name: "operator.command", start: at, end: at,
		attributes: []attribute.KeyValue{
			words("cluster", s.cluster), words("node", s.node), words("command", e.Command), words("arguments", e.Arguments),
			attribute.Int("systole.uid", e.UID), words("result", e.Result),
		},
	}
	if m != nil {
		if id, known := traceID(m.trace); known {
			sp.links = []trace.SpanContext{span(id, spanID(id, s.node, m.what()))}
		}
	}
	if e.Result != "accepted" {
		sp.failure, sp.errorType = e.Reason, e.Result
	}
	build(context.Background(), s.incidents, sp)
}

// refused builds a request that one node turned down.
func (s *spans) refused(at time.Time, e event.MoveRefused) {
	build(context.Background(), s.incidents, spec{
		name: "move.refused", start: at, end: at,
		attributes: []attribute.KeyValue{
			words("cluster", s.cluster), words("node", s.node), words("request", e.Request), words("by", e.By), words("groups", e.Groups),
		},
		failure: e.Reason, errorType: "refused",
	})
}
