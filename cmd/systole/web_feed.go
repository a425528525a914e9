package main

import (
	"context"
	"sync"
	"time"
)

// A feed makes something that many want to see, no more often than once in an
// interval however many ask, and never while nobody does.
type feed[T any] struct {
	interval time.Duration
	limit    time.Duration // of one making
	make     func(context.Context) (T, error)

	mu    sync.Mutex
	last  *making[T] // under way, or over
	begun time.Time  // when last began
}

// A making is one call of make, for all who asked meanwhile.
type making[T any] struct {
	done  chan struct{}
	value T
	err   error
}

// get gives what was made less than an interval ago, or else makes it anew. It
// waits for that no longer than ctx lasts.
func (f *feed[T]) get(ctx context.Context) (T, error) {
	m := f.current(time.Now())
	select {
	case <-m.done:
		return m.value, m.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

// current is the making to wait for. It does not end with the one who was the
// first to ask: others wait for it too.
func (f *feed[T]) current(now time.Time) *making[T] {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.last != nil && (now.Sub(f.begun) < f.interval || f.last.running()) {
		return f.last
	}
	m := &making[T]{done: make(chan struct{})}
	f.last, f.begun = m, now
	go func() {
		defer close(m.done)
		ctx, cancel := context.WithTimeout(context.Background(), f.limit)
		defer cancel()
		m.value, m.err = f.make(ctx)
	}()
	return m
}

func (m *making[T]) running() bool {
	select {
	case <-m.done:
		return false
	default:
		return true
	}
}
