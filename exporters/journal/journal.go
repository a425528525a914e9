// Package journal writes what happens into the systemd journal: one entry for
// each record from severity info up, with a MESSAGE_ID for its kind, a sentence
// for people, and every field of the event for machines. systole.catalog has
// the explanations and next steps that "journalctl -x" shows beside them.
//
// Where there is no journald, records become lines on standard error.
package journal

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	sdjournal "github.com/coreos/go-systemd/v22/journal"

	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/exporters/internal/sentence"
	"github.com/systole-ha/systole/exporters/internal/trouble"
	"github.com/systole-ha/systole/exporters/queue"
)

const (
	// depth is how many records wait for a journald that stands still: twice
	// what the takeover of a hundred resources raises, at about 100 bytes each.
	depth = 1024
	// lookAgain is how long a missing journald is left alone: a restart of it
	// keeps its socket, so that one which is missing is missing for long.
	lookAgain = 10 * time.Second
)

// Config is all optional.
type Config struct {
	// Report is told of trouble, once a minute at most and at the end: how many
	// records were dropped since the last report, and the newest error, nil where
	// journald only was too slow. It runs on a goroutine of the journal's.
	Report func(dropped uint64, err error)
	// Fallback is where lines go while there is no journald; os.Stderr where nil.
	Fallback io.Writer
}

// A Journal is an event.Sink. Record is for the goroutine that owns the core.
type Journal struct {
	cfg     Config
	queue   *queue.Queue
	enabled func() bool
	send    func(message string, priority sdjournal.Priority, fields map[string]string) error
	native  bool      // journald is there; this and the next are the writer's own
	looked  time.Time // for journald, the last time in vain

	unwritten atomic.Uint64 // records that neither journald nor Fallback took
	trouble   *trouble.Teller
	written   chan struct{} // closed when the writer has ended
}

// New starts the writer, which Close ends.
func New(cfg Config) *Journal {
	return start(cfg, sdjournal.Enabled, sdjournal.Send)
}

func start(cfg Config, enabled func() bool, send func(string, sdjournal.Priority, map[string]string) error) *Journal {
	if cfg.Fallback == nil {
		cfg.Fallback = os.Stderr
	}
	j := &Journal{
		cfg: cfg, queue: queue.New(depth), enabled: enabled, send: send,
		written: make(chan struct{}),
	}
	j.trouble = trouble.New(j.Dropped, cfg.Report)
	go j.run()
	return j
}

// Record queues r, unless it is a sample. It never waits: where the queue is
// full, the least important record is dropped and counted.
func (j *Journal) Record(r event.Record) {
	if event.SeverityOf(r.Event) < event.Info {
		return
	}
	if !j.queue.Put(r) {
		j.trouble.Rouse()
	}
}

// Waiting is how many records are not written yet.
func (j *Journal) Waiting() int { return j.queue.Len() }

// Dropped is how many records never were written, since the start.
func (j *Journal) Dropped() uint64 { return j.queue.Dropped() + j.unwritten.Load() }

// Close writes what waits, and ends. Where ctx ends first, a journald that
// takes nothing is left to itself, and what it was not given is lost.
func (j *Journal) Close(ctx context.Context) error {
	j.queue.Close()
	defer j.trouble.Close()
	select {
	case <-j.written:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("journal: %d records were not written: %w", j.queue.Len(), ctx.Err())
	}
}

func (j *Journal) run() {
	defer close(j.written)
	for {
		r, err := j.queue.Next(context.Background())
		if err != nil {
			return
		}
		j.write(r)
	}
}

// write waits for journald as long as that takes: the queue is there for it.
func (j *Journal) write(r event.Record) {
	if j.there() {
		err := j.send(sentence.Of(r), sdjournal.Priority(event.SeverityOf(r.Event).Priority()), fields(r))
		if err == nil {
			return
		}
		j.native, j.looked = false, time.Now()
		j.trouble.Failed(fmt.Errorf("journald: %w", err))
	}
	if _, err := io.WriteString(j.cfg.Fallback, line(r)); err != nil {
		j.unwritten.Add(1)
		j.trouble.Failed(fmt.Errorf("fallback of the journal: %w", err))
	}
}

// there reports whether journald is to be tried. One that is missing is looked
// for again after a while.
func (j *Journal) there() bool {
	if !j.native && time.Since(j.looked) >= lookAgain {
		j.native, j.looked = j.enabled(), time.Now()
	}
	return j.native
}
