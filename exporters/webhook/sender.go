package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/systole-ha/systole/exporters/internal/shelf"
	"github.com/systole-ha/systole/exporters/internal/trouble"
	"github.com/systole-ha/systole/exporters/queue"
)

const (
	// backoffFirst and backoffMost are the longest pauses before a post is tried
	// again, at first and at most; each is twice the one before.
	backoffFirst = time.Second
	backoffMost  = time.Minute
	// retryAfterMost bounds what an endpoint may ask for: a mistake of a day
	// would be a day without events.
	retryAfterMost = 10 * time.Minute
	// answersMost is how often a receiver may answer that it cannot take this
	// event, before the next one has its turn: a quarter of an hour.
	answersMost = 20
	// answerRead bounds what is read of an answer, so that its connection can
	// serve again.
	answerRead = 4096
	// saveTimeout is how long Close waits for the disk: one that takes longer may
	// never come back, and the daemon has to end.
	saveTimeout = time.Second
)

// A sender posts to one endpoint.
type sender struct {
	endpoint  Endpoint
	origin    origin
	userAgent string
	client    *http.Client
	queue     *queue.Queue
	trouble   *trouble.Teller
	shelf     *shelf.Shelf
	results   results
	lost      atomic.Uint64 // posts that Close gave up
	closing   chan struct{} // closed when nothing is to be waited for any more
	done      chan struct{} // closed when run has ended

	mu      sync.Mutex // held for a few assignments
	pending []post     // out of the queue, or of the last run, and not delivered
}

// Run delivers one event after the other, those of the last run first, until the
// queue is closed and empty, or ctx ends.
func (s *sender) run(ctx context.Context) {
	defer close(s.done)
	for {
		p, err := s.next(ctx)
		if err != nil || !s.deliver(ctx, p) {
			return
		}
		s.mu.Lock()
		s.pending = s.pending[1:]
		s.mu.Unlock()
		s.shelf.Touch()
	}
}

// next is the oldest post, which stays among those that wait.
func (s *sender) next(ctx context.Context) (post, error) {
	if s.countPending() == 0 { // only this goroutine adds to them
		r, err := s.queue.Next(ctx)
		if err != nil {
			return post{}, err
		}
		s.mu.Lock()
		s.pending = append(s.pending, s.origin.post(r))
		s.mu.Unlock()
		s.shelf.Touch()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pending[0], nil
}

// deliver posts p until that is of no more use. It reports whether to go on
// with the next.
func (s *sender) deliver(ctx context.Context, p post) bool {
	pause := backoffFirst
	for answers := 0; ; {
		a := s.post(ctx, p.ID, p.Body)
		if a.countable {
			answers++
		}
		switch {
		case a.err == nil:
			s.results.ok.Add(1)
			return true
		case a.final || answers == answersMost:
			s.results.givenUp.Add(1)
			s.trouble.Failed(fmt.Errorf("%s (%s) given up: %w", p.Kind, p.ID, a.err))
			return true
		}
		s.trouble.Failed(a.err)
		s.shelf.Touch() // for the disk that was full the last time
		if !s.sleep(ctx, max(a.after, pause/2+rand.N(pause/2))) {
			return false
		}
		s.results.retried.Add(1)
		pause = min(2*pause, backoffMost)
	}
}

// sleep reports whether it may go on: not when the sender is to end.
func (s *sender) sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-s.closing:
		return false
	case <-ctx.Done():
		return false
	}
}

// An answer is what came of one post.
type answer struct {
	err       error         // nil: delivered
	final     bool          // it would be refused again
	countable bool          // the receiver itself could not take it
	after     time.Duration // when to try again; 0 where it did not say
}

func (s *sender) post(ctx context.Context, id string, body []byte) answer {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.endpoint.URL, bytes.NewReader(body))
	if err != nil {
		return answer{err: withoutURL(err), final: true}
	}
	request.Header.Set("Content-Type", contentType)
	if s.userAgent != "" {
		request.Header.Set("User-Agent", s.userAgent)
	}
	sign(request.Header, s.endpoint.Secrets, id, time.Now(), body)
	response, err := s.client.Do(request)
	if err != nil {
		return answer{err: withoutURL(err)}
	}
	defer response.Body.Close()
	io.CopyN(io.Discard, response.Body, answerRead)
	return judge(response)
}

// judge says what an answer means. Those of a proxy (502, 503, 504) say nothing
// about the event.
func judge(response *http.Response) answer {
	code := response.StatusCode
	a := answer{err: errors.New("it answers " + response.Status)}
	switch {
	case code >= 200 && code < 300:
		return answer{}
	case code == http.StatusRequestTimeout:
	case code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable:
		a.after = retryAfter(response.Header.Get("Retry-After"))
	case code == http.StatusBadGateway || code == http.StatusGatewayTimeout:
	case code >= 400 && code < 500:
		a.final = true
	default:
		a.countable = true
	}
	return a
}

// retryAfter reads seconds or a date (RFC 9110, section 10.2.3).
func retryAfter(text string) time.Duration {
	var after time.Duration
	if seconds, err := strconv.Atoi(text); err == nil {
		after = time.Duration(min(seconds, int(retryAfterMost/time.Second))) * time.Second
	} else if at, err := http.ParseTime(text); err == nil {
		after = time.Until(at)
	}
	return min(max(after, 0), retryAfterMost)
}

// withoutURL is an error of package http without the URL, which may hold a
// secret.
func withoutURL(err error) error {
	var e *url.Error
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}

// lines are all that wait, as they are kept.
func (s *sender) lines() [][]byte {
	s.mu.Lock()
	all := slices.Clone(s.pending)
	s.mu.Unlock()
	for _, r := range s.queue.Waiting() {
		all = append(all, s.origin.post(r))
	}
	return lines(all)
}

func (s *sender) countPending() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.pending)
}

func (s *sender) waiting() int { return s.countPending() + s.queue.Len() }

func (s *sender) dropped() uint64 { return s.queue.Dropped() + s.lost.Load() }

// restore takes a post that the last run has kept.
func (s *sender) restore(line []byte) error {
	p, err := decode(line)
	if err == nil && len(s.pending) == keptMost {
		err = errors.New("more events than are ever kept")
	}
	if err == nil {
		s.pending = append(s.pending, p)
	}
	return err
}

// close lets the sender end, and wait waits until it has: it returns how many
// posts were not delivered, and how many of them are kept for the next start.
func (s *sender) close() {
	s.queue.Close()
	s.shelf.Hurry()
	close(s.closing)
}

func (s *sender) wait() (waiting, kept int) {
	<-s.done
	waiting = s.waiting()
	if s.shelf.Close(saveTimeout) {
		kept = len(s.lines())
	}
	s.lost.Add(uint64(waiting - kept))
	s.trouble.Close()
	return waiting, kept
}
