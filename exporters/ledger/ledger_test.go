package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/systole-ha/systole/agent/event"
)

var epoch = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

const group = "IPaddr::192.0.2.10"

// A step is one event some seconds after the epoch.
type step struct {
	at float64
	event.OwnerChanged
}

func at(seconds float64) time.Time { return epoch.Add(time.Duration(seconds * float64(time.Second))) }

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func lost(s float64, from, cause string, since float64) step {
	return step{s, event.OwnerChanged{Group: group, From: from, Cause: cause, Since: at(since)}}
}

func gained(s float64, from, to, cause string, unowned float64) step {
	e := event.OwnerChanged{Group: group, From: from, To: to, Cause: cause, Unowned: seconds(unowned)}
	if from != "" {
		e.Since = at(s - unowned)
	}
	return step{s, e}
}

func TestLedger(t *testing.T) {
	served := Book{Groups: map[string]Account{group: {Owner: "alpha", Last: "alpha", Proof: at(0), Seconds: map[string]float64{"peer_dead": 3}}}}
	stopped := Book{Groups: map[string]Account{group: {Last: "alpha", Proof: at(0), Cause: "shutdown", Seconds: map[string]float64{}}}}
	tests := []struct {
		name  string
		book  Book
		steps []step
		now   float64
		want  map[string]float64 // totals by cause
		open  float64
		rows  int // outages
	}{
		{"a first owner ends no outage", Book{}, []step{gained(1, "", "alpha", "start", 0)}, 2, nil, 0, 0},
		{"the survivor books what its peer's death cost", Book{},
			[]step{gained(1, "", "beta", "", 0), lost(10, "beta", "peer_dead", 9), gained(11, "beta", "alpha", "peer_dead", 2)}, 12,
			map[string]float64{"peer_dead": 2}, 0, 1},
		{"the node that gave up books nothing", Book{},
			[]step{gained(1, "", "alpha", "start", 0), lost(10, "alpha", "standby", 10), gained(11, "alpha", "beta", "standby", 1)}, 12, nil, 0, 0},
		{"an outage that goes on is open and in no total", Book{},
			[]step{gained(1, "", "alpha", "start", 0), lost(10, "alpha", "failure", 10)}, 15, nil, 5, 0},
		{"what nobody ever owned is not open", Book{}, nil, 15, nil, 0, 0},
		{"two outages of one cause add up", Book{},
			[]step{gained(1, "beta", "alpha", "failback", 0.5), lost(2, "alpha", "standby", 2), gained(3, "alpha", "beta", "standby", 1), lost(4, "beta", "failback", 4), gained(5, "beta", "alpha", "failback", 1)}, 6,
			map[string]float64{"failback": 1.5}, 0, 2},
		{"a daemon goes on where the last one ended", served, []step{gained(7, "beta", "alpha", "peer_dead", 2)}, 8,
			map[string]float64{"peer_dead": 5}, 0, 1},
		{"after a power cut of all nodes the first to serve books the time since the last proof", served,
			[]step{gained(40, "", "alpha", "start", 0)}, 41, map[string]float64{"peer_dead": 3, Start: 40}, 0, 1},
		{"after a clean stop it is booked as the stop's", stopped, []step{gained(40, "", "alpha", "start", 0)}, 41,
			map[string]float64{"shutdown": 40}, 0, 1},
		{"what was found running was never away", served, []step{gained(40, "", "alpha", "adopted", 0)}, 41,
			map[string]float64{"peer_dead": 3}, 0, 0},
		{"what the peer serves when we start is the peer's to book", stopped,
			[]step{gained(40, "", "beta", "", 0), lost(50, "beta", "failback", 50), gained(51, "beta", "alpha", "failback", 1)}, 52,
			map[string]float64{"failback": 1}, 0, 1},
		{"a clock that was set back books nothing", Book{Groups: map[string]Account{group: {Last: "alpha", Proof: at(100)}}},
			[]step{gained(40, "", "alpha", "start", 0)}, 41, nil, 0, 0},
		{"a group that is not ours to watch is ignored", Book{}, []step{{1, event.OwnerChanged{Group: "other", From: "beta", To: "alpha", Unowned: time.Second}}}, 2, nil, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := New("alpha", []string{group}, tt.book)
			l.now = func() time.Time { return at(tt.now) }
			for _, s := range tt.steps {
				l.Record(event.Record{Time: at(s.at), Node: "alpha", Event: s.OwnerChanged})
			}
			got := map[string]float64{}
			for _, cause := range Causes {
				if total := l.Total(group, cause); total != 0 {
					got[cause] = total.Seconds()
				}
			}
			if len(got) != len(tt.want) || len(got) > 0 && !reflect.DeepEqual(got, tt.want) {
				t.Errorf("totals\n got %v\nwant %v", got, tt.want)
			}
			if open := l.Open(group).Seconds(); open != tt.open {
				t.Errorf("open for %gs, want %gs", open, tt.open)
			}
			if rows := l.Book().Outages; len(rows) != tt.rows {
				t.Errorf("%d outages, want %d: %+v", len(rows), tt.rows, rows)
			}
		})
	}
}

func TestBookOutlivesTheDaemon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var saved []byte
		saves, fails := 0, errors.New("no space left on device")
		ctx, cancel := context.WithCancel(t.Context())
		l := New("alpha", []string{group}, Book{})
		var reports int
		go l.Run(ctx, func(text []byte) error {
			saves++
			if saves == 1 {
				return fails
			}
			saved = text
			return nil
		}, func(error) { reports++ })
		l.Record(event.Record{Time: time.Now(), Event: event.OwnerChanged{Group: group, From: "beta", To: "alpha", Cause: "peer_dead", Unowned: time.Second, Since: time.Now().Add(-time.Second), Trace: "ab"}})
		synctest.Wait()
		if saves != 1 || reports != 1 {
			t.Fatalf("%d saves and %d reports, want one of each", saves, reports)
		}
		time.Sleep(saveEvery) // in the bubble: the next save succeeds
		synctest.Wait()
		cancel()
		synctest.Wait()
		book, err := Parse(saved)
		if err != nil || saves != 3 {
			t.Fatalf("after %d saves: %v\n%s", saves, err, saved)
		}
		again := New("alpha", []string{group}, book)
		if got := again.Total(group, "peer_dead"); got != time.Second {
			t.Errorf("a second daemon knows of %s, want 1s", got)
		}
		if got := again.Book().Outages; len(got) != 1 || got[0].From != "beta" || got[0].Trace != "ab" {
			t.Errorf("a second daemon remembers %+v", got)
		}
		if page := book.Groups[group]; page.Owner != "alpha" || !page.Proof.Equal(time.Now()) {
			t.Errorf("the newest proof is %+v, want one of %s", page, time.Now())
		}
	})
}

func TestOldOutagesMakeRoom(t *testing.T) {
	l := New("alpha", []string{group}, Book{})
	for i := range kept + 10 {
		l.Record(event.Record{Time: at(float64(i)), Event: gained(float64(i), "beta", "alpha", "failback", 0.5).OwnerChanged})
	}
	outages := l.Book().Outages
	if len(outages) != kept || !outages[0].Began.Equal(at(9.5)) {
		t.Errorf("%d outages are kept from %s, want %d from %s", len(outages), outages[0].Began, kept, at(9.5))
	}
	if got := l.Total(group, "failback"); got != seconds(0.5*(kept+10)) {
		t.Errorf("the total is %s", got)
	}
}

func FuzzParse(f *testing.F) {
	text, _ := json.Marshal(Book{Node: "alpha", Groups: map[string]Account{group: {Last: "alpha", Seconds: map[string]float64{"failure": 1}}}, Outages: []Outage{{Group: group}}})
	f.Add(text)
	f.Add([]byte("{}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		book, err := Parse(text)
		if err != nil {
			return
		}
		l := New("alpha", []string{group}, book)
		l.Record(event.Record{Time: epoch, Event: event.OwnerChanged{Group: group, To: "alpha", Cause: "start"}})
		for _, cause := range Causes {
			if l.Total(group, cause) < 0 {
				t.Errorf("%s is negative in %s", cause, text)
			}
		}
	})
}
