package membership

import (
	"slices"
	"testing"
	"time"

	"github.com/systole-ha/systole/agent/event"
)

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func at(seconds float64) time.Time { return epoch.Add(time.Duration(seconds * float64(time.Second))) }

func config() Config {
	return Config{
		Self: "alpha", Peers: []string{"beta"}, PingNodes: []string{"router"}, Links: []string{"eth0", "eth1"},
		Keepalive: time.Second, Warntime: 5 * time.Second, Deadtime: 10 * time.Second,
		Initdead: 30 * time.Second, Deadping: 7 * time.Second,
	}
}

// settled is a judgement past the start of the cluster, without ping nodes.
func settled() *Members {
	cfg := config()
	cfg.PingNodes = nil
	m := New(cfg, epoch)
	m.Settle()
	return m
}

func beat(seconds float64, link int) Heartbeat {
	return Heartbeat{At: at(seconds), Peer: "beta", Link: link, State: Active, Generation: 7}
}

// news leaves the samples out.
func news(events []event.Event) []event.Event {
	return slices.DeleteFunc(events, func(e event.Event) bool { return event.SeverityOf(e) == event.Sample })
}

// kinds names what is left.
func kinds(events []event.Event) []string {
	var names []string
	for _, e := range news(events) {
		names = append(names, e.Kind())
	}
	return names
}

func TestExpire(t *testing.T) {
	dead := event.PeerDead{Peer: "beta", LastHeard: at(5), Silence: 10 * time.Second, Deadtime: 10 * time.Second}
	tests := []struct {
		name  string
		heard []Heartbeat
		now   float64
		want  []string
	}{
		{name: "a peer one millisecond short of deadtime is alive", heard: []Heartbeat{beat(5, 0)}, now: 14.999},
		{name: "a peer silent for deadtime is dead", heard: []Heartbeat{beat(5, 0)}, now: 15,
			want: []string{"peer.state_changed", "peer.dead", "link.down"}},
		{name: "silence is counted from the last heartbeat on any link", heard: []Heartbeat{beat(1, 0), beat(5, 1)}, now: 11,
			want: []string{"link.down"}},
		{name: "a copy keeps its link up, not its sender alive", heard: []Heartbeat{beat(1, 0), {At: at(5), Peer: "beta", Link: 1, State: Active, Generation: 7, Copy: true}}, now: 11,
			want: []string{"peer.state_changed", "peer.dead", "link.down"}},
		{name: "a peer's own deadtime counts for it", heard: []Heartbeat{{At: at(5), Peer: "beta", State: Active, Generation: 7, Deadtime: 20 * time.Second}}, now: 24.999},
		{name: "nobody is nagged about a peer that was never heard before deadtime", now: 9.999},
		{name: "a peer that was never heard is dead after deadtime", now: 10,
			want: []string{"peer.dead"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := settled()
			for _, hb := range tt.heard {
				m.Heard(hb.At, hb)
			}
			if got := m.Suspects(at(tt.now)); got != (tt.want != nil) {
				t.Errorf("Suspects(%v s) = %v", tt.now, got)
			}
			if got := kinds(m.Expire(at(tt.now))); !slices.Equal(got, tt.want) {
				t.Errorf("Expire(%v s):\n got %v\nwant %v", tt.now, got, tt.want)
			}
		})
	}
	m := settled()
	m.Heard(at(5), beat(5, 0))
	m.Suspects(at(15))
	if got := m.Expire(at(15))[1]; got != dead {
		t.Errorf("Expire reports\n got %+v\nwant %+v", got, dead)
	}
}

func TestInitdeadCountsUntilTheClusterHasSettled(t *testing.T) {
	m := New(config(), epoch)
	m.Heard(at(1), beat(1, 0))
	if m.Suspects(at(12)) {
		t.Error("deadtime counted although the cluster is starting")
	}
	m.Settle()
	if !m.Suspects(at(12)) {
		t.Error("deadtime does not count although the cluster has settled")
	}
}

func TestOwnLatenessIsNotHeldAgainstAPeer(t *testing.T) {
	tests := []struct {
		name  string
		late  time.Duration
		alive float64 // still, at this instant
		dead  float64 // at this one
	}{
		{"a pause within a quarter of deadtime is borne", 2500 * time.Millisecond, 14.999, 15},
		{"a longer pause is taken off the silence, and one keepalive is waited", 2501 * time.Millisecond, 18.5, 18.501},
		{"a pause longer than deadtime kills nobody", 20 * time.Second, 35.999, 36},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := settled()
			m.Heard(at(5), beat(5, 0))
			m.Stalled(tt.late)
			if got := kinds(m.Expire(at(tt.alive))); slices.Contains(got, "peer.dead") {
				t.Errorf("dead at %v s", tt.alive)
			}
			if got := kinds(m.Expire(at(tt.dead))); !slices.Contains(got, "peer.dead") {
				t.Errorf("not dead at %v s: %v", tt.dead, got)
			}
		})
	}
}

func TestWhatWaitedDuringAPauseIsHeardAtItsArrival(t *testing.T) {
	m := settled()
	m.Heard(at(5), beat(5, 0))
	m.Stalled(20 * time.Second) // from 5 to 25
	m.Heard(at(25), beat(21, 0))
	if got, want := m.Wake(), at(21+10+4+1); got != want {
		t.Errorf("Wake = %v, want %v: arrival, deadtime, what was left of the pause, a keepalive", got.Sub(epoch), want.Sub(epoch))
	}
	m.Heard(at(25.501), beat(25.5, 0)) // it waited a millisecond, as anything may
	if got, want := m.Wake(), at(35.5); got != want {
		t.Errorf("Wake = %v, want %v: the pause is over", got.Sub(epoch), want.Sub(epoch))
	}
}

func TestReturns(t *testing.T) {
	tests := []struct {
		name string
		back Heartbeat
		want []string
	}{
		{"with the same generation it had never died", beat(30, 0),
			[]string{"link.up", "peer.returned", "peer.false_death", "peer.state_changed"}},
		{"with a new one it has restarted", Heartbeat{At: at(30), Peer: "beta", State: Init, Generation: 8, Restarted: true},
			[]string{"link.up", "peer.returned", "peer.state_changed"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := settled()
			m.Heard(at(5), beat(5, 0))
			m.Expire(at(15))
			if got := kinds(m.Heard(at(30), tt.back)); !slices.Equal(got, tt.want) {
				t.Errorf("Heard:\n got %v\nwant %v", got, tt.want)
			}
		})
	}
}

func TestARestartBeforeDeadtimeIsNoDeath(t *testing.T) {
	m := settled()
	m.Heard(at(5), beat(5, 0))
	got := kinds(m.Heard(at(7), Heartbeat{At: at(7), Peer: "beta", State: Init, Generation: 8, Restarted: true}))
	if want := []string{"peer.restarted", "peer.state_changed"}; !slices.Equal(got, want) {
		t.Errorf("Heard:\n got %v\nwant %v", got, want)
	}
}

func TestGoodbyeIsNoDeath(t *testing.T) {
	m := settled()
	m.Heard(at(5), beat(5, 0))
	if got := news(m.Goodbye("beta")); !slices.Equal(got, []event.Event{event.PeerStateChanged{Peer: "beta", From: Active, To: Leaving, Generation: 7}}) {
		t.Errorf("Goodbye: %v", got)
	}
	if got := kinds(m.Heard(at(6), beat(6, 0))); got != nil {
		t.Errorf("it goes on saying active for a while, which is no recovery: %v", got)
	}
	if got := kinds(m.Expire(at(16))); !slices.Equal(got, []string{"peer.state_changed", "link.down"}) {
		t.Errorf("Expire: %v", got)
	}
	if m.State("beta") != Unknown {
		t.Errorf("beta is %s", m.State("beta"))
	}
	m.Heard(at(60), Heartbeat{At: at(60), Peer: "beta", State: Up, Generation: 8, Restarted: true})
	if m.State("beta") != Up {
		t.Errorf("after its return beta is %s", m.State("beta"))
	}
}

func TestLateHeartbeat(t *testing.T) {
	m := settled()
	m.Heard(at(1), beat(1, 0))
	m.Heard(at(6), beat(6, 0))
	m.Stalled(2 * time.Second)
	events := news(m.Heard(at(11.5), beat(11.25, 0)))
	want := []event.Event{event.HeartbeatLate{Peer: "beta", Link: "eth0", Silence: 5250 * time.Millisecond, Warntime: 5 * time.Second, Deadtime: 10 * time.Second, Stall: 2 * time.Second}}
	if !slices.Equal(events, want) {
		t.Errorf("Heard:\n got %+v\nwant %+v", events, want)
	}
}

func TestLinksThatGoTogetherDoNotCountEachOther(t *testing.T) {
	for _, tt := range []struct {
		name  string
		heard [2]float64
		first int // links left when the first one goes
	}{
		{"at one instant", [2]float64{5, 5}, 0},
		{"at the two ends of one heartbeat", [2]float64{5, 5.0004}, 0},
		{"one goes on", [2]float64{5, 14}, 1},
	} {
		m := settled()
		m.Heard(at(tt.heard[0]), beat(tt.heard[0], 0))
		m.LinkHeard(at(tt.heard[1]), "beta", 1)
		var left []int
		for _, instant := range []float64{15, 15.0004} {
			for _, e := range m.Expire(at(instant)) {
				if down, ok := e.(event.LinkDown); ok {
					left = append(left, down.LinksLeft)
				}
			}
		}
		if len(left) == 0 || left[0] != tt.first || len(left) != 2-tt.first {
			t.Errorf("%s: links left: %v", tt.name, left)
		}
	}
}

func TestAPeerThatWasGivenUpUnheardMayStillCome(t *testing.T) {
	m := settled()
	m.Expire(at(10))
	if m.State("beta") != Unknown {
		t.Errorf("a peer never heard is %s", m.State("beta"))
	}
	m.Heard(at(12), beat(12, 0))
	if m.State("beta") != Active {
		t.Errorf("heard at last it is %s", m.State("beta"))
	}
}

func TestPingNodes(t *testing.T) {
	m := New(config(), epoch)
	m.Settle()
	if got := kinds(m.Answered(at(1), "router", time.Millisecond)); !slices.Equal(got, []string{"peer.state_changed"}) {
		t.Errorf("Answered: %v", got)
	}
	m.Heard(at(7.5), beat(7.5, 0))
	if m.Suspects(at(7.999)) {
		t.Error("suspected before deadping")
	}
	m.Expire(at(8))
	if m.State("router") != Dead {
		t.Errorf("router is %s after deadping", m.State("router"))
	}
	m.Answered(at(9), "router", time.Millisecond)
	if m.State("router") != Ping {
		t.Errorf("router is %s", m.State("router"))
	}
}

func TestWithoutALinkNobodyIsCalledDead(t *testing.T) {
	m := settled()
	m.Heard(at(5), beat(5, 0))
	m.Deaf(at(8), true)
	m.Deaf(at(9), true) // said twice
	if m.Suspects(at(60)) || len(m.Expire(at(60))) > 0 || !m.Wake().IsZero() {
		t.Error("silence counts although no link can be used")
	}
	m.Deaf(at(68), false)
	if got, want := m.Wake(), at(5+10+60+1); got != want {
		t.Errorf("Wake = %v s, want %v s: deadtime, less what was not heard for want of a link, and a keepalive", got.Sub(epoch), want.Sub(epoch))
	}
}

func TestStrangersChangeNothing(t *testing.T) {
	m := settled()
	events := slices.Concat(
		m.Heard(at(1), Heartbeat{At: at(1), Peer: "mallory", State: Active}),
		m.LinkHeard(at(1), "mallory", 0), m.Goodbye("mallory"), m.Answered(at(1), "mallory", 0))
	if len(events) != 0 {
		t.Errorf("a stranger caused %v", events)
	}
}

// TestAPeerThatWasGoneIsNotWaitedFor: what the daemon before knew counts.
func TestAPeerThatWasGoneIsNotWaitedFor(t *testing.T) {
	for _, dead := range []bool{true, false} {
		m := New(config(), epoch)
		events := m.Gone(at(0), "beta", dead)
		if !m.Accounted() {
			t.Errorf("dead %v: it is waited for", dead)
		}
		if want := map[bool]string{true: Dead, false: Unknown}[dead]; m.State("beta") != want || (len(events) == 1) != dead {
			t.Errorf("dead %v: state %s, events %v, want %s", dead, m.State("beta"), events, want)
		}
		if got := news(m.Expire(at(100))); slices.ContainsFunc(got, func(e event.Event) bool { return e.Kind() == "peer.dead" }) {
			t.Errorf("dead %v: it dies once more: %v", dead, got)
		}
		got := kinds(m.Heard(at(101), Heartbeat{At: at(101), Peer: "beta", State: Init, Generation: 8}))
		if returned := slices.Contains(got, "peer.returned"); returned != dead {
			t.Errorf("dead %v: heard again, %v", dead, got)
		}
	}
}
