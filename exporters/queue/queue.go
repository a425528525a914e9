// Package queue holds records for a sink that may be slow, so that the loop
// never waits for it. What does not fit is dropped, the least important first,
// and counted.
package queue

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/systole-ha/systole/agent/event"
)

// ErrClosed is what Next returns once a closed queue is empty.
var ErrClosed = errors.New("queue closed")

// A Queue keeps records in order. Put is for the loop; Next is for one other
// goroutine; all else may be called from anywhere.
type Queue struct {
	size int
	wake chan struct{} // holds one token while Next may find something new

	mu      sync.Mutex // held for moving records about, never while one is written
	waiting []entry
	dropped uint64
	closed  bool
}

// An entry is a record with its severity, which takes a while to find.
type entry struct {
	record   event.Record
	severity event.Severity
}

// New makes a queue of at most size records, which is at least 1.
func New(size int) *Queue {
	return &Queue{size: size, wake: make(chan struct{}, 1), waiting: make([]entry, 0, size)}
}

// Put adds r. In a full queue the oldest record of the lowest severity makes
// room; where r itself is below all that wait, it is r that is dropped. A
// closed queue drops everything. It reports whether nothing was dropped.
func (q *Queue) Put(r event.Record) bool {
	e := entry{r, event.SeverityOf(r.Event)}
	q.mu.Lock()
	defer q.mu.Unlock()
	before := q.dropped
	q.put(e)
	q.rouse()
	return q.dropped == before
}

func (q *Queue) put(e entry) {
	if q.closed {
		q.dropped++
		return
	}
	if len(q.waiting) == q.size {
		q.dropped++
		least := q.least()
		if e.severity < q.waiting[least].severity {
			return
		}
		q.waiting = slices.Delete(q.waiting, least, least+1)
	}
	q.waiting = append(q.waiting, e)
}

// least is the oldest of the lowest severity that waits.
func (q *Queue) least() int {
	least := 0
	for i, e := range q.waiting {
		if e.severity < q.waiting[least].severity {
			least = i
		}
	}
	return least
}

// Next takes the oldest record, and waits for one where there is none. Its
// error is ErrClosed, or that of ctx.
func (q *Queue) Next(ctx context.Context) (event.Record, error) {
	for {
		r, ok, err := q.take()
		if ok || err != nil {
			return r, err
		}
		select {
		case <-q.wake:
		case <-ctx.Done():
			return event.Record{}, ctx.Err()
		}
	}
}

func (q *Queue) take() (event.Record, bool, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == 0 {
		if q.closed {
			return event.Record{}, false, ErrClosed
		}
		return event.Record{}, false, nil
	}
	r := q.waiting[0].record
	q.waiting = slices.Delete(q.waiting, 0, 1)
	return r, true, nil
}

// Close lets Next empty the queue and then end.
func (q *Queue) Close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.rouse()
}

// Len is how many records wait.
func (q *Queue) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting)
}

// Waiting is a copy of the records that wait, oldest first.
func (q *Queue) Waiting() []event.Record {
	q.mu.Lock()
	defer q.mu.Unlock()
	records := make([]event.Record, len(q.waiting))
	for i, e := range q.waiting {
		records[i] = e.record
	}
	return records
}

// Dropped is how many records were dropped since the start.
func (q *Queue) Dropped() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.dropped
}

func (q *Queue) rouse() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}
