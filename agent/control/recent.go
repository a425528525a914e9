package control

import (
	"encoding/json"
	"math"
	"strconv"
	"time"

	"github.com/systole-ha/systole/agent/event"
)

// The last minutes are kept in steps: five of the usual keepalives each, and
// five minutes in all.
const (
	recentStep  = 5 * time.Second
	recentSteps = 60
)

// A Used is a silence divided by the deadtime of who was silent: 1 is death.
// Below 0 there is none.
type Used float64

// unheard is the Used of a time in which nothing was heard and nothing missed.
const unheard Used = -1

// MarshalJSON writes three digits behind the point, or null for none.
func (u Used) MarshalJSON() ([]byte, error) {
	if u < 0 {
		return []byte("null"), nil
	}
	return strconv.AppendFloat(nil, math.Round(float64(u)*1000)/1000, 'f', -1, 64), nil
}

// UnmarshalJSON reads any number, or null.
func (u *Used) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*u = unheard
		return nil
	}
	return json.Unmarshal(b, (*float64)(u))
}

// A Recent is how the heartbeats of one node came in the last five minutes, on
// all links or on one.
type Recent struct {
	Step     Seconds `json:"step_seconds"`  // how long each of the following is
	Used     []Used  `json:"deadtime_used"` // the longest silence that touched it, oldest first; null where there is nothing to tell
	Received uint64  `json:"received"`
	Lost     uint64  `json:"lost"` // never came; of one link only
}

// recent is a Recent in the making: a ring of steps. It has no pointers, so
// that a copy of it is a copy.
type recent [recentSteps]step

type step struct {
	number         int64 // since the daemon's start, from 1; 0 for none
	used           float32
	received, lost uint32
}

// stepAt is the number of the step in which an instant lies.
func stepAt(since time.Duration) int64 { return int64(max(0, since)/recentStep) + 1 }

// at is the step of a number, emptied if an older one was in its place.
func (r *recent) at(number int64) *step {
	s := &r[number%recentSteps]
	if s.number != number {
		*s = step{number: number, used: float32(unheard)}
	}
	return s
}

// silence notes one that lasted until the instant at. Every step that it touched
// has used as much of the deadtime as the whole silence did: who looks at one of
// them wants to know how near death was.
func (r *recent) silence(at, lasted, deadtime time.Duration) {
	if deadtime <= 0 {
		return
	}
	used := float32(min(1, max(0, lasted.Seconds()/deadtime.Seconds())))
	last := stepAt(at)
	for n := max(stepAt(max(0, at-lasted)), last-recentSteps+1); n <= last; n++ {
		s := r.at(n)
		s.used = max(s.used, used)
	}
}

// list is the ring as clients see it at an instant.
func (r recent) list(at time.Duration) *Recent {
	l := &Recent{Step: Seconds(recentStep)}
	last := stepAt(at)
	for n := max(1, last-recentSteps+1); n <= last; n++ {
		s := r.at(n) // in our own copy
		l.Used = append(l.Used, Used(s.used))
		l.Received += uint64(s.received)
		l.Lost += uint64(s.lost)
	}
	return l
}

// beat notes a heartbeat: the end of a silence of its sender, and of one on its
// link. What was longer than the deadtime was noted when it reached that.
func (f *facts) beat(r event.Record, e event.HeartbeatReceived) {
	at := r.Time.Sub(f.began)
	all, one := f.recentOf(route{node: e.Peer}), f.recentOf(route{e.Peer, e.Link})
	all.at(stepAt(at)).received++
	one.at(stepAt(at)).received++
	if e.Silence <= e.Deadtime {
		all.silence(at, e.Silence, e.Deadtime)
	}
	if e.Interval <= e.Deadtime {
		one.silence(at, e.Interval, e.Deadtime)
	}
}

func (f *facts) lost(r event.Record, e event.HeartbeatLost) {
	f.recentOf(route{e.Peer, e.Link}).at(stepAt(r.Time.Sub(f.began))).lost += uint32(e.Count)
}

// ended notes a silence that has used all of the deadtime.
func (f *facts) ended(r event.Record, of route, silence time.Duration) {
	f.recentOf(of).silence(r.Time.Sub(f.began), silence, silence)
}

func (f *facts) recentOf(of route) *recent {
	r := f.recent[of]
	if r == nil {
		r = new(recent)
		f.recent[of] = r
	}
	return r
}

// recently is what is known of a route at the instant now, with the silence
// that goes on; nil where it has never carried anything.
func (f facts) recently(of route, now time.Time, silence *Seconds, deadtime time.Duration) *Recent {
	kept := f.recent[of]
	if kept == nil {
		return nil
	}
	r, at := *kept, now.Sub(f.began)
	if silence != nil {
		r.silence(at, time.Duration(*silence), deadtime)
	}
	return r.list(at)
}
