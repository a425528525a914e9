package metrics

import (
	"math"
	"testing"
	"time"

	"github.com/systole-ha/systole/agent/event"
)

func TestPhi(t *testing.T) {
	steady := newRhythm(time.Second)
	for range 200 {
		steady.add(time.Second)
	}
	ragged := newRhythm(time.Second)
	for i := range 200 {
		ragged.add(time.Duration(500+1000*(i%2)) * time.Millisecond)
	}
	tests := []struct {
		name   string
		rhythm *rhythm
		silent time.Duration
		want   float64
	}{
		{"nothing is known of a peer before its first silence", newRhythm(time.Second), time.Hour, 0},
		{"a peer just heard is not suspected", steady, 0, 0},
		{"at the mean it is an even chance", steady, time.Second, math.Log10(2)},
		{"one least deviation (a tenth of keepalive) later it is 15.9 %", steady, 1100 * time.Millisecond, -math.Log10(0.158655)},
		{"far out it is as certain as it gets", steady, time.Minute, certain},
		{"a ragged peer is given more time", ragged, 1500 * time.Millisecond, -math.Log10(0.158655)},
	}
	for _, tt := range tests {
		if got := tt.rhythm.phi(tt.silent); math.Abs(got-tt.want) > 0.02 || math.Signbit(got) {
			t.Errorf("%s: phi = %.4f, want %.4f", tt.name, got, tt.want)
		}
	}
}

// TestAgeing moves the clock of the scrapes, not of the events.
func TestAgeing(t *testing.T) {
	now := boot
	cfg := reference()
	cfg.Now = func() time.Time { return now }
	m := open(t, cfg)
	p := m.peer("beta")
	check := func(when string, left time.Duration, phi float64) {
		t.Helper()
		if got := p.left(now); got != left {
			t.Errorf("%s: %v are left, want %v", when, got, left)
		}
		if got := p.phi(now); math.Abs(got-phi) > 0.01 {
			t.Errorf("%s: phi is %.3f, want %.3f", when, got, phi)
		}
	}
	now = instant(20)
	check("a peer never heard has initdead", 10*time.Second, 0)
	for i := range 10 {
		tell(m, instant(21+float64(i)), heartbeat(1))
	}
	now = instant(31)
	check("one heard a second ago has deadtime less that", 9*time.Second, math.Log10(2))
	now = instant(41)
	check("one due has nothing left", 0, certain)
	tell(m, instant(41), event.PeerStateChanged{Peer: "beta", To: "dead"})
	now = instant(30)
	check("nor has a dead one", 0, certain)
	tell(m, instant(30), event.PeerStateChanged{Peer: "beta", To: "leaving"})
	check("one that has said goodbye is not judged", 0, 0)
	tell(m, instant(50), event.PeerStateChanged{Peer: "beta", To: "active"}, heartbeat(1))
	now = instant(52)
	check("one that is back is judged again", 8*time.Second, certain)
	tell(m, instant(52), event.HeartbeatReceived{Peer: "beta", Link: "eth0", Deadtime: 3 * time.Second, Silence: time.Second})
	now = instant(54)
	check("by the deadtime its heartbeats are judged by", time.Second, certain)
}
