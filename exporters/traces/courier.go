package traces

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/systole-ha/systole/exporters/internal/shelf"
)

// Reasons for which spans are dropped.
const (
	queueFull    = "queue_full"
	exportFailed = "export_failed"
	shutdown     = "shutdown"
)

const (
	// retryFirst and retryMost are how long a collector that failed is left
	// alone before what is kept is offered to it again, at first and at most.
	retryFirst = 15 * time.Second
	retryMost  = 5 * time.Minute
)

// keptFile is where kept incidents outlive the daemon: a line of OTLP JSON for
// each part of one. A Collector's receiver otlpjsonfile reads it too.
const keptFile = "traces.jsonl"

// shelfTime is what the last writing of what is kept may take.
const shelfTime = 250 * time.Millisecond

// A courier brings spans to the collector. What the collector does not take it
// keeps, as long as there is room (see kept), and brings it again after the next
// export that succeeds, or when it has waited for long enough: also what an
// earlier daemon has kept. A collector may so get a span twice, with the same id
// both times.
type courier struct {
	client otlptrace.Client
	report func(error)
	left   func(spans int) // told of spans that have left the batch
	ending context.Context // done when exports are to be cut off
	abort  context.CancelFunc

	one   chan struct{} // holds a token during an export: exporters expect one at a time
	shelf *shelf.Shelf

	mu      sync.Mutex // guards what follows, never held during an export
	kept    kept
	retry   *time.Timer // nil while nothing is kept
	wait    time.Duration
	closed  bool
	sent    uint64
	dropped map[string]uint64
	retries sync.WaitGroup
}

func newCourier(client otlptrace.Client, dir string, report func(error)) *courier {
	c := &courier{
		client: client, report: report, left: func(int) {}, one: make(chan struct{}, 1),
		dropped: map[string]uint64{exportFailed: 0, shutdown: 0},
	}
	c.ending, c.abort = context.WithCancel(context.Background())
	c.shelf = shelf.New(dir, keptFile, c.lines, func(err error) { report(fmt.Errorf("incidents: %w", err)) })
	c.shelf.Load(keptBytes, c.restore)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wakeLater()
	return c
}

// restore keeps what an earlier daemon kept.
func (c *courier) restore(line []byte) error {
	spans, id, count, err := decode(line)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dropped[exportFailed] += uint64(c.kept.add(id, part{spans, count, line}))
	return nil
}

func (c *courier) lines() [][]byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.kept.lines()
}

// wakeLater is called with mu held, when something is kept.
func (c *courier) wakeLater() {
	if c.retry == nil && !c.closed && len(c.kept.incidents) > 0 {
		c.wait = retryFirst
		c.retry = time.AfterFunc(c.wait, c.tryAgain)
	}
}

// ExportSpans is called by the batch. Its errors end here, so that the batch
// has nothing to log.
func (c *courier) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	defer c.left(len(spans))
	converted, err := asOTLP(spans)
	if err == nil {
		err = c.export(ctx, converted, len(spans))
	}
	if err != nil {
		c.report(err)
		c.keep(spans)
		return nil
	}
	c.resend(ctx)
	return nil
}

func (c *courier) export(ctx context.Context, spans []*otlp.ResourceSpans, count int) error {
	c.one <- struct{}{}
	defer func() { <-c.one }()
	ctx, cancel := context.WithTimeout(ctx, exportTimeout)
	defer cancel()
	stop := context.AfterFunc(c.ending, cancel)
	defer stop()
	if err := c.client.UploadTraces(ctx, spans); err != nil {
		return err
	}
	c.mu.Lock()
	c.sent += uint64(count)
	c.mu.Unlock()
	return nil
}

// keep holds what was not taken; what there is no room for is lost, and so are
// late heartbeats: they come in numbers, and would push incidents out.
func (c *courier) keep(spans []sdktrace.ReadOnlySpan) {
	incidents := make([]sdktrace.ReadOnlySpan, 0, len(spans))
	for _, s := range spans {
		if s.Name() != heartbeatLate {
			incidents = append(incidents, s)
		}
	}
	ids, made, lost := parts(incidents)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dropped[exportFailed] += uint64(len(spans) - len(incidents) + lost)
	for i, id := range ids {
		c.dropped[exportFailed] += uint64(c.kept.add(id, made[i]))
	}
	c.shelf.Touch()
	c.wakeLater()
}

// tryAgain offers what is kept where no new span has.
func (c *courier) tryAgain() {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return
	}
	c.retries.Add(1)
	c.mu.Unlock()
	defer c.retries.Done()
	c.resend(context.Background())
	c.mu.Lock()
	defer c.mu.Unlock()
	c.retry = nil
	if !c.closed && len(c.kept.incidents) > 0 {
		c.wait = min(2*c.wait, retryMost)
		c.retry = time.AfterFunc(c.wait, c.tryAgain)
	}
}

// resend offers the incidents that are kept, oldest first, until one is not
// taken.
func (c *courier) resend(ctx context.Context) {
	for {
		c.mu.Lock()
		in, ok := c.kept.take()
		c.mu.Unlock()
		if !ok {
			return
		}
		spans, count := in.spans()
		if err := c.export(ctx, spans, count); err != nil {
			c.report(err)
			c.mu.Lock()
			c.dropped[exportFailed] += uint64(c.kept.putBack(in))
			c.mu.Unlock()
			c.shelf.Touch() // it may have been written without this one
			return
		}
		c.shelf.Touch()
	}
}

// Shutdown is called by the batch when it is empty. What is kept is offered a
// last time.
func (c *courier) Shutdown(ctx context.Context) error {
	c.mu.Lock()
	c.closed = true
	if c.retry != nil {
		c.retry.Stop()
	}
	c.mu.Unlock()
	c.retries.Wait()
	c.resend(ctx)
	onDisk := c.shelf.Close(shelfTime)
	c.mu.Lock()
	if !onDisk {
		c.dropped[shutdown] += uint64(c.kept.count())
	}
	c.kept = kept{}
	c.mu.Unlock()
	err := c.client.Stop(ctx)
	c.abort()
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func (c *courier) stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := Stats{Kept: len(c.kept.incidents), Sent: c.sent, Dropped: map[string]uint64{}}
	for reason, n := range c.dropped {
		s.Dropped[reason] = n
	}
	return s
}
