package main

import (
	"context"
	"sync"
	"time"

	"github.com/systole-ha/systole/agent/control"
	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/cmd/systole/board"
)

const (
	topInterval = time.Second            // between two pictures while nothing happens, and between two tries to connect
	topHurry    = 200 * time.Millisecond // between two pictures while something does
	eventsShown = 50                     // more than any screen has lines for
)

// A watcher asks a daemon for its status every second, at once when it reports
// something, and goes on asking while there is no daemon.
type watcher struct {
	client *control.Client
	boards chan board.Board // of one: a newer picture takes the place of one not yet drawn

	mu     sync.Mutex
	events []control.Event // the last ones, oldest first
	news   chan struct{}
	last   board.Board
}

func watch(client *control.Client) *watcher {
	return &watcher{client: client, boards: make(chan board.Board, 1), news: make(chan struct{}, 1)}
}

// run ends with ctx.
func (w *watcher) run(ctx context.Context) {
	var following sync.WaitGroup
	defer following.Wait()
	following.Go(func() { w.follow(ctx) })
	for {
		st, err := w.client.Status(ctx)
		if ctx.Err() != nil {
			return
		}
		w.show(st, err)
		began := time.Now()
		select {
		case <-time.After(topInterval):
		case <-w.news:
			pause(ctx, topHurry-time.Since(began))
		case <-ctx.Done():
			return
		}
	}
}

// show hands a picture over. While the daemon does not answer it is the last
// one, with the reason.
func (w *watcher) show(st control.Status, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err == nil {
		w.last = board.New(st, w.events)
	} else {
		w.last.Problem = board.Clean(err.Error())
	}
	select {
	case <-w.boards:
	default:
	}
	w.boards <- w.last
}

// follow reads the events of one daemon after the other.
func (w *watcher) follow(ctx context.Context) {
	var from place
	for ctx.Err() == nil {
		from = w.read(ctx, from)
		pause(ctx, topInterval)
	}
}

// A place is where in the events of which daemon a reader is.
type place struct {
	generation uint64 // of the daemon: numbers start again with it
	sequence   uint64
}

// read reads events until the stream ends, and says how far it has come.
func (w *watcher) read(ctx context.Context, from place) place {
	stream, err := w.client.Events(ctx, control.Filter{Since: from.sequence, Follow: true, Severity: event.Notice.String()})
	if err != nil {
		return from // the status has the same trouble, and says so
	}
	defer stream.Close()
	if stream.Generation != from.generation && from.sequence > 0 {
		return place{generation: stream.Generation}
	}
	from.generation = stream.Generation
	for {
		item, err := stream.Next()
		if err != nil {
			return from
		}
		if item.Event != nil {
			from.sequence = item.Event.Sequence
			w.note(*item.Event)
		}
	}
}

func (w *watcher) note(e control.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, e)
	if len(w.events) > eventsShown {
		w.events = append(w.events[:0], w.events[len(w.events)-eventsShown:]...)
	}
	select {
	case w.news <- struct{}{}:
	default:
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
