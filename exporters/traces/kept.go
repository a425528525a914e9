package traces

import (
	"slices"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

const (
	// keptIncidents and keptBytes bound what is kept for a collector that does
	// not answer: months of incidents of a cluster that is well.
	keptIncidents = 64
	keptBytes     = 1 << 20
)

// Kept is what no collector has taken, by trace, the oldest first.
type kept struct {
	incidents []undelivered
	bytes     int
}

// Undelivered is what is kept of one trace.
type undelivered struct {
	trace trace.TraceID
	spans []sdktrace.ReadOnlySpan
	bytes int
}

// add keeps spans and returns how many there is no room for any more: those of
// the oldest traces.
func (k *kept) add(spans []sdktrace.ReadOnlySpan) (lost int) {
	for _, s := range spans {
		id := s.SpanContext().TraceID()
		i := slices.IndexFunc(k.incidents, func(in undelivered) bool { return in.trace == id })
		if i < 0 {
			i = len(k.incidents)
			k.incidents = append(k.incidents, undelivered{trace: id})
		}
		in := &k.incidents[i]
		in.spans = append(in.spans, s)
		in.bytes += weight(s)
		k.bytes += weight(s)
	}
	return k.shrink()
}

// take removes the oldest.
func (k *kept) take() (undelivered, bool) {
	if len(k.incidents) == 0 {
		return undelivered{}, false
	}
	in := k.incidents[0]
	k.incidents = slices.Delete(k.incidents, 0, 1)
	k.bytes -= in.bytes
	return in, true
}

// putBack is the undoing of take.
func (k *kept) putBack(in undelivered) (lost int) {
	k.incidents = slices.Insert(k.incidents, 0, in)
	k.bytes += in.bytes
	return k.shrink()
}

func (k *kept) shrink() (lost int) {
	for len(k.incidents) > keptIncidents || k.bytes > keptBytes {
		in, _ := k.take()
		lost += len(in.spans)
	}
	return lost
}

// weight is about what a span takes in memory, in bytes: 400 for itself, as
// much as it says in words, and 64 for each attribute, event and link.
func weight(s sdktrace.ReadOnlySpan) int {
	n := 400 + len(s.Name()) + len(s.Status().Description) + attributesWeight(s.Attributes())
	for _, e := range s.Events() {
		n += 64 + len(e.Name) + attributesWeight(e.Attributes)
	}
	for _, l := range s.Links() {
		n += 64 + attributesWeight(l.Attributes)
	}
	return n
}

func attributesWeight(attributes []attribute.KeyValue) int {
	n := 0
	for _, a := range attributes {
		n += 64 + len(a.Key)
		switch a.Value.Type() {
		case attribute.STRING:
			n += len(a.Value.AsString())
		case attribute.STRINGSLICE:
			for _, word := range a.Value.AsStringSlice() {
				n += 16 + len(word)
			}
		}
	}
	return n
}
