package traces

import (
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// A sink is a collector: it takes spans over HTTP as OTLP says, or does what it
// is told instead.
type sink struct {
	*httptest.Server
	mu       sync.Mutex
	answer   func(http.ResponseWriter, *http.Request) // nil to take them
	got      []seen
	requests int
	changed  chan struct{} // holds one token when anything has come
}

// Seen is one span as it came.
type seen struct {
	*otlp.Span
	resource map[string]string
}

func newSink(t *testing.T) *sink {
	s := &sink{changed: make(chan struct{}, 1)}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Server.Close)
	return s
}

// point lets the next New find the sink, and sends what is built soon.
func (s *sink) point(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", s.URL)
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "10")
}

func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.requests++
	answer := s.answer
	s.mu.Unlock()
	defer func() {
		select {
		case s.changed <- struct{}{}:
		default:
		}
	}()
	if answer != nil {
		answer(w, r)
		return
	}
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		body, _ = gzip.NewReader(r.Body)
	}
	raw, err := io.ReadAll(body)
	var request collector.ExportTraceServiceRequest
	if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(raw, &request) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.take(&request)
	w.Header().Set("Content-Type", "application/x-protobuf")
	w.WriteHeader(http.StatusOK)
}

func (s *sink) take(request *collector.ExportTraceServiceRequest) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, rs := range request.ResourceSpans {
		for _, ss := range rs.ScopeSpans {
			for _, sp := range ss.Spans {
				s.got = append(s.got, seen{sp, texts(rs.Resource.Attributes)})
			}
		}
	}
}

func texts(attributes []*common.KeyValue) map[string]string {
	m := map[string]string{}
	for _, a := range attributes {
		m[a.Key] = a.Value.GetStringValue()
	}
	return m
}

func (s *sink) spans() []seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]seen(nil), s.got...)
}

func (s *sink) become(answer func(http.ResponseWriter, *http.Request)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

// until waits for something to come true, looking whenever anything comes.
func (s *sink) until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	for !holds() {
		select {
		case <-s.changed:
		case <-time.After(5 * time.Millisecond): // the courier's own books come after the answer
		case <-deadline.C:
			t.Fatal("never: " + what)
		}
	}
}

// replay shows each node's part of a stream to Traces of its own, and returns
// what the sink has when all of them are closed.
func replay(t *testing.T, name string) []seen {
	t.Helper()
	s := newSink(t)
	s.point(t)
	for _, node := range []string{"alpha", "beta"} {
		tr := open(t, node)
		for _, r := range stream(t, name) {
			if r.Node == node {
				tr.Record(r)
			}
		}
		closeSoon(t, tr)
		if stats := tr.Stats(); stats.Dropped[queueFull]+stats.Dropped[exportFailed]+stats.Dropped[shutdown] != 0 {
			t.Errorf("dropped %v", stats.Dropped)
		}
	}
	return s.spans()
}

func open(t *testing.T, node string) *Traces {
	t.Helper()
	tr, err := New(Config{Cluster: "sim", Node: node, Version: "1", InstanceID: node + "-id"})
	if err != nil {
		t.Fatal(err)
	}
	if !tr.Enabled() {
		t.Fatal("the environment asks for an exporter and there is none")
	}
	return tr
}

func closeSoon(t *testing.T, tr *Traces) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := tr.Close(ctx); err != nil {
		t.Error(err)
	}
}
