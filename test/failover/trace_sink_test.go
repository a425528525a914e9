package failover

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/systole-ha/systole/test/lab"
)

// collectorAddress is where the client listens for spans, on the network of the
// services: a node that is cut off from it keeps its spans until it is not.
const collectorAddress = "192.0.2.100:4318"

// A traceSink is an OpenTelemetry collector on the client.
type traceSink struct {
	mu    sync.Mutex
	spans []traced
}

// A traced is one span as it came.
type traced struct {
	*otlp.Span
	node string
}

// collectTraces starts a collector, and tells the daemons of both nodes, when
// they start, to send it what they have at once.
func (p *pair) collectTraces() *traceSink {
	p.t.Helper()
	s := &traceSink{}
	listener, err := p.lab.Client().Listen(soon(p.t), "tcp", collectorAddress)
	must(p.t, err)
	server := &http.Server{Handler: s}
	p.t.Cleanup(func() { _ = server.Close() })
	go func() { _ = server.Serve(listener) }()
	for _, n := range p.nodes() {
		must(p.t, n.WriteFile("/etc/systemd/system/systole.service.d/traces.conf", []byte(
			"[Service]\nEnvironment=OTEL_EXPORTER_OTLP_ENDPOINT=http://"+collectorAddress+" OTEL_BSP_SCHEDULE_DELAY=50 OTEL_EXPORTER_OTLP_TIMEOUT=500\nRestart=no\n"), 0o644))
	}
	return s
}

func (s *traceSink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		body, _ = gzip.NewReader(r.Body)
	}
	raw, err := io.ReadAll(body)
	var request collector.ExportTraceServiceRequest
	if err != nil || proto.Unmarshal(raw, &request) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, rs := range request.ResourceSpans {
		for _, ss := range rs.ScopeSpans {
			for _, span := range ss.Spans {
				s.take(traced{span, textOf(rs.Resource.Attributes, "host.name")})
			}
		}
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
}

// take keeps a span once: one whose answer was lost comes again.
func (s *traceSink) take(span traced) {
	again := func(other traced) bool {
		return string(other.SpanId) == string(span.SpanId) && string(other.TraceId) == string(span.TraceId)
	}
	if !slices.ContainsFunc(s.spans, again) {
		s.spans = append(s.spans, span)
	}
}

func textOf(attributes []*common.KeyValue, key string) string {
	for _, a := range attributes {
		if a.Key == key {
			return a.Value.GetStringValue()
		}
	}
	return ""
}

// shows waits until a trace is the tree that is wanted.
func (s *traceSink) shows(t *testing.T, trace, want string) {
	t.Helper()
	s.await(t, trace, want, func(got string) bool { return got == want })
}

// begins waits until a trace's first root is the one that is wanted.
func (s *traceSink) begins(t *testing.T, trace, want string) {
	t.Helper()
	s.await(t, trace, want, func(got string) bool { return strings.HasPrefix(got, want) })
}

func (s *traceSink) await(t *testing.T, trace, want string, is func(got string) bool) {
	t.Helper()
	err := lab.WaitFor(soon(t), "the tree of trace "+trace, func(context.Context) error {
		if got := s.draw(trace); !is(got) {
			return fmt.Errorf("it is\n%swant\n%s", got, want)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// draw shows a trace as a tree, siblings in the order of the alphabet; such as
// are alike, as repeated announcements are, once.
func (s *traceSink) draw(trace string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	in := slices.DeleteFunc(slices.Clone(s.spans), func(span traced) bool { return fmt.Sprintf("%x", span.TraceId) != trace })
	var b strings.Builder
	orphan := func(span traced) bool {
		return !slices.ContainsFunc(in, func(other traced) bool { return string(other.SpanId) == string(span.ParentSpanId) })
	}
	s.branch(&b, in, orphan, "")
	return b.String()
}

func (s *traceSink) branch(b *strings.Builder, in []traced, belongs func(traced) bool, indent string) {
	var drawn []string
	for _, span := range in {
		if !belongs(span) {
			continue
		}
		var below strings.Builder
		s.branch(&below, in, func(child traced) bool { return string(child.ParentSpanId) == string(span.SpanId) }, indent+"  ")
		drawn = append(drawn, indent+s.line(span)+"\n"+below.String())
	}
	slices.Sort(drawn)
	for _, text := range slices.Compact(drawn) {
		b.WriteString(text)
	}
}

// line is one span: who, what, what came of it, its part in a hand-over, and
// what it is linked to.
func (s *traceSink) line(span traced) string {
	words := []string{span.node, span.Name}
	for _, key := range []string{"systole.trigger", "systole.result", "systole.resource"} {
		if v := textOf(span.Attributes, key); v != "" {
			words = append(words, v)
		}
	}
	switch span.Kind {
	case otlp.Span_SPAN_KIND_PRODUCER:
		words = append(words, "producer")
	case otlp.Span_SPAN_KIND_CONSUMER:
		words = append(words, "consumer")
	}
	if span.Status.GetCode() == otlp.Status_STATUS_CODE_ERROR {
		words = append(words, "ERROR")
	}
	if len(span.ParentSpanId) > 0 && !s.knows(span.TraceId, span.ParentSpanId) {
		words = append(words, "(parent missing)")
	}
	for _, l := range span.Links {
		words = append(words, "-> "+s.named(l))
	}
	return strings.Join(words, " ")
}

func (s *traceSink) knows(trace, id []byte) bool {
	return slices.ContainsFunc(s.spans, func(other traced) bool {
		return string(other.SpanId) == string(id) && string(other.TraceId) == string(trace)
	})
}

func (s *traceSink) named(l *otlp.Span_Link) string {
	for _, other := range s.spans {
		if string(other.SpanId) == string(l.SpanId) && string(other.TraceId) == string(l.TraceId) {
			return other.node + " " + other.Name
		}
	}
	return "nobody"
}
