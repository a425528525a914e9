// Package otlplogs sends events to an OpenTelemetry collector, each as a log
// record with the kind as its event name, the sentence of the journal as its
// body, and the ids of its trace and span where it belongs to an incident.
//
// Where records go is said by the standard variables of OpenTelemetry; without
// any of them nothing is exported and nothing runs. Record copies into a bounded
// queue and returns; one goroutine sends what is there in batches. A batch that
// is not taken is sent again; meanwhile the queue drops the oldest of the least
// severity.
package otlplogs

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
	sdklog "go.opentelemetry.io/otel/sdk/log"

	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/exporters/internal/collector"
	"github.com/systole-ha/systole/exporters/internal/trouble"
	"github.com/systole-ha/systole/exporters/queue"
)

const (
	// depth is how many records wait for a collector that stands still: twice
	// what the takeover of a hundred resources raises.
	depth = 1024
	// batchMost bounds one request, and linger is how long the first of a batch
	// waits for others: a takeover of a second makes one request or two.
	batchMost = 128
	linger    = time.Second
	// exportTimeout is what one request may take.
	exportTimeout = 5 * time.Second
	// pauseFirst and pauseMost are how long a collector that failed is left
	// alone, at first and at most.
	pauseFirst = time.Second
	pauseMost  = time.Minute
	// keptMost is how long a batch is offered. One that a collector can never
	// take must not keep the others back for ever.
	keptMost = time.Hour
	// scope names us as the maker of the records.
	scope = "github.com/systole-ha/systole/exporters/otlplogs"
)

// Config says who reports.
type Config struct {
	Cluster    string
	Node       string
	Version    string
	InstanceID string // of this node, stable over restarts
	// Report is told of trouble, once a minute at most and at the end: how many
	// records were dropped since the last report, and the newest error. It runs
	// on a goroutine of this package's.
	Report func(dropped uint64, err error)
	// SDK is true where nobody else listens to the complaints of OpenTelemetry's
	// SDK, of which a process has one listener.
	SDK bool
}

// An exporter sends log records: those of OpenTelemetry, which are not stable
// yet, or a test's.
type exporter interface {
	Export(ctx context.Context, records []sdklog.Record) error
	Shutdown(ctx context.Context) error
}

// Logs is an event.Sink. Record is for the goroutine that owns the core, the
// rest may be called from anywhere.
type Logs struct {
	queue    *queue.Queue
	exporter exporter
	maker    *maker
	trouble  *trouble.Teller
	sending  atomic.Int64  // records of the batch at hand
	lost     atomic.Uint64 // records that were given up
	closing  chan struct{} // closed when nothing is to be waited for any more
	done     chan struct{} // closed when run has ended
	abort    context.CancelFunc
}

// New starts what the environment asks for, which Close ends. It is nil where
// the environment asks for nothing.
func New(cfg Config) (*Logs, error) {
	protocol, err := collector.Protocol("LOGS")
	if protocol == "" || err != nil {
		return nil, err
	}
	if cfg.SDK {
		complaints := collector.NewComplaints(func(err error) {
			if cfg.Report != nil {
				cfg.Report(0, err)
			}
		})
		otel.SetErrorHandler(complaints)
		otel.SetLogger(logr.New(complaints))
	}
	exporter, err := exporterOf(protocol)
	if err != nil {
		return nil, err
	}
	return start(cfg, exporter)
}

func start(cfg Config, exporter exporter) (*Logs, error) {
	resource, err := collector.Resource(collector.Identity{Cluster: cfg.Cluster, Node: cfg.Node, Version: cfg.Version, InstanceID: cfg.InstanceID})
	if err != nil {
		return nil, fmt.Errorf("resource of the log records: %w", err)
	}
	l := &Logs{
		queue: queue.New(depth), exporter: exporter, maker: newMaker(resource),
		closing: make(chan struct{}), done: make(chan struct{}),
	}
	l.trouble = trouble.New(l.Dropped, cfg.Report)
	var ctx context.Context
	ctx, l.abort = context.WithCancel(context.Background())
	go l.run(ctx)
	return l, nil
}

// Record queues r, unless it is a sample. It never waits.
func (l *Logs) Record(r event.Record) {
	if event.SeverityOf(r.Event) >= event.Info && !l.queue.Put(r) {
		l.trouble.Rouse()
	}
}

// Waiting is how many records no collector has taken yet.
func (l *Logs) Waiting() int { return l.queue.Len() + int(l.sending.Load()) }

// Dropped is how many never were taken, since the start.
func (l *Logs) Dropped() uint64 { return l.queue.Dropped() + l.lost.Load() }

// Close sends what waits, until ctx ends or a request fails.
func (l *Logs) Close(ctx context.Context) error {
	defer l.abort()
	defer context.AfterFunc(ctx, l.abort)()
	l.queue.Close()
	close(l.closing)
	<-l.done
	lost := l.Waiting()
	l.lost.Add(uint64(lost))
	l.trouble.Close()
	err := l.exporter.Shutdown(ctx)
	if lost > 0 {
		return fmt.Errorf("otlp logs: %d records were not taken before the end", lost)
	}
	return err
}
