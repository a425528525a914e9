package alertmanager

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/systole-ha/systole/agent/event"
)

const web, sql = "IPaddr::192.0.2.10", "IPaddr::192.0.2.20"

// A server takes posts without a network, or does what it is told instead.
type server struct {
	mu     sync.Mutex
	answer string // "", "refused", "hangs", or a status
	posts  []post
}

type post struct {
	at     time.Time
	host   string
	user   string
	alerts []alert
}

func (s *server) RoundTrip(r *http.Request) (*http.Response, error) {
	var alerts []alert
	body, _ := io.ReadAll(r.Body)
	if err := json.Unmarshal(body, &alerts); err != nil || r.URL.Path != "/api/v2/alerts" {
		return nil, fmt.Errorf("%s %s: %w", r.URL.Path, body, err)
	}
	user, password, _ := r.BasicAuth()
	s.mu.Lock()
	s.posts = append(s.posts, post{time.Now(), r.URL.Host, user + ":" + password, alerts})
	answer := s.answer
	s.mu.Unlock()
	response := &http.Response{StatusCode: 200, Status: "200 OK", Body: http.NoBody, Header: http.Header{}, Request: r}
	switch {
	case answer == "refused":
		return nil, errors.New("connection refused")
	case answer == "hangs" || r.URL.Host == "hangs":
		<-r.Context().Done()
		return nil, r.Context().Err()
	case answer != "":
		response.Status = answer
		fmt.Sscan(answer, &response.StatusCode)
	}
	return response, nil
}

func (s *server) become(answer string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

func (s *server) seen() []post {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.posts)
}

// names are the alerts of the posts at one host.
func (s *server) names(host string) (all []string) {
	for _, p := range s.seen() {
		var names []string
		for _, a := range p.alerts {
			names = append(names, a.Labels["alertname"])
		}
		if p.host == host {
			all = append(all, strings.Join(names, " "))
		}
	}
	return all
}

func open(s *server, report func(uint64, error), targets ...Target) *Alertmanager {
	return New(Config{Cluster: "web", Node: "beta", Targets: targets, Transport: s, Report: report})
}

var am = Target{URL: "http://am:9093"}

func tell(a *Alertmanager, events ...event.Event) {
	for i, e := range events {
		a.Record(event.Record{Sequence: uint64(i + 1), Time: time.Now(), Cluster: "web", Node: "beta", Event: e})
	}
	synctest.Wait()
}

func end(t *testing.T, a *Alertmanager) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := a.Close(ctx); err != nil {
		t.Errorf("Close: %v", err)
	}
}

// TestWhatFires tells stories and looks at what is repeated three minutes later,
// when what has ended is told no more.
func TestWhatFires(t *testing.T) {
	dead := event.PeerDead{Peer: "alpha", Silence: 2 * time.Second}
	failed := event.TakeoverFailed{ID: 1, Group: web}
	conflict := event.AddressConflict{Address: "192.0.2.10"}
	notOff := event.FenceFailed{Peer: "alpha", Error: "no route to host"}
	for _, tt := range []struct {
		name  string
		story []event.Event
		once  string // what is told at once, last
		later string // and three minutes later; "" for nothing
	}{
		{"a death", []event.Event{dead}, nodeDead, nodeDead},
		{"not of a peer that never lived", []event.Event{event.PeerDead{Peer: "alpha", NeverHeard: true}}, "", ""},
		{"it is over when the peer is back", []event.Event{dead, event.PeerReturned{Peer: "alpha"}}, nodeDead, ""},
		{"or no longer dead", []event.Event{dead, event.PeerStateChanged{Peer: "alpha", From: "dead", To: "init"}}, nodeDead, ""},
		{"another's return is another's", []event.Event{dead, event.PeerReturned{Peer: "gamma"}}, nodeDead, nodeDead},
		{"dead once more is dead", []event.Event{dead, event.PeerReturned{Peer: "alpha"}, dead}, nodeDead, nodeDead},
		{"a split brain", []event.Event{event.SplitBrainSuspected{Peer: "alpha"}}, splitBrain, splitBrain},
		{"until it is cleared", []event.Event{event.SplitBrainSuspected{Peer: "alpha"}, event.SplitBrainCleared{Peer: "alpha"}}, splitBrain, ""},
		{"a takeover that failed", []event.Event{failed}, takeoverFailed, takeoverFailed},
		{"until its group runs", []event.Event{failed, event.TakeoverCompleted{Groups: []string{web}, Result: "success"}}, takeoverFailed, ""},
		{"or the peer has it", []event.Event{failed, event.OwnerChanged{Group: web, To: "alpha"}}, takeoverFailed, ""},
		{"or it is started otherwise", []event.Event{failed, event.GroupStateChanged{Group: web, To: "running"}}, takeoverFailed, ""},
		{"not until another group does", []event.Event{failed, event.TakeoverCompleted{Groups: []string{sql}, Result: "success"}}, takeoverFailed, takeoverFailed},
		{"nor by half", []event.Event{failed, event.TakeoverFailed{ID: 1, Group: sql}, event.OwnerChanged{Group: web, To: "alpha"}}, takeoverFailed, takeoverFailed},
		{"nor by being lost once more", []event.Event{failed, event.OwnerChanged{Group: web, From: "beta"}}, takeoverFailed, takeoverFailed},
		{"an address that two have", []event.Event{conflict}, duplicateAddress, duplicateAddress},
		{"until one has it", []event.Event{conflict, event.AddressConflictCleared{Address: "192.0.2.10"}}, duplicateAddress, ""},
		{"another address is another alert", []event.Event{conflict, event.AddressConflict{Address: "192.0.2.20"}}, duplicateAddress + " " + duplicateAddress, duplicateAddress + " " + duplicateAddress},
		{"a peer that no device switches off", []event.Event{notOff}, fencingFailed, fencingFailed},
		{"until one does", []event.Event{notOff, event.FenceAttempted{Peer: "alpha", Result: "ok"}, event.FenceCompleted{Peer: "alpha", Result: "off"}}, fencingFailed, ""},
		{"or a person says so, or it is heard", []event.Event{notOff, event.FenceCompleted{Peer: "alpha", Result: "aborted"}}, fencingFailed, ""},
		{"not a try that fails while others go on", []event.Event{event.FenceStarted{Peer: "alpha"}, event.FenceAttempted{Peer: "alpha", Result: "failed"}}, "", ""},
		{"all at once", []event.Event{dead, failed, event.SplitBrainSuspected{}}, nodeDead + " " + splitBrain + " " + takeoverFailed, nodeDead + " " + splitBrain + " " + takeoverFailed},
		{"nothing else", []event.Event{event.LinkDown{}, event.PeerFalseDeath{}, event.ResourceFailed{}}, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &server{}
				a := open(s, nil, am)
				tell(a, tt.story...)
				if got := append([]string{""}, s.names("am:9093")...); got[len(got)-1] != tt.once {
					t.Errorf("told at once: %q, want %q", got, tt.once)
				}
				time.Sleep(3*repeatEvery + time.Second)
				before := len(s.seen())
				time.Sleep(repeatEvery)
				later := ""
				if got := s.names("am:9093"); len(got) > before {
					later = got[len(got)-1]
				}
				if later != tt.later {
					t.Errorf("told later: %q, want %q", later, tt.later)
				}
				end(t, a)
			})
		})
	}
}

func TestAnAlertIsToldEveryMinuteUntilItLapses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{}
		a := open(s, nil, Target{URL: "http://am:9093", User: "systole", Password: "a:b"})
		began := time.Now()
		tell(a, event.PeerDead{Peer: "alpha", Silence: 2 * time.Second, Deadtime: 2 * time.Second, Trace: "0af7651916cd43dd8448eb211c80319c"})
		time.Sleep(90 * time.Second)
		tell(a, event.PeerReturned{Peer: "alpha"})
		time.Sleep(10 * time.Minute)
		end(t, a)
		posts := s.seen()
		if len(posts) != 4 {
			t.Fatalf("%d posts", len(posts))
		}
		for i, ends := range []time.Duration{3 * time.Minute, 4 * time.Minute, 210 * time.Second, 210 * time.Second} {
			p := posts[i]
			if p.at.Sub(began) != time.Duration(i)*time.Minute || p.user != "systole:a:b" || !p.alerts[0].StartsAt.Equal(began) || p.alerts[0].EndsAt.Sub(began) != ends {
				t.Errorf("post %d: %+v", i, p)
			}
		}
		notes := posts[0].alerts[0].Annotations
		for name, want := range map[string]string{
			"summary": "Node alpha of cluster web is dead", "description": "beta: peer alpha is dead: silent for 2s, deadtime 2s",
			"runbook_url": runbooks + "SystoleNodeDead.md", "trace_id": "0af7651916cd43dd8448eb211c80319c",
		} {
			if notes[name] != want {
				t.Errorf("%s is %q, want %q", name, notes[name], want)
			}
		}
	})
}

func TestOneThatWasAwayHearsWhatIsStillSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{answer: "refused"}
		reports := make(chan error, 100)
		a := open(s, func(_ uint64, err error) { reports <- err }, am)
		tell(a, event.PeerDead{Peer: "alpha"})
		if err := <-reports; err == nil || !strings.Contains(err.Error(), "http://am:9093: connection refused") {
			t.Errorf("reported %v", err)
		}
		time.Sleep(10 * time.Minute)
		if n := len(s.seen()); n < 12 || n > 30 {
			t.Errorf("%d posts in 10 minutes", n)
		}
		s.become("500 Internal Server Error")
		time.Sleep(10 * time.Minute)
		s.become("")
		time.Sleep(time.Minute)
		n := len(s.seen())
		time.Sleep(5 * time.Minute)
		if got := len(s.seen()); got != n+5 {
			t.Errorf("%d posts in 5 minutes after it came back", got-n)
		}
		end(t, a)
	})
}

func TestOneThatHangsHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{}
		a := open(s, nil, Target{URL: "http://hangs"}, am)
		began := time.Now()
		for range depth + 10 {
			a.Record(event.Record{Time: time.Now(), Node: "beta", Event: event.PeerDead{Peer: "alpha"}})
		}
		tell(a)
		if took := time.Since(began); took != 0 || len(s.names("am:9093")) != 1 {
			t.Errorf("after %v the other heard %q", took, s.names("am:9093"))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		a.Close(ctx)
		if took := time.Since(began); took != time.Second {
			t.Errorf("Close took %v", took)
		}
	})
}

// TestTheLabelsAreThoseOfTheRules holds what is sent to what Prometheus would
// send by the shipped rules: other labels would be another alert.
func TestTheLabelsAreThoseOfTheRules(t *testing.T) {
	text, err := os.ReadFile("../../alerts/systole.rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct {
			Rules []struct {
				Alert       string            `yaml:"alert"`
				Expr        string            `yaml:"expr"`
				Labels      map[string]string `yaml:"labels"`
				Annotations map[string]string `yaml:"annotations"`
			} `yaml:"rules"`
		} `yaml:"groups"`
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	f, found := newFiring("web", "beta", time.Minute), 0
	for _, e := range []event.Event{event.PeerDead{Peer: "alpha"}, event.SplitBrainSuspected{}, event.TakeoverFailed{}, event.AddressConflict{Address: "192.0.2.10"}, event.FenceFailed{Peer: "alpha"}} {
		f.take(event.Record{Node: "beta", Event: e})
	}
	for _, a := range f.at(time.Now()) {
		for _, g := range file.Groups {
			for _, r := range g.Rules {
				if r.Alert != a.Labels["alertname"] {
					continue
				}
				found++
				_, by, _ := strings.Cut(r.Expr, "by (")
				by, _, _ = strings.Cut(by, ")")
				want := []string{"alertname"}
				for _, l := range strings.Split(by, ",") {
					want = append(want, strings.TrimSpace(l))
				}
				for name, value := range r.Labels {
					want = append(want, name)
					if !strings.Contains(value, "{{") && a.Labels[name] != value {
						t.Errorf("%s: %s is %q, want %q", r.Alert, name, a.Labels[name], value)
					}
				}
				var got []string
				for name, value := range a.Labels {
					got = append(got, name)
					if value == "" {
						t.Errorf("%s: %s is empty", r.Alert, name)
					}
				}
				slices.Sort(want)
				slices.Sort(got)
				if !slices.Equal(got, want) {
					t.Errorf("%s has the labels %v, want %v", r.Alert, got, want)
				}
				if a.Annotations["runbook_url"] != r.Annotations["runbook_url"] {
					t.Errorf("%s: %s, want %s", r.Alert, a.Annotations["runbook_url"], r.Annotations["runbook_url"])
				}
			}
		}
	}
	if found != 5 {
		t.Errorf("%d of 5 alerts have a rule", found)
	}
}
