package otlplogs

import (
	"context"
	"math/rand/v2"
	"time"

	sdklog "go.opentelemetry.io/otel/sdk/log"
)

// Run sends one batch after the other until the queue is closed and empty, or
// ctx ends.
func (l *Logs) run(ctx context.Context) {
	defer close(l.done)
	for {
		batch := l.gather(ctx)
		if len(batch) == 0 || !l.send(ctx, batch) {
			return
		}
		l.sending.Store(0)
	}
}

// gather waits for a record, and a moment for more. It is empty at the end.
func (l *Logs) gather(ctx context.Context) []sdklog.Record {
	var batch []sdklog.Record
	enough, cancel := ctx, context.CancelFunc(func() {})
	for len(batch) < batchMost {
		r, err := l.queue.Next(enough)
		if err != nil {
			break
		}
		batch = append(batch, l.maker.record(r))
		l.sending.Store(int64(len(batch)))
		if len(batch) == 1 {
			enough, cancel = context.WithTimeout(ctx, linger)
		}
	}
	cancel()
	return batch
}

// send offers a batch until it is taken, or of no more use. It reports whether
// to go on with the next.
func (l *Logs) send(ctx context.Context, batch []sdklog.Record) bool {
	began, pause := time.Now(), pauseFirst
	for {
		err := l.export(ctx, batch)
		if err == nil {
			return true
		}
		l.trouble.Failed(err)
		if time.Since(began) > keptMost {
			l.lost.Add(uint64(len(batch)))
			return true
		}
		select {
		case <-time.After(pause/2 + rand.N(pause/2)):
		case <-l.closing:
			return false
		case <-ctx.Done():
			return false
		}
		pause = min(2*pause, pauseMost)
	}
}

func (l *Logs) export(ctx context.Context, batch []sdklog.Record) error {
	ctx, cancel := context.WithTimeout(ctx, exportTimeout)
	defer cancel()
	return l.exporter.Export(ctx, batch)
}
