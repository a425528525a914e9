package traces

import (
	"context"
	"encoding/binary"
	"math/rand/v2"

	"go.opentelemetry.io/otel/trace"

	"github.com/systole-ha/systole/exporters/internal/topspan"
)

// What a node can have one top span of in one trace.
const (
	takeoverTop = topspan.Takeover
	releaseTop  = topspan.Release
	joinTop     = topspan.Join
)

// spanID is the id of a node's top span in a trace.
func spanID(id trace.TraceID, node, what string) trace.SpanID {
	return topspan.ID(id, node, what)
}

// traceID reads the Trace of an event; one that is no id of a trace is replaced
// by a random one, so that nothing is lost by it.
func traceID(text string) (id trace.TraceID, known bool) {
	id, err := trace.TraceIDFromHex(text)
	if err != nil {
		id, _ = ids{}.NewIDs(context.Background())
	}
	return id, err == nil
}

// span names a span of this trace.
func span(id trace.TraceID, span trace.SpanID) trace.SpanContext {
	return trace.NewSpanContext(trace.SpanContextConfig{TraceID: id, SpanID: span, TraceFlags: trace.FlagsSampled})
}

// ids is the SDK's generator of ids: it gives out those that the context says,
// and random ones otherwise.
type ids struct{}

type givenKey struct{}

// given is a context that makes the next span started from it have these ids.
func given(ctx context.Context, id trace.TraceID, span trace.SpanID) context.Context {
	return context.WithValue(ctx, givenKey{}, trace.NewSpanContext(trace.SpanContextConfig{TraceID: id, SpanID: span}))
}

// NewIDs is for a span without parent.
func (ids) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	if sc, ok := ctx.Value(givenKey{}).(trace.SpanContext); ok {
		return sc.TraceID(), sc.SpanID()
	}
	var id trace.TraceID
	binary.BigEndian.PutUint64(id[:8], rand.Uint64())
	binary.BigEndian.PutUint64(id[8:], rand.Uint64()|1) // never all 0
	return id, ids{}.NewSpanID(ctx, id)
}

// NewSpanID is for a span with a parent.
func (ids) NewSpanID(ctx context.Context, _ trace.TraceID) trace.SpanID {
	if sc, ok := ctx.Value(givenKey{}).(trace.SpanContext); ok {
		return sc.SpanID()
	}
	var id trace.SpanID
	binary.BigEndian.PutUint64(id[:], rand.Uint64()|1)
	return id
}
