package traces

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"

	"github.com/systole-ha/systole/agent/event"
)

// A backend is an exporter that does as it is told.
type backend struct {
	mu    sync.Mutex
	err   error
	hangs bool
	tries int
	got   []*otlp.ResourceSpans
}

func (b *backend) UploadTraces(ctx context.Context, spans []*otlp.ResourceSpans) error {
	b.mu.Lock()
	b.tries++
	hangs := b.hangs
	b.mu.Unlock()
	if hangs {
		<-ctx.Done()
		return ctx.Err()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == nil {
		b.got = append(b.got, spans...)
	}
	return b.err
}

func (b *backend) Start(context.Context) error { return nil }
func (b *backend) Stop(context.Context) error  { return nil }

func (b *backend) names() (names []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.got {
		for _, scope := range r.ScopeSpans {
			for _, s := range scope.Spans {
				names = append(names, s.Name)
			}
		}
	}
	return names
}

func (b *backend) become(err error, hangs bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.err, b.hangs = err, hangs
}

// begin starts Traces on a backend. It is for bubbles.
func begin(t *testing.T, b *backend, report func(error)) *Traces {
	tr, err := start(Config{Cluster: "sim", Node: "alpha"}, b, newComplaints(report))
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// release is a whole move: two spans, the top and a group.
func release(tr *Traces, id uint64) {
	at := epoch.Add(time.Duration(id) * time.Hour)
	say := func(e event.Event) { tr.Record(event.Record{Time: at, Node: "alpha", Event: e}) }
	say(event.ReleaseStarted{ID: id, Trigger: "cleanup", Groups: []string{"g"}, Trace: fmt.Sprintf("%032x", id)})
	say(event.GroupStateChanged{Group: "g", From: "unknown", To: "stopping"})
	at = at.Add(time.Second)
	say(event.GroupStateChanged{Group: "g", From: "stopping", To: "stopped"})
	say(event.ReleaseCompleted{ID: id, Trigger: "cleanup", Groups: []string{"g"}, Result: "success", Took: time.Second})
}

// TestHangingCollector: the loop does not wait for a collector, whatever it does.
func TestHangingCollector(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &backend{}
		b.become(nil, true)
		tr := begin(t, b, nil)
		for id := range uint64(2000) {
			began := time.Now()
			release(tr, id+1)
			if took := time.Since(began); took != 0 {
				t.Fatalf("Record took %v", took)
			}
			if id%100 == 0 {
				synctest.Wait() // let the gatherer catch up: this is about spans
			}
		}
		synctest.Wait()
		stats := tr.Stats()
		if stats.Pending > spansWaiting {
			t.Errorf("%d spans wait, more than %d", stats.Pending, spansWaiting)
		}
		if stats.Dropped[queueFull] == 0 {
			t.Error("nothing was counted as dropped")
		}
		time.Sleep(time.Hour)
		stats = tr.Stats()
		if stats.Pending != 0 || stats.Kept != keptIncidents {
			t.Errorf("after an hour %d spans are under way and %d incidents kept", stats.Pending, stats.Kept)
		}
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := tr.Close(ctx); err == nil {
			t.Error("Close says nothing of what was lost")
		}
		if took := time.Since(began); took != time.Second {
			t.Errorf("Close took %v, want the second it was given", took)
		}
		if lost := tr.Stats().Dropped[shutdown]; lost != 2*keptIncidents {
			t.Errorf("%d spans lost at the end, want %d", lost, 2*keptIncidents)
		}
	})
}

// TestEverySpanIsAccountedFor: what was built was sent or is counted.
func TestEverySpanIsAccountedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &backend{}
		b.become(errors.New("refused"), false)
		tr := begin(t, b, nil)
		const moves = 100
		for id := range uint64(moves) {
			release(tr, id+1)
			time.Sleep(time.Minute)
		}
		b.become(nil, false)
		release(tr, moves+1)
		time.Sleep(10 * time.Second)
		stats := tr.Stats()
		// The oldest are lost, the newest 64 come with the first that is taken.
		if got, want := stats.Dropped[exportFailed], uint64(2*(moves-keptIncidents)); got != want {
			t.Errorf("%d spans lost, want %d", got, want)
		}
		if got, want := stats.Sent, uint64(2*(keptIncidents+1)); got != want || stats.Kept != 0 || len(b.names()) != int(want) {
			t.Errorf("%d spans sent, %d came, want %d; %d kept", got, len(b.names()), want, stats.Kept)
		}
		if err := tr.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// TestKeptIsOfferedAgain, though nothing new happens.
func TestKeptIsOfferedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &backend{}
		b.become(errors.New("refused"), false)
		tr := begin(t, b, nil)
		release(tr, 1)
		time.Sleep(10 * time.Minute)
		b.mu.Lock()
		tries := b.tries
		b.mu.Unlock()
		// at 5 s, then after 15, 30, 60, 120, 240 s
		if tries != 6 {
			t.Errorf("a dead collector was tried %d times in ten minutes, want 6", tries)
		}
		b.become(nil, false)
		time.Sleep(retryMost)
		if got, want := b.names(), []string{"release", "group"}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		if err := tr.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestLateHeartbeatsPushNoIncidentOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &backend{}
		b.become(errors.New("refused"), false)
		tr := begin(t, b, nil)
		release(tr, 1)
		for second := range 200 {
			tr.Record(event.Record{Time: epoch.Add(time.Duration(second) * time.Second), Event: event.HeartbeatLate{Peer: "beta"}})
		}
		time.Sleep(time.Minute)
		if stats := tr.Stats(); stats.Kept != 1 || stats.Dropped[exportFailed] != 200 {
			t.Errorf("%d kept, %v dropped; want 1 incident and 200 late heartbeats", stats.Kept, stats.Dropped)
		}
		b.become(nil, false)
		if err := tr.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestErrorsAreReportedOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reported []string
		c := newComplaints(func(err error) { reported = append(reported, err.Error()) })
		for range 3 {
			for range 60 {
				c.Handle(errors.New("refused"))
				time.Sleep(time.Second)
			}
		}
		want := []string{"refused", "refused (and 59 errors before it)", "refused (and 59 errors before it)"}
		if !slices.Equal(reported, want) {
			t.Errorf("\n got %q\nwant %q", reported, want)
		}
	})
}

// TestKeptHasABound of 1 MiB, whatever one incident is made of.
func TestKeptHasABound(t *testing.T) {
	var k kept
	lost := 0
	for i := range 40 {
		stub := tracetest.SpanStub{
			Name:        "takeover",
			SpanContext: span(trace.TraceID{byte(i + 1)}, trace.SpanID{1}),
			Attributes:  []attribute.KeyValue{attribute.String("systole.error", strings.Repeat("x", 100_000))},
		}
		ids, made, none := parts([]sdktrace.ReadOnlySpan{stub.Snapshot()})
		lost += none + k.add(ids[0], made[0])
	}
	if k.bytes > keptBytes || lost != 30 || len(k.incidents) != 10 {
		t.Errorf("%d bytes of %d incidents, %d lost; want 10 of 100 kB", k.bytes, len(k.incidents), lost)
	}
	for range 10 {
		k.take()
	}
	if _, ok := k.take(); ok || k.bytes != 0 {
		t.Errorf("empty, it holds %d bytes", k.bytes)
	}
}

// TestCollectorsThatDoNotTake are real ones, over HTTP: what they did not take
// comes when they do.
func TestCollectorsThatDoNotTake(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"refuses":            func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) },
		"has too much to do": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) },
		"is broken":          func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"hangs up": func(w http.ResponseWriter, _ *http.Request) {
			if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
				c.Close()
			}
		},
		"hangs": func(_ http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body) // else the server does not see the client go
			<-r.Context().Done()
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSink(t)
			s.point(t)
			s.become(answer)
			if name == "hangs" {
				t.Setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "50")
			}
			tr := open(t, "alpha")
			release(tr, 1)
			s.until(t, "the first incident is kept", func() bool { return tr.Stats().Kept == 1 })
			s.become(nil)
			release(tr, 2)
			s.until(t, "both incidents come", func() bool { return len(s.spans()) == 4 })
			closeSoon(t, tr)
			if stats := tr.Stats(); stats.Sent != 4 || stats.Kept != 0 {
				t.Errorf("%+v", stats)
			}
		})
	}
}

// TestWhatTheEnvironmentAsksFor is an exporter only where it says so.
func TestWhatTheEnvironmentAsksFor(t *testing.T) {
	for _, tt := range []struct {
		name        string
		environment map[string]string
		enabled     bool
		err         error
	}{
		{name: "nothing set: no exporter"},
		{name: "an endpoint", environment: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://192.0.2.1:4318"}, enabled: true},
		{name: "an endpoint of traces", environment: map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://192.0.2.1:4318/v1/traces"}, enabled: true},
		{name: "an exporter by name, at its default endpoint", environment: map[string]string{"OTEL_TRACES_EXPORTER": "otlp"}, enabled: true},
		{name: "none, though there is an endpoint", environment: map[string]string{"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://192.0.2.1:4318"}},
		{name: "disabled", environment: map[string]string{"OTEL_SDK_DISABLED": "TRUE", "OTEL_TRACES_EXPORTER": "otlp"}},
		{name: "gRPC", environment: map[string]string{"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, enabled: true},
		{name: "one we do not have", environment: map[string]string{"OTEL_TRACES_EXPORTER": "zipkin"}, err: ErrExporter},
		{name: "a protocol we do not have", environment: map[string]string{"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"}, err: ErrExporter},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for name, value := range tt.environment {
				t.Setenv(name, value)
			}
			tr, err := New(Config{Node: "alpha"})
			if tr.Enabled() != tt.enabled || !errors.Is(err, tt.err) {
				t.Errorf("enabled %v, error %v; want %v, %v", tr.Enabled(), err, tt.enabled, tt.err)
			}
			tr.Record(event.Record{Event: event.HeartbeatLate{}}) // must not panic where disabled
			if !tt.enabled && len(tr.Stats().Dropped) != 3 {
				t.Errorf("reasons %v, want three", tr.Stats().Dropped)
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			tr.Close(ctx)
		})
	}
}

// TestPasswordsAreNotReported: the SDK logs what it cannot read.
func TestPasswordsAreNotReported(t *testing.T) {
	t.Setenv("OTEL_TRACES_EXPORTER", "otlp")
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "Bearer hunter2")
	var reported []error
	tr, err := New(Config{Node: "alpha", Report: func(err error) { reported = append(reported, err) }})
	if err != nil {
		t.Fatal(err)
	}
	closeSoon(t, tr)
	if len(reported) != 1 || strings.Contains(reported[0].Error(), "hunter2") {
		t.Errorf("reported %v", reported)
	}
	otel.Handle(errors.New("of the SDK"))
	if len(reported) != 1 {
		t.Errorf("reported %v within a minute", reported)
	}
}

// A grpcSink takes spans over gRPC.
type grpcSink struct {
	collector.UnimplementedTraceServiceServer
	*sink
}

func (s grpcSink) Export(_ context.Context, request *collector.ExportTraceServiceRequest) (*collector.ExportTraceServiceResponse, error) {
	s.take(request)
	return &collector.ExportTraceServiceResponse{}, nil
}

func TestOverGRPC(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpcSink{sink: newSink(t)}
	server := grpc.NewServer()
	collector.RegisterTraceServiceServer(server, s)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+listener.Addr().String())
	t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
	tr := open(t, "alpha")
	release(tr, 1)
	closeSoon(t, tr)
	server.Stop()
	<-served
	if got := len(s.spans()); got != 2 {
		t.Errorf("%d spans came, want 2", got)
	}
}

// BenchmarkRecord is what a takeover pays for its trace, with a collector that
// hangs.
func BenchmarkRecord(b *testing.B) {
	back := &backend{hangs: true}
	tr, err := start(Config{Node: "alpha"}, back, newComplaints(nil))
	if err != nil {
		b.Fatal(err)
	}
	r := event.Record{Time: epoch, Event: event.GroupStateChanged{Group: "g", To: "starting"}}
	b.ReportAllocs()
	for b.Loop() {
		tr.Record(r)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	tr.Close(ctx)
}
