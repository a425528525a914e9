package otlplogs

import (
	"compress/gzip"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel"
	service "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	otlp "go.opentelemetry.io/proto/otlp/logs/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/exporters/internal/topspan"
)

// A sink is a collector that takes log records by HTTP and by gRPC.
type sink struct {
	service.UnimplementedLogsServiceServer
	taken chan *service.ExportLogsServiceRequest
}

func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		body, _ = gzip.NewReader(r.Body)
	}
	raw, err := io.ReadAll(body)
	var request service.ExportLogsServiceRequest
	if err != nil || r.URL.Path != "/v1/logs" || proto.Unmarshal(raw, &request) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.taken <- &request
	w.Header().Set("Content-Type", "application/x-protobuf")
}

func (s *sink) Export(_ context.Context, request *service.ExportLogsServiceRequest) (*service.ExportLogsServiceResponse, error) {
	s.taken <- request
	return &service.ExportLogsServiceResponse{}, nil
}

// serve starts a sink and points the environment at it.
func serve(t *testing.T, protocol string) *sink {
	s := &sink{taken: make(chan *service.ExportLogsServiceRequest, 10)}
	t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
	if protocol != "grpc" {
		server := httptest.NewServer(s)
		t.Cleanup(server.Close)
		t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.URL)
		return s
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	service.RegisterLogsServiceServer(server, s)
	go server.Serve(listener)
	t.Cleanup(server.Stop)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+listener.Addr().String())
	return s
}

// TestWire sends one record by each protocol, and reads what came.
func TestWire(t *testing.T) {
	at := time.Date(2026, 11, 21, 12, 0, 0, 123456789, time.UTC)
	dead := event.Record{Sequence: 42, Time: at, Cluster: "web", Node: "beta", Event: event.PeerDead{
		Peer: "alpha", LastHeard: at.Add(-2 * time.Second), Silence: 2 * time.Second, Deadtime: 2 * time.Second, Sequence: 73,
		Trace: "0af7651916cd43dd8448eb211c80319c",
	}}
	place, _ := topspan.Of(dead)
	for _, protocol := range []string{"http/protobuf", "grpc"} {
		t.Run(protocol, func(t *testing.T) {
			s := serve(t, protocol)
			l, err := New(reporter)
			if err != nil || l == nil {
				t.Fatalf("New = %v, %v", l, err)
			}
			l.Record(dead)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			if err := l.Close(ctx); err != nil {
				t.Fatal(err)
			}
			logs := (<-s.taken).ResourceLogs[0]
			if who := texts(logs.Resource.Attributes); who["service.name"] != "systole" || who["service.namespace"] != "web" || who["service.instance.id"] != "a1a0" || who["host.name"] != "beta" {
				t.Errorf("resource %v", who)
			}
			got := logs.ScopeLogs[0].LogRecords[0]
			if got.EventName != "peer.dead" || got.SeverityNumber != otlp.SeverityNumber_SEVERITY_NUMBER_ERROR2 || got.SeverityText != "critical" ||
				got.TimeUnixNano != uint64(at.UnixNano()) || got.Body.GetStringValue() != "peer alpha is dead: silent for 2s, deadtime 2s" {
				t.Errorf("record %v", got)
			}
			if id := "00-" + hex.EncodeToString(got.TraceId) + "-" + hex.EncodeToString(got.SpanId) + "-01"; id != place.Traceparent() {
				t.Errorf("place %s, want %s", id, place.Traceparent())
			}
			want := map[string]string{
				"systole.cluster": "web", "systole.node": "beta", "systole.sequence": "42", "systole.peer": "alpha", "systole.peer_sequence": "73",
				"systole.last_heard": "2026-11-21T11:59:58.123456789Z", "systole.silence": "2", "systole.deadtime": "2",
			}
			if told := texts(got.Attributes); !maps.Equal(told, want) {
				t.Errorf("attributes\n got %v\nwant %v", told, want)
			}
		})
	}
}

func texts(attributes []*common.KeyValue) map[string]string {
	m := map[string]string{}
	for _, a := range attributes {
		switch v := a.Value.Value.(type) {
		case *common.AnyValue_StringValue:
			m[a.Key] = v.StringValue
		case *common.AnyValue_IntValue:
			m[a.Key] = fmt.Sprint(v.IntValue)
		case *common.AnyValue_DoubleValue:
			m[a.Key] = fmt.Sprint(v.DoubleValue)
		default:
			m[a.Key] = fmt.Sprint(v)
		}
	}
	return m
}

// TestEveryKindIsARecord: none has a field that is told by its name twice.
func TestEveryKindIsARecord(t *testing.T) {
	l := open(t, &receiver{}, nil)
	defer end(t, l)
	for _, entry := range event.Catalogue {
		r := event.Record{Sequence: 1, Time: time.Now(), Cluster: "web", Node: "beta", Event: entry.Event}
		seen := map[string]bool{}
		for _, a := range attributes(r) {
			if seen[string(a.Key)] {
				t.Errorf("%s has %s twice", entry.Event.Kind(), a.Key)
			}
			seen[string(a.Key)] = true
		}
		if made := l.maker.record(r); made.EventName() != entry.Event.Kind() || made.Body().AsString() == "" || entry.Severity > event.Sample && made.Severity() == 0 {
			t.Errorf("%s became %v", entry.Event.Kind(), made)
		}
	}
}

func TestNothingAskedForNothingRuns(t *testing.T) {
	if l, err := New(reporter); l != nil || err != nil {
		t.Errorf("New = %v, %v", l, err)
	}
}

// TestPasswordsAreNotReported: the SDK logs what it cannot read.
func TestPasswordsAreNotReported(t *testing.T) {
	t.Setenv("OTEL_LOGS_EXPORTER", "otlp")
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "Bearer hunter2")
	var reported []error
	cfg := telling(func(_ uint64, err error) { reported = append(reported, err) })
	cfg.SDK = true
	l, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	end(t, l)
	if len(reported) != 1 || !strings.Contains(reported[0].Error(), "OTEL_EXPORTER_OTLP_HEADERS") || strings.Contains(reported[0].Error(), "hunter2") {
		t.Errorf("reported %v", reported)
	}
	otel.Handle(fmt.Errorf("of the SDK"))
	if len(reported) != 1 {
		t.Errorf("reported %v within a minute", reported)
	}
}
