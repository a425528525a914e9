package control

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/systole-ha/systole/agent/event"
)

func TestRecent(t *testing.T) {
	const s = time.Second
	beat := func(silence, interval time.Duration) event.Event {
		return event.HeartbeatReceived{Peer: "beta", Link: "eth0", Silence: silence, Interval: interval, Deadtime: 10 * s}
	}
	type moment struct {
		at time.Duration
		event.Event
	}
	for _, tt := range []struct {
		name           string
		events         []moment
		link           string // none for all of them
		now            time.Duration
		silence        time.Duration // that goes on, if any
		want           []Used
		received, lost uint64
	}{
		{name: "the first heartbeat ends no silence", events: []moment{{1 * s, beat(0, 0)}}, now: s, want: []Used{0}, received: 1},
		{name: "the longest silence of a step counts", events: []moment{{1 * s, beat(s, s)}, {2 * s, beat(3*s, s)}, {3 * s, beat(s, s)}}, now: 4 * s, want: []Used{.3}, received: 3},
		{name: "a step ends after five seconds", events: []moment{{4999 * time.Millisecond, beat(s, s)}, {5999 * time.Millisecond, beat(2*s/2, s)}}, now: 6 * s, want: []Used{.1, .1}, received: 2},
		{name: "a silence counts in every step it touched", events: []moment{{1 * s, beat(s, s)}, {10 * s, beat(9*s, 9*s)}, {11 * s, beat(s, s)}}, now: 15 * s, want: []Used{.9, .9, .9, unheard}, received: 3},
		{name: "one link is judged by what came on it", link: "eth0", events: []moment{{1 * s, beat(s, 6*s)}}, now: s, want: []Used{.6}, received: 1},
		{name: "a copy ends no silence of its sender", events: []moment{{1 * s, beat(2*s, 2*s)}, {1 * s, beat(0, s)}}, now: s, want: []Used{.2}, received: 2},
		{name: "the silence that goes on is told, too", events: []moment{{1 * s, beat(s, s)}}, now: 8 * s, silence: 7 * s, want: []Used{.7, .7}, received: 1},
		{name: "what the dead do not say is no silence of theirs", events: []moment{{1 * s, beat(s, s)}, {11 * s, event.PeerDead{Peer: "beta", Silence: 10 * s}}}, now: 20 * s, want: []Used{1, 1, 1, unheard, unheard}, received: 1},
		{name: "who was never heard has no history", events: []moment{{1 * s, beat(s, s)}, {11 * s, event.PeerDead{Peer: "beta", Silence: 10 * s, NeverHeard: true}}}, now: 12 * s, want: []Used{.1, unheard, unheard}, received: 1},
		{name: "a link that died used its deadtime", link: "eth0", events: []moment{{1 * s, beat(s, s)}, {11 * s, event.LinkDown{Peer: "beta", Link: "eth0", Silence: 10 * s}}, {21 * s, beat(s, 20*s)}}, now: 21 * s, want: []Used{1, 1, 1, unheard, unheard}, received: 2},
		{name: "what was lost is counted", link: "eth0", events: []moment{{1 * s, beat(s, s)}, {2 * s, event.HeartbeatLost{Peer: "beta", Link: "eth0", Count: 3}}}, now: 2 * s, want: []Used{.1}, received: 1, lost: 3},
		{name: "a silence of more than five minutes fills them", events: []moment{{1 * s, beat(s, s)}, {400 * s, event.PeerDead{Peer: "beta", Silence: 399 * s}}}, now: 400 * s, want: slices.Repeat([]Used{1}, recentSteps)},
		{name: "what is older than five minutes is gone", events: []moment{{1 * s, beat(9*s, 9*s)}, {302 * s, beat(s, s)}}, now: 302 * s, want: append(slices.Repeat([]Used{unheard}, recentSteps-1), .1), received: 1},
		{name: "a silence longer than the deadtime was noted at its end, and death then", events: []moment{{20 * s, beat(15*s, 15*s)}}, now: 20 * s, want: []Used{unheard, unheard, unheard, unheard, unheard}, received: 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFacts()
			f.note(event.Record{Time: t0, Event: event.NodeStarted{}})
			for _, m := range tt.events {
				f.note(event.Record{Time: t0.Add(m.at), Event: m.Event})
			}
			var silence *Seconds
			if tt.silence > 0 {
				silence = new(Seconds)
				*silence = Seconds(tt.silence)
			}
			got := f.recently(route{"beta", tt.link}, t0.Add(tt.now), silence, 10*s)
			if got == nil {
				t.Fatal("nothing is known")
			}
			for i := range got.Used {
				got.Used[i] = Used(float64(int(float64(got.Used[i])*1000+.5)) / 1000)
				if got.Used[i] < 0 {
					got.Used[i] = unheard
				}
			}
			if !slices.Equal(got.Used, tt.want) || got.Received != tt.received || got.Lost != tt.lost || time.Duration(got.Step) != 5*s {
				t.Errorf("got %+v\nwant %v, %d received, %d lost", *got, tt.want, tt.received, tt.lost)
			}
			again := f.recently(route{"beta", tt.link}, t0.Add(tt.now), nil, 10*s)
			if tt.silence > 0 && slices.Equal(again.Used, got.Used) {
				t.Error("a look at a silence that goes on was kept as one that has ended")
			}
		})
	}
}

func TestRecentOfWhoNeverCame(t *testing.T) {
	if got := told(event.NodeStarted{}).recently(route{node: "beta"}, t0, nil, time.Second); got != nil {
		t.Errorf("got %+v", got)
	}
}

func TestUsedAsJSON(t *testing.T) {
	in := []Used{unheard, 0, .1234, .5, 1}
	b, err := json.Marshal(in)
	if want := "[null,0,0.123,0.5,1]"; err != nil || string(b) != want {
		t.Errorf("got %s, %v; want %s", b, err, want)
	}
	var back []Used
	if err := json.Unmarshal(b, &back); err != nil || !slices.Equal(back, []Used{unheard, 0, .123, .5, 1}) {
		t.Errorf("%s reads back as %v, %v", b, back, err)
	}
}
