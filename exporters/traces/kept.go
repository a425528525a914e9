package traces

import (
	"slices"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
)

const (
	// keptIncidents and keptBytes bound what is kept for a collector that does
	// not answer: months of incidents of a cluster that is well.
	keptIncidents = 64
	keptBytes     = 1 << 20 // of OTLP JSON
)

// Kept is what no collector has taken, by trace, the oldest first.
type kept struct {
	incidents []undelivered
	bytes     int
}

// Undelivered is what is kept of one trace, in parts as they came.
type undelivered struct {
	trace trace.TraceID
	parts []part
}

// A part is some spans of one trace, also as a line of OTLP JSON.
type part struct {
	spans []*otlp.ResourceSpans
	count int
	line  []byte
}

func (in undelivered) spans() (all []*otlp.ResourceSpans, count int) {
	for _, p := range in.parts {
		all, count = append(all, p.spans...), count+p.count
	}
	return all, count
}

func (in undelivered) bytes() (n int) {
	for _, p := range in.parts {
		n += len(p.line)
	}
	return n
}

// parts sorts spans by trace, in the order in which they came. Lost are those
// that no line can be made of.
func parts(spans []sdktrace.ReadOnlySpan) (ids []trace.TraceID, made []part, lost int) {
	byTrace := map[trace.TraceID][]sdktrace.ReadOnlySpan{}
	for _, s := range spans {
		id := s.SpanContext().TraceID()
		if byTrace[id] == nil {
			ids = append(ids, id)
		}
		byTrace[id] = append(byTrace[id], s)
	}
	known := ids[:0]
	for _, id := range ids {
		converted, err := asOTLP(byTrace[id])
		if err != nil {
			lost += len(byTrace[id])
			continue
		}
		line, err := encode(converted)
		if err != nil {
			lost += len(byTrace[id])
			continue
		}
		known, made = append(known, id), append(made, part{converted, len(byTrace[id]), line})
	}
	return known, made, lost
}

// add keeps a part and returns how many spans there is no room for any more:
// those of the oldest traces.
func (k *kept) add(id trace.TraceID, p part) (lost int) {
	i := slices.IndexFunc(k.incidents, func(in undelivered) bool { return in.trace == id })
	if i < 0 {
		i = len(k.incidents)
		k.incidents = append(k.incidents, undelivered{trace: id})
	}
	k.incidents[i].parts = append(k.incidents[i].parts, p)
	k.bytes += len(p.line)
	return k.shrink()
}

// take removes the oldest.
func (k *kept) take() (undelivered, bool) {
	if len(k.incidents) == 0 {
		return undelivered{}, false
	}
	in := k.incidents[0]
	k.incidents = slices.Delete(k.incidents, 0, 1)
	k.bytes -= in.bytes()
	return in, true
}

// putBack is the undoing of take.
func (k *kept) putBack(in undelivered) (lost int) {
	k.incidents = slices.Insert(k.incidents, 0, in)
	k.bytes += in.bytes()
	return k.shrink()
}

func (k *kept) shrink() (lost int) {
	for len(k.incidents) > keptIncidents || k.bytes > keptBytes {
		in, _ := k.take()
		_, count := in.spans()
		lost += count
	}
	return lost
}

// count is how many spans there are.
func (k *kept) count() (n int) {
	for _, in := range k.incidents {
		_, count := in.spans()
		n += count
	}
	return n
}

// lines are all of it, a part a line.
func (k *kept) lines() (all [][]byte) {
	for _, in := range k.incidents {
		for _, p := range in.parts {
			all = append(all, p.line)
		}
	}
	return all
}
