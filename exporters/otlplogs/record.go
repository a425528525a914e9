package otlplogs

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/trace"

	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/exporters/internal/sentence"
	"github.com/systole-ha/systole/exporters/internal/topspan"
)

// severities are OpenTelemetry's for those of syslog that events have
// (OpenTelemetry specification, "Logs Data Model", appendix B).
var severities = map[event.Severity]log.Severity{
	event.Info: log.SeverityInfo, event.Notice: log.SeverityInfo2, event.Warning: log.SeverityWarn,
	event.Error: log.SeverityError, event.Critical: log.SeverityError2,
}

// A maker makes the SDK's records, which only a provider of the SDK can: it is
// the processor of one, and catches what a logger emits. It is for one
// goroutine.
type maker struct {
	logger log.Logger
	made   sdklog.Record
}

func newMaker(r *resource.Resource) *maker {
	m := &maker{}
	m.logger = sdklog.NewLoggerProvider(sdklog.WithResource(r), sdklog.WithProcessor(m)).Logger(scope)
	return m
}

func (m *maker) OnEmit(_ context.Context, r *sdklog.Record) error {
	m.made = r.Clone()
	return nil
}

func (m *maker) Enabled(context.Context, sdklog.EnabledParameters) bool { return true }
func (m *maker) Shutdown(context.Context) error                         { return nil }
func (m *maker) ForceFlush(context.Context) error                       { return nil }

// record is what a collector is told of r.
func (m *maker) record(r event.Record) sdklog.Record {
	var told log.Record
	severity := event.SeverityOf(r.Event)
	told.SetEventName(r.Event.Kind())
	told.SetTimestamp(r.Time)
	told.SetSeverity(severities[severity])
	told.SetSeverityText(severity.String())
	told.SetBody(attribute.StringValue(sentence.Of(r)))
	told.AddAttributes(attributes(r)...)
	m.logger.Emit(placed(r), told)
	return m.made
}

// placed is a context with the trace and span that r belongs to.
func placed(r event.Record) context.Context {
	place, ok := topspan.Of(r)
	if !ok {
		return context.Background()
	}
	return trace.ContextWithSpanContext(context.Background(), trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: place.Trace, SpanID: place.Span, TraceFlags: trace.FlagsSampled,
	}))
}

// attributes are those of the record, then the fields of the event by the names
// that spans have them by. The number of a peer's message is not the record's.
func attributes(r event.Record) []attribute.KeyValue {
	all := []attribute.KeyValue{
		attribute.String("systole.cluster", r.Cluster), attribute.String("systole.node", r.Node),
		attribute.Int64("systole.sequence", int64(r.Sequence)),
	}
	for name, value := range event.Fields(r.Event) {
		switch name {
		case "trace":
			continue // the record has it
		case "sequence":
			name = "peer_sequence"
		}
		all = append(all, attributeOf("systole."+name, value))
	}
	return all
}

// attributeOf has durations in seconds.
func attributeOf(key string, value any) attribute.KeyValue {
	switch v := value.(type) {
	case string:
		return attribute.String(key, v)
	case time.Duration:
		return attribute.Float64(key, v.Seconds())
	case time.Time:
		return attribute.String(key, v.UTC().Format(time.RFC3339Nano))
	case []string:
		return attribute.StringSlice(key, v)
	case bool:
		return attribute.Bool(key, v)
	case int:
		return attribute.Int(key, v)
	case uint64:
		return attribute.Int64(key, int64(v))
	}
	return attribute.String(key, event.Value(value))
}
