package traces

import (
	"sync/atomic"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// A gate lets at most spansWaiting spans into the SDK's batch processor, which
// would drop what is more too, but tells nobody how many.
type gate struct {
	sdktrace.SpanProcessor // the batch
	pending                atomic.Int64
	refused                atomic.Uint64
}

func newGate(c *courier) *gate {
	g := &gate{}
	c.left = func(spans int) { g.pending.Add(-int64(spans)) }
	g.SpanProcessor = sdktrace.NewBatchSpanProcessor(c,
		sdktrace.WithMaxQueueSize(spansWaiting), sdktrace.WithMaxExportBatchSize(spansWaiting/4),
		sdktrace.WithExportTimeout(exportTimeout))
	return g
}

// OnEnd takes a span that has ended.
func (g *gate) OnEnd(s sdktrace.ReadOnlySpan) {
	if !s.SpanContext().IsSampled() {
		return
	}
	if g.pending.Add(1) > spansWaiting {
		g.pending.Add(-1)
		g.refused.Add(1)
		return
	}
	g.SpanProcessor.OnEnd(s)
}
