package traces

import (
	"context"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// heartbeatLate is the one span that is not about an incident or a command.
const heartbeatLate = "heartbeat.late"

// Spans builds spans of what is over.
type spans struct {
	cluster, node string
	incidents     trace.Tracer // all of them
	rest          trace.Tracer // sampled
	tops          tops
	held          map[string]trace.SpanContext // by group: the span of it in the takeover that brought it here
}

// A spec says what one span is to be.
type spec struct {
	name       string
	start, end time.Time
	kind       trace.SpanKind
	links      []trace.SpanContext
	attributes []attribute.KeyValue
	events     []moment
	failure    string // why it failed; empty where it did not
	errorType  string // of the failure, from a closed set
}

// A moment is an event on a span.
type moment struct {
	name       string
	at         time.Time
	attributes []attribute.KeyValue
}

// build makes a span and ends it. The context is its parent's, and may have ids
// given; that which is returned is for its children.
func build(ctx context.Context, tracer trace.Tracer, s spec) context.Context {
	links := make([]trace.Link, len(s.links))
	for i, to := range s.links {
		links[i].SpanContext = to
	}
	made, sp := tracer.Start(ctx, s.name, trace.WithTimestamp(s.start), trace.WithSpanKind(s.kind),
		trace.WithLinks(links...), trace.WithAttributes(s.attributes...))
	for _, m := range s.events {
		sp.AddEvent(m.name, trace.WithTimestamp(m.at), trace.WithAttributes(m.attributes...))
	}
	if s.failure != "" {
		sp.SetStatus(codes.Error, s.failure)
		sp.SetAttributes(semconv.ErrorTypeKey.String(s.errorType))
	}
	sp.End(trace.WithTimestamp(s.end))
	return trace.ContextWithSpanContext(context.Background(), trace.SpanContextFromContext(made))
}

// An anchor is the one instant of an incident whose wall-clock time counts; all
// others are told from it by the monotonic clock, so that no step of the wall
// clock makes a span longer than what it stands for.
type anchor time.Time

func (a anchor) at(t time.Time) time.Time { return time.Time(a).Add(t.Sub(time.Time(a))) }

// A top is a top span that was built.
type top struct{ trace, what string }

// topsKnown bounds what is remembered of them: an incident has two on a node.
const topsKnown = 64

// Tops are the newest top spans of this node. A second one of a kind in one
// trace cannot have the derived id, which is taken.
type tops struct{ built []top }

func (t *tops) seen(trace, what string) bool { return slices.Contains(t.built, top{trace, what}) }

func (t *tops) add(trace, what string) {
	if len(t.built) == topsKnown {
		t.built = slices.Delete(t.built, 0, 1)
	}
	t.built = append(t.built, top{trace, what})
}

// topContext is the context in which the top span of a kind is to be started.
// Parent is a span id in the same trace, zero for none.
func (s *spans) topContext(text, what string, parent trace.SpanID) (context.Context, trace.TraceID) {
	id, known := traceID(text)
	ctx := context.Background()
	own := spanID(id, s.node, what)
	taken := s.tops.seen(text, what)
	if known && !taken {
		s.tops.add(text, what)
	}
	if taken {
		own = ids{}.NewSpanID(ctx, id)
		if !parent.IsValid() {
			parent = spanID(id, s.node, what)
		}
	}
	if parent.IsValid() {
		ctx = trace.ContextWithRemoteSpanContext(ctx, span(id, parent))
	}
	return given(ctx, id, own), id
}

func seconds(key string, d time.Duration) attribute.KeyValue {
	return attribute.Float64("systole."+key, d.Seconds())
}

func words(key, value string) attribute.KeyValue { return attribute.String("systole."+key, value) }
