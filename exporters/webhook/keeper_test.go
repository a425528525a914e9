package webhook

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/systole-ha/systole/agent/event"
)

// A shelf is a Store in memory.
type shelf struct {
	mu    sync.Mutex
	text  []byte
	saves int
	err   error         // of Load and Save
	hangs chan struct{} // where there is one, Save waits for it
}

func (s *shelf) Load(string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text, s.err
}

func (s *shelf) Save(_ string, text []byte) error {
	if s.hangs != nil {
		<-s.hangs
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.saves++
	if s.err == nil {
		s.text = text
	}
	return s.err
}

// asItIs is the shelf that a daemon finds which starts now.
func (s *shelf) asItIs() *shelf {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &shelf{text: slices.Clone(s.text)}
}

func (s *shelf) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

func (s *shelf) seenSaves() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.saves
}

func openKept(s *server, store Store, generation uint64, report func(string, uint64, error)) *Webhook {
	return New(Config{
		Cluster: "web", Node: "beta", BootID: "4f2a91c0", Generation: generation, Transport: s, Store: store, Report: report,
		Endpoints: []Endpoint{{Name: "pager", URL: "http://192.0.2.9/"}},
	})
}

// abandon ends w in a second at most, whatever it has to say.
func abandon(w *Webhook) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return w.Close(ctx)
}

func (s *server) ids() []string {
	var ids []string
	for _, p := range s.seen() {
		ids = append(ids, strings.TrimPrefix(p.id, "beta-4f2a91c0-"))
	}
	return ids
}

func TestAKilledDaemonsEventsAreDeliveredByTheNext(t *testing.T) {
	for _, tt := range []struct {
		name    string
		answers []string
		killed  time.Duration // after the events
		want    []string      // generation and number of what the next one posts
	}{
		{"a receiver that refuses", []string{"refused"}, time.Minute, []string{"7-1", "7-2", "7-3", "8-1"}},
		{"a receiver that hangs, before the first post has failed", []string{"hangs"}, 2 * settle, []string{"7-1", "7-2", "7-3", "8-1"}},
		{"what was delivered is not told again", []string{"204", "refused"}, time.Minute, []string{"7-2", "7-3", "8-1"}},
		{"what was given up neither", []string{"204", "404", "refused"}, time.Minute, []string{"7-3", "8-1"}},
		{"all was delivered", []string{"204"}, time.Minute, []string{"8-1"}},
		{"a kill at once is the window that is left", []string{"refused"}, settle / 2, []string{"8-1"}},
		{"just delivered, it is told twice", []string{"503 Retry-After: 5", "204"}, 5*time.Second + settle/2, []string{"7-1", "7-2", "7-3", "8-1"}},
		{"delivered a while ago, it is not", []string{"503 Retry-After: 5", "204"}, 5*time.Second + 2*settle, []string{"8-1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := &shelf{}
				old := openKept(&server{answers: tt.answers}, store, 7, nil)
				tell(old, event.PeerDead{Peer: "alpha"}, event.LinkUp{}, event.LinkUp{})
				time.Sleep(tt.killed)
				left := store.asItIs()
				s := &server{answers: []string{"204"}}
				next := openKept(s, left, 8, nil)
				tell(next, event.NodeStarted{})
				time.Sleep(2 * settle)
				if got := s.ids(); !slices.Equal(got, tt.want) {
					t.Errorf("the next daemon posts\n got %v\nwant %v", got, tt.want)
				}
				if len(left.asItIs().text) != 0 {
					t.Errorf("all is delivered and this is still kept: %s", left.text)
				}
				end(t, next)
				abandon(old)
			})
		})
	}
}

func TestCloseKeepsWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &shelf{}
		w := openKept(&server{answers: []string{"hangs"}}, store, 7, nil)
		tell(w, event.NodeStopping{}, event.NodeStopped{})
		if err := abandon(w); err == nil || !strings.Contains(err.Error(), "2 events were not delivered before the end, 2 of them are kept") || w.Dropped() != 0 {
			t.Errorf("Close = %v, %d are dropped", err, w.Dropped())
		}
		s := &server{answers: []string{"204"}}
		next := openKept(s, store, 8, nil)
		if next.Waiting() != 2 {
			t.Errorf("%d wait, want 2", next.Waiting())
		}
		end(t, next)
		if got := s.kinds(); !slices.Equal(got, []string{"node.stopping", "node.stopped"}) || len(store.text) != 0 {
			t.Errorf("the next daemon posts %v and keeps %q", got, store.text)
		}
	})
}

func TestWhatIsDeliveredAtOnceIsNeverKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &shelf{}
		w := openKept(&server{answers: []string{"204"}}, store, 7, nil)
		for range 100 {
			tell(w, event.LinkUp{})
			time.Sleep(70 * time.Millisecond) // of which a second is no multiple: none is told at the instant of a save
		}
		end(t, w)
		if store.saves != 0 {
			t.Errorf("%d saves", store.saves)
		}
	})
}

func TestADiskIsWrittenToOnceASecondAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &shelf{}
		w := openKept(&server{answers: []string{"refused"}}, store, 7, nil)
		for range 100 {
			tell(w, event.LinkUp{})
			time.Sleep(100 * time.Millisecond)
		}
		if n := store.seenSaves(); n < 5 || n > 10 {
			t.Errorf("%d saves in 10 s, want 5 to 10", n)
		}
		time.Sleep(time.Hour)
		before := store.seenSaves()
		time.Sleep(time.Hour)
		if n := store.seenSaves() - before; n != 0 {
			t.Errorf("%d saves in an hour without news", n)
		}
		abandon(w)
	})
}

func TestADiskThatHangsCostsNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &shelf{hangs: make(chan struct{})}
		s := &server{answers: []string{"refused", "204", "204", "refused"}}
		w := openKept(s, store, 7, nil)
		tell(w, event.PeerDead{}, event.LinkUp{})
		time.Sleep(time.Minute)
		tell(w, event.LinkDown{})
		time.Sleep(time.Minute)
		if got := s.ids()[:3]; !slices.Equal(got, []string{"7-1", "7-1", "7-2"}) {
			t.Errorf("posted while the disk hangs: %v", got)
		}
		began := time.Now()
		err := abandon(w)
		if took := time.Since(began); took != saveTimeout {
			t.Errorf("Close took %v, want %v", took, saveTimeout)
		}
		if err == nil || !strings.Contains(err.Error(), "0 of them are kept") || w.Dropped() != 1 {
			t.Errorf("Close = %v, %d are dropped", err, w.Dropped())
		}
		close(store.hangs)
	})
}

func TestADiskThatWasFullIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &shelf{}
		w := openKept(&server{answers: []string{"refused"}}, store, 7, nil)
		store.fail(errors.New("no space left on device"))
		tell(w, event.PeerDead{})
		time.Sleep(time.Minute)
		store.fail(nil)
		time.Sleep(2 * time.Minute)
		if posts, err := decode(store.asItIs().text); len(posts) != 1 || err != nil {
			t.Errorf("%d posts are kept, %v", len(posts), err)
		}
		abandon(w)
	})
}

func TestADiskThatFailsIsTold(t *testing.T) {
	for _, tt := range []struct {
		name  string
		store *shelf
		want  string
	}{
		{"nothing can be read or written", &shelf{err: errors.New("input/output error")}, "input/output error"},
		{"what is there is damaged", &shelf{text: []byte("{")}, "events that the last run has kept are lost: unexpected end of JSON input"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				reports := make(chan error, 10)
				w := openKept(&server{answers: []string{"204"}}, tt.store, 7, func(_ string, _ uint64, err error) { reports <- err })
				if err := <-reports; err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("reported: %v", err)
				}
				tell(w, event.LinkUp{})
				time.Sleep(2 * settle)
				end(t, w)
				if w.Deliveries("pager")["ok"] != 1 {
					t.Error("the disk keeps events from being delivered")
				}
				if tt.store.err == nil && len(tt.store.text) != 0 {
					t.Errorf("the damage stays: %s", tt.store.text)
				}
			})
		})
	}
}
