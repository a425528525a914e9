package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/systole-ha/systole/test/lab/internal/worker"
)

// Resolution is how near to each other two changes in different nodes can be
// and still be told in the wrong order: messages carry no stamp of the kernel's,
// and of two that wait, either may be read first. A planned move takes an
// address from one node and gives it to the other in a third of that.
const Resolution = time.Millisecond

// A Watch reads the kernels' messages about addresses in all nodes at once,
// nodes booted later included. A stamp is taken when the message is read, by a
// process at real-time priority: some 50 µs after the change.
type Watch struct {
	lab     *Lab
	process *worker.Process
	clock   clock

	mu      sync.Mutex
	start   time.Time
	changes []Change
	asked   int // syncs
	synced  int
	ended   error         // why the worker has ended, nil while it runs
	news    chan struct{} // closed at the next change, sync or end
}

// A clock turns instants of another process into ours.
type clock struct {
	zero time.Time     // with its monotonic reading
	mono time.Duration // the same instant on the monotonic clock
}

func newClock() clock { return clock{time.Now(), worker.Now()} }

func (c clock) at(mono time.Duration) time.Time { return c.zero.Add(mono - c.mono) }

// Watch starts a watch. The addresses that are there count as added now.
func (l *Lab) Watch() (*Watch, error) {
	l.watching.Lock()
	defer l.watching.Unlock()
	process, err := worker.Start(worker.Spec{Kind: "watch", Cgroup: l.workers, Params: struct{}{}})
	if err != nil {
		return nil, err
	}
	w := &Watch{lab: l, process: process, clock: newClock(), news: make(chan struct{})}
	w.start = w.clock.zero
	go w.read()
	for _, n := range l.nodes {
		if n.On() {
			err = errors.Join(err, w.add(n))
		}
	}
	if err := errors.Join(err, w.sync()); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	l.watches = append(l.watches, w)
	return w, nil
}

// eachWatch calls fn for the watches there are.
func (l *Lab) eachWatch(fn func(*Watch) error) error {
	l.watching.Lock()
	defer l.watching.Unlock()
	var errs []error
	for _, w := range l.watches {
		errs = append(errs, fn(w))
	}
	return errors.Join(errs...)
}

// Close ends the watch. Its History can still be read.
func (w *Watch) Close() error {
	w.lab.watching.Lock()
	w.lab.watches = slices.DeleteFunc(w.lab.watches, func(other *Watch) bool { return other == w })
	w.lab.watching.Unlock()
	w.process.End()
	for {
		news, ended := w.state()
		if ended != nil {
			return ignoreEOF(ended)
		}
		<-news
	}
}

// History is everything seen up to now. It fails if the watch has missed
// something or ended before its time.
func (w *Watch) History() (History, error) {
	err := w.sync()
	return w.history(), err
}

// Await returns when cond is true of the history, which is looked at after
// every change, or with an error that tells the history when ctx ends.
func (w *Watch) Await(ctx context.Context, what string, cond func(History) bool) (History, error) {
	for {
		news, ended := w.state() // before looking, so that nothing is missed
		h := w.history()
		if cond(h) {
			return h, nil
		}
		if ended != nil {
			return h, fmt.Errorf("waiting for %s: the watch has ended: %w", what, ended)
		}
		select {
		case <-news:
		case <-ctx.Done():
			return h, fmt.Errorf("waiting for %s: %w; seen so far:\n%s", what, ctx.Err(), h)
		}
	}
}

// AwaitHolder returns when the node holds the address, and since when.
func (w *Watch) AwaitHolder(ctx context.Context, address netip.Addr, node string) (time.Time, error) {
	var since time.Time
	_, err := w.Await(ctx, fmt.Sprintf("%s to hold %s", node, address), func(h History) bool {
		for _, held := range h.Holdings(address) {
			if held.Node == node && held.Open {
				since = held.From
				return true
			}
		}
		return false
	})
	return since, err
}

func (w *Watch) state() (news <-chan struct{}, ended error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.news, w.ended
}

func (w *Watch) history() History {
	w.mu.Lock()
	defer w.mu.Unlock()
	h := History{Start: w.start, End: time.Now(), Changes: slices.Clone(w.changes)}
	sortChanges(h.Changes)
	return h
}

// sync returns when everything that changed before the call is in the history.
func (w *Watch) sync() error {
	if _, ended := w.state(); ended != nil {
		return ignoreEOF(ended)
	}
	w.mu.Lock()
	w.asked++
	want := w.asked
	w.mu.Unlock()
	if err := w.process.Send(worker.WatchCommand{Sync: want}); err != nil {
		return err
	}
	for {
		w.mu.Lock()
		synced, ended, news := w.synced, w.ended, w.news
		w.mu.Unlock()
		if synced >= want || ended != nil {
			return ignoreEOF(ended)
		}
		<-news
	}
}

// add watches a node that is about to boot, or that is on.
func (w *Watch) add(n *Node) error {
	w.record(Change{At: time.Now(), Node: n.name, Kind: On})
	return w.process.Send(worker.WatchCommand{Add: n.name, Namespace: "/run/netns/" + n.space()})
}

// off records that a node lost its power, and lets go of its namespace.
func (w *Watch) off(n *Node, at time.Time) error {
	w.record(Change{At: at, Node: n.name, Kind: Off})
	return w.process.Send(worker.WatchCommand{Off: n.name})
}

func (w *Watch) record(c Change) {
	w.tell(func() { w.changes = append(w.changes, c) })
}

// tell changes the state and wakes those who wait for it.
func (w *Watch) tell(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
	close(w.news)
	w.news = make(chan struct{})
}

func (w *Watch) read() {
	for {
		var m worker.WatchMessage
		if err := w.process.Receive(&m); err != nil {
			if failure := w.process.Close(); failure != nil {
				err = failure
			}
			w.tell(func() { w.ended = err })
			return
		}
		if m.Sync != 0 {
			w.tell(func() { w.synced = m.Sync })
			continue
		}
		if m.Waiting {
			continue
		}
		c := Change{At: w.clock.at(m.At), Node: m.Node, Kind: Removed, Prefix: m.Prefix, Device: m.Device}
		if m.Added {
			c.Kind = Added
		}
		w.record(c)
	}
}

func ignoreEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
