// Package traces turns what happened into OpenTelemetry spans: one trace for
// each takeover, over both nodes, also where they could not talk.
//
// Nothing is traced while it happens. Record copies a record into a bounded
// queue and returns; a goroutine gathers what belongs together and, when a
// takeover or release is over, builds its spans from the times of its events.
// Which trace they belong to the events say. The ids of the spans that the
// other node must be able to name are derived (see id), the rest are random.
//
// Where spans go is said by the standard variables of OpenTelemetry; without
// any of them nothing is gathered and nothing runs. Spans wait in a batch of at
// most 512 and are given 5 s to be taken; what a collector does not take is
// kept, 64 incidents of it, until it does: on disk too, over a restart.
package traces

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/exporters/queue"
)

const (
	// depth is how many records wait for the goroutine that gathers them, which
	// waits for nobody: the takeover of a hundred resources raises about 500.
	depth = 1024
	// spansWaiting bounds the spans that were built and not yet exported: five
	// takeovers of twenty resources.
	spansWaiting = 512
	// exportTimeout is what one export may take.
	exportTimeout = 5 * time.Second
	// scope names us as the maker of the spans.
	scope = "github.com/systole-ha/systole/exporters/traces"
)

// Config says who reports.
type Config struct {
	Cluster    string
	Node       string
	Version    string
	InstanceID string // of this node, stable over restarts
	StateDir   string // where incidents that no collector takes are kept over restarts; empty for nowhere
	// Report is told of errors of the SDK and of exports, one a minute at most;
	// it may be nil. It is called from any goroutine and must not block.
	Report func(error)
}

// Traces is an event.Sink. Record is for the goroutine that owns the core. The
// zero Traces records nothing.
type Traces struct {
	queue    *queue.Queue // nil where there is no exporter
	late     limiter      // of heartbeat.late, Record's own
	courier  *courier
	gate     *gate
	gatherer *gatherer
	gathered chan struct{} // closed when the gatherer has ended
}

// New starts what the environment asks for (see exporter), which Close ends.
// Where it asks for nothing, the Traces records nothing and costs nothing.
func New(cfg Config) (*Traces, error) {
	complaints := newComplaints(cfg.Report)
	client, err := exporterOf(complaints)
	if client == nil || err != nil {
		return &Traces{}, err
	}
	return start(cfg, client, complaints)
}

func start(cfg Config, client otlptrace.Client, complaints *complaints) (*Traces, error) {
	otel.SetErrorHandler(complaints)
	resource, err := resourceOf(cfg)
	if err != nil {
		return &Traces{}, fmt.Errorf("resource of the traces: %w", err)
	}
	t := &Traces{queue: queue.New(depth), gathered: make(chan struct{})}
	t.courier = newCourier(client, cfg.StateDir, complaints.Handle)
	t.gate = newGate(t.courier)
	provider := func(options ...sdktrace.TracerProviderOption) *sdktrace.TracerProvider {
		return sdktrace.NewTracerProvider(append(options,
			sdktrace.WithResource(resource), sdktrace.WithIDGenerator(ids{}), sdktrace.WithSpanProcessor(t.gate))...)
	}
	t.gatherer = &gatherer{
		node: cfg.Node, deaths: map[string]death{}, fencings: map[string]fencing{}, strangers: map[string]bool{},
		links: map[path]turn{}, pings: map[string]event.Record{},
		spans: spans{
			cluster:   cfg.Cluster,
			node:      cfg.Node,
			held:      map[string]trace.SpanContext{},
			incidents: provider(sdktrace.WithSampler(sdktrace.AlwaysSample())).Tracer(scope),
			rest:      provider().Tracer(scope), // OTEL_TRACES_SAMPLER decides
		},
	}
	go t.gather()
	return t, nil
}

// Record queues r where it says something about a trace. It never waits:
// where the queue is full, the least important record is dropped and counted.
func (t *Traces) Record(r event.Record) {
	if t.queue == nil {
		return
	}
	switch r.Event.(type) {
	case event.TakeoverStarted, event.TakeoverPhase, event.TakeoverCompleted, event.TakeoverFailed,
		event.ReleaseStarted, event.ReleaseCompleted, event.GroupStateChanged, event.ResourceOperation,
		event.PeerDead, event.PeerFalseDeath, event.PeerIdentified, event.LinkDown, event.AgentLate,
		event.SplitBrainSuspected, event.SplitBrainCleared, event.MoveRefused, event.OperatorCommand,
		event.FenceStarted, event.FenceAttempted, event.FenceCompleted,
		event.NodeJoined, event.LinkUp, event.PingAnswered, event.ConfigReloaded, event.ConfigReloadFailed:
		t.queue.Put(r)
	case event.HeartbeatLate:
		if t.late.allow(r.Time) {
			t.queue.Put(r)
		}
	}
}

func (t *Traces) gather() {
	defer close(t.gathered)
	for {
		r, err := t.queue.Next(context.Background())
		if err != nil {
			t.gatherer.end()
			return
		}
		t.gatherer.take(r)
	}
}

// Stats is how the traces fare.
type Stats struct {
	Waiting int // records not gathered yet
	Pending int // spans on their way to the exporter
	Kept    int // incidents that no collector has taken so far
	Sent    uint64
	// Dropped counts by reason: "queue_full" records and spans that found no
	// room, "export_failed" spans that were refused and not kept, or not kept
	// any longer, "shutdown" spans that nobody took before the end.
	Dropped map[string]uint64
}

// Enabled reports whether there is an exporter.
func (t *Traces) Enabled() bool { return t.queue != nil }

// Stats may be called from anywhere. All reasons are there from the start.
func (t *Traces) Stats() Stats {
	if t.queue == nil {
		return Stats{Dropped: map[string]uint64{queueFull: 0, exportFailed: 0, shutdown: 0}}
	}
	s := t.courier.stats()
	s.Waiting, s.Pending = t.queue.Len(), int(t.gate.pending.Load())
	s.Dropped[queueFull] = t.queue.Dropped() + t.gate.refused.Load()
	return s
}

// Close builds what is not over yet as it stands, and exports until ctx ends:
// then the export under way is cut off.
func (t *Traces) Close(ctx context.Context) error {
	if t.queue == nil {
		return nil
	}
	stop := context.AfterFunc(ctx, t.courier.abort)
	defer stop()
	t.queue.Close()
	<-t.gathered
	// Not by ctx: abort ends what it would, and nothing is left running.
	err := t.gate.Shutdown(context.WithoutCancel(ctx))
	if lost := t.courier.stats().Dropped[shutdown]; lost > 0 {
		return fmt.Errorf("traces: %d spans were not taken before the end", lost)
	}
	return err
}
