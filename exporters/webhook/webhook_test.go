package webhook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/systole-ha/systole/agent/event"
)

// A server answers posts as it is told to, without a network.
type server struct {
	answers []string // "204", "503 Retry-After: 30", "refused", "hangs"; the last one for ever
	mu      sync.Mutex
	posts   []attempt
}

type attempt struct {
	at       time.Time
	id, kind string
}

func (s *server) RoundTrip(r *http.Request) (*http.Response, error) {
	body, _ := io.ReadAll(r.Body)
	_, kind, _ := strings.Cut(string(body), `"type":"io.systole.`)
	kind, _, _ = strings.Cut(kind, `"`)
	s.mu.Lock()
	s.posts = append(s.posts, attempt{time.Now(), r.Header.Get("webhook-id"), kind})
	answer := s.answers[min(len(s.posts), len(s.answers))-1]
	s.mu.Unlock()
	code, header, _ := strings.Cut(answer, " ")
	switch code {
	case "refused":
		return nil, errors.New("connection refused")
	case "hangs":
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	response := &http.Response{Status: answer, Body: http.NoBody, Header: http.Header{}, Request: r}
	fmt.Sscan(code, &response.StatusCode)
	if name, value, ok := strings.Cut(header, ": "); ok {
		response.Header.Set(name, value)
	}
	return response, nil
}

func (s *server) seen() []attempt {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.posts)
}

func (s *server) kinds() []string {
	var kinds []string
	for _, p := range s.seen() {
		kinds = append(kinds, p.kind)
	}
	return kinds
}

// open starts webhooks to one endpoint a severity, all at s.
func open(s *server, report func(string, uint64, error), least ...event.Severity) *Webhook {
	cfg := Config{Cluster: "web", Node: "beta", BootID: "4f2a91c0", Generation: 7, Transport: s, Report: report}
	for i, severity := range least {
		cfg.Endpoints = append(cfg.Endpoints, Endpoint{Name: fmt.Sprint("w", i), URL: "http://192.0.2.9/hook?token=geheim", Severity: severity})
	}
	return New(cfg)
}

func tell(w *Webhook, events ...event.Event) {
	for i, e := range events {
		w.Record(event.Record{Sequence: uint64(i + 1), Time: time.Now(), Cluster: "web", Node: "beta", Event: e})
	}
}

func end(t *testing.T, w *Webhook) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := w.Close(ctx); err != nil {
		t.Errorf("Close: %v", err)
	}
}

func TestDelivery(t *testing.T) {
	const most = answersMost
	for _, tt := range []struct {
		name    string
		answers []string
		posts   int              // of the first event
		within  [2]time.Duration // from the first to the last of them
		results map[string]uint64
	}{
		{"2xx is delivered", []string{"200"}, 1, [2]time.Duration{}, map[string]uint64{"ok": 2}},
		{"any of them", []string{"204"}, 1, [2]time.Duration{}, map[string]uint64{"ok": 2}},
		{"410 is given up", []string{"410", "204"}, 1, [2]time.Duration{}, map[string]uint64{"given_up": 1, "ok": 1}},
		{"so is 400", []string{"400", "204"}, 1, [2]time.Duration{}, map[string]uint64{"given_up": 1, "ok": 1}},
		{"408 is tried again within a second", []string{"408", "204"}, 2, [2]time.Duration{500 * time.Millisecond, time.Second}, map[string]uint64{"retried": 1, "ok": 2}},
		{"and twice as late each time", []string{"500", "500", "500", "204"}, 4, [2]time.Duration{3500 * time.Millisecond, 7 * time.Second}, map[string]uint64{"retried": 3, "ok": 2}},
		{"no connection is tried again", []string{"refused", "204"}, 2, [2]time.Duration{500 * time.Millisecond, time.Second}, map[string]uint64{"retried": 1, "ok": 2}},
		{"429 says when", []string{"429 Retry-After: 30", "204"}, 2, [2]time.Duration{30 * time.Second, 30 * time.Second}, map[string]uint64{"retried": 1, "ok": 2}},
		{"so does 503, with a date", []string{"503 Retry-After: Sat, 01 Jan 2000 00:02:00 GMT", "204"}, 2, [2]time.Duration{2 * time.Minute, 2 * time.Minute}, map[string]uint64{"retried": 1, "ok": 2}},
		{"and not to wait a day", []string{"503 Retry-After: 86400", "204"}, 2, [2]time.Duration{retryAfterMost, retryAfterMost}, map[string]uint64{"retried": 1, "ok": 2}},
		{"one that hangs is cut off", []string{"hangs", "204"}, 2, [2]time.Duration{attemptTimeout + 500*time.Millisecond, attemptTimeout + time.Second}, map[string]uint64{"retried": 1, "ok": 2}},
		{"what a receiver never can take does not stop the rest", append(slices.Repeat([]string{"500"}, most), "204"), most, [2]time.Duration{7 * time.Minute, 15 * time.Minute}, map[string]uint64{"retried": most - 1, "given_up": 1, "ok": 1}},
		{"a proxy without its server is waited for", append(slices.Repeat([]string{"502"}, 2*most), "204"), 2*most + 1, [2]time.Duration{17 * time.Minute, 40 * time.Minute}, map[string]uint64{"retried": 2 * most, "ok": 2}},
		{"a redirection is not followed", []string{"302 Location: http://192.0.2.66/", "204"}, 2, [2]time.Duration{500 * time.Millisecond, time.Second}, map[string]uint64{"retried": 1, "ok": 2}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &server{answers: tt.answers}
				w := open(s, nil, event.Info)
				tell(w, event.LinkUp{Peer: "alpha", Link: "eth0"}, event.PeerReturned{Peer: "alpha"})
				time.Sleep(time.Hour)
				posts := s.seen()
				end(t, w)
				if len(posts) != tt.posts+1 || posts[len(posts)-1].id != "beta-4f2a91c0-7-2" {
					t.Fatalf("posts: %v", posts)
				}
				for _, p := range posts[:tt.posts] {
					if p.id != "beta-4f2a91c0-7-1" {
						t.Errorf("the id at %v is %s", p.at, p.id)
					}
				}
				if took := posts[tt.posts-1].at.Sub(posts[0].at); took < tt.within[0] || took > tt.within[1] {
					t.Errorf("it took %v, want %v", took, tt.within)
				}
				want := map[string]uint64{"ok": 0, "retried": 0, "given_up": 0}
				maps.Copy(want, tt.results)
				if got := w.Deliveries("w0"); !maps.Equal(got, want) {
					t.Errorf("deliveries\n got %v\nwant %v", got, want)
				}
				if w.Waiting() != 0 || w.Dropped() != 0 {
					t.Errorf("%d wait, %d were dropped", w.Waiting(), w.Dropped())
				}
			})
		})
	}
}

func TestRecordNeverWaitsAndTheImportantStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{answers: []string{"hangs"}}
		reports := make(chan string, 10)
		w := open(s, func(name string, dropped uint64, err error) { reports <- fmt.Sprint(name, " ", dropped, " ", err) }, event.Info)
		began := time.Now()
		tell(w, event.PeerDead{Peer: "alpha"})
		synctest.Wait() // it is being posted
		for range depth {
			tell(w, event.TakeoverFailed{}, event.GroupStateChanged{}, event.HeartbeatReceived{})
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("Record took %v", took)
		}
		if w.Waiting() != depth+1 || w.Dropped() != depth {
			t.Errorf("%d wait, %d were dropped", w.Waiting(), w.Dropped())
		}
		synctest.Wait()
		if got := <-reports; !strings.HasPrefix(got, "w0 ") || !strings.HasSuffix(got, " <nil>") {
			t.Errorf("the report is %q", got)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := w.Close(ctx)
		if err == nil || w.Dropped() != 2*depth+1 {
			t.Errorf("Close = %v, %d were dropped", err, w.Dropped())
		}
		if took := time.Since(began); took != time.Second {
			t.Errorf("Close took %v", took)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		s := &server{answers: []string{"refused", "204"}}
		w := open(s, nil, event.Info)
		tell(w, event.NodeStarted{})
		synctest.Wait()
		for range depth / 2 {
			tell(w, event.GroupStateChanged{}, event.TakeoverFailed{}, event.LinkDown{})
		}
		time.Sleep(time.Minute)
		end(t, w)
		want := slices.Repeat([]string{"takeover.failed", "link.down"}, depth/2)
		if got := s.kinds()[2:]; !slices.Equal(got, want) {
			t.Errorf("what stayed is %v", got)
		}
	})
}

func TestEndpointsHaveTheirOwnSeverityAndPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{answers: []string{"204"}}
		w := open(s, nil, event.Sample, event.Critical)
		tell(w, event.HeartbeatReceived{}, event.LinkUp{}, event.PeerDead{})
		synctest.Wait()
		end(t, w)
		if all, few := w.Deliveries("w0")["ok"], w.Deliveries("w1")["ok"]; all != 2 || few != 1 {
			t.Errorf("%d from info up, %d critical", all, few)
		}
		if w.Deliveries("w2") != nil {
			t.Error("there is no third")
		}
	})
}

func TestReportsDoNotTellTheURL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, answer := range []string{"refused", "404", "hangs"} {
			reports := make(chan error, 10)
			w := open(&server{answers: []string{answer}}, func(_ string, _ uint64, err error) { reports <- err }, event.Info)
			tell(w, event.LinkUp{})
			if err := <-reports; err == nil || strings.Contains(err.Error(), "geheim") || strings.Contains(err.Error(), "192.0.2.9") {
				t.Errorf("%s: reported %v", answer, err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			w.Close(ctx)
			cancel()
		}
	})
}

func TestCloseDeliversWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{answers: []string{"503 Retry-After: 60", "204"}}
		w := open(s, nil, event.Info)
		tell(w, event.NodeStopping{}, event.NodeStopped{})
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if err := w.Close(ctx); err == nil || time.Since(began) != 0 {
			t.Errorf("an endpoint in its pause: Close = %v after %v", err, time.Since(began))
		}

		s = &server{answers: []string{"204"}}
		w = open(s, nil, event.Info)
		tell(w, event.NodeStopping{}, event.NodeStopped{})
		end(t, w)
		if got := s.kinds(); !slices.Equal(got, []string{"node.stopping", "node.stopped"}) {
			t.Errorf("delivered: %v", got)
		}
	})
}

func BenchmarkRecord(b *testing.B) {
	w := open(&server{answers: []string{"hangs"}}, nil, event.Info)
	defer w.abort()
	r := event.Record{Sequence: 1, Time: time.Now(), Cluster: "web", Node: "beta", Event: event.GroupStateChanged{Group: "web"}}
	b.ReportAllocs()
	for b.Loop() {
		w.Record(r)
	}
}
