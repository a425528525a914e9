// Package trouble tells of what a sink loses, at once but not often: a receiver
// that is away fails every record.
package trouble

import (
	"sync"
	"sync/atomic"
	"time"
)

// reportEvery is the least time between two reports.
const reportEvery = time.Minute

// A Report is told how many records were dropped since the last report, and the
// newest error, nil where there was none. It may block.
type Report func(dropped uint64, err error)

// A Teller reports trouble. Rouse and Failed may be called from anywhere and
// never block.
type Teller struct {
	dropped  func() uint64 // since the start
	report   Report
	newest   atomic.Pointer[error]
	waiting  chan struct{} // holds one token while there is something to report
	ended    chan struct{} // closed to end
	told     uint64        // the reporter's own
	reporter sync.WaitGroup
}

// New starts a Teller, which Close ends. Without a report it keeps quiet.
func New(dropped func() uint64, report Report) *Teller {
	t := &Teller{dropped: dropped, report: report, waiting: make(chan struct{}, 1), ended: make(chan struct{})}
	t.reporter.Go(t.run)
	return t
}

// Failed notes an error.
func (t *Teller) Failed(err error) {
	t.newest.Store(&err)
	t.Rouse()
}

// Rouse says that there are more dropped.
func (t *Teller) Rouse() {
	select {
	case t.waiting <- struct{}{}:
	default:
	}
}

// Close tells the rest.
func (t *Teller) Close() {
	close(t.ended)
	t.reporter.Wait()
}

func (t *Teller) run() {
	for {
		select {
		case <-t.waiting:
			t.tell()
		case <-t.ended:
			t.lastWords()
			return
		}
		select {
		case <-time.After(reportEvery):
		case <-t.ended:
			t.lastWords()
			return
		}
	}
}

func (t *Teller) lastWords() {
	select {
	case <-t.waiting:
		t.tell()
	default:
	}
}

func (t *Teller) tell() {
	dropped := t.dropped()
	var newest error
	if err := t.newest.Swap(nil); err != nil {
		newest = *err
	}
	if t.report != nil && (dropped > t.told || newest != nil) {
		t.report(dropped-t.told, newest)
	}
	t.told = dropped
}
