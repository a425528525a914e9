package traces

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"go.opentelemetry.io/otel/trace"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/systole-ha/systole/agent/event"
)

// TestPhasesAreTheTakeover holds the spans of every stream against what the
// events say of the same.
func TestPhasesAreTheTakeover(t *testing.T) {
	for _, name := range streams(t) {
		t.Run(name, func(t *testing.T) {
			all := replay(t, name)
			for _, r := range stream(t, name) {
				e, ok := r.Event.(event.TakeoverCompleted)
				if !ok {
					continue
				}
				i := slices.IndexFunc(all, func(s seen) bool {
					return s.node() == r.Node && s.text("systole.trigger") == e.Trigger && s.EndTimeUnixNano == uint64(r.Time.UnixNano())
				})
				if i < 0 {
					t.Errorf("no span ends with %s's %v", r.Node, event.Text(e))
					continue
				}
				agree(t, all, all[i], e, phases(t, name, r.Node, e.Trace))
			}
		})
	}
}

func phases(t *testing.T, name, node, trace string) map[string]time.Duration {
	took := map[string]time.Duration{}
	for _, r := range stream(t, name) {
		if p, ok := r.Event.(event.TakeoverPhase); ok && r.Node == node && p.Trace == trace {
			took[p.Phase] = p.Took
		}
	}
	return took
}

func agree(t *testing.T, all []seen, top seen, e event.TakeoverCompleted, phases map[string]time.Duration) {
	var sum time.Duration
	for name, took := range phases {
		sum += took
		if got, ok := top.number("systole.phase." + name); !ok || math.Abs(got-took.Seconds()) > 1e-9 {
			t.Errorf("%s: phase %s is %v s, want %v", top.Name, name, got, took)
		}
	}
	if off := (top.length() - sum).Abs(); off > time.Millisecond {
		t.Errorf("%s lasts %v, its phases %v", top.Name, top.length(), sum)
	}
	if want := e.Took + phases["silence"] + phases["confirm"] + phases["fence"]; top.length() != want {
		t.Errorf("%s lasts %v, want %v", top.Name, top.length(), want)
	}
	if got, _ := top.number("systole.outage_bound"); got != e.Outage.Seconds() {
		t.Errorf("outage bound is %v s, want %v", got, e.Outage)
	}
	for span, phase := range map[string]string{"detect": "silence", "confirm": "confirm", "fence": "fence"} {
		for _, s := range all {
			if s.Name == span && string(s.ParentSpanId) == string(top.SpanId) && s.length() != phases[phase] {
				t.Errorf("%s lasts %v, want %v", span, s.length(), phases[phase])
			}
		}
	}
}

// TestOneTraceOverBothNodes is what no other tool shows.
func TestOneTraceOverBothNodes(t *testing.T) {
	for _, tt := range []struct{ name, from, to, relation string }{
		{"freeze_and_thaw", "beta takeover", "alpha isolated", "linked to"},
		{"freeze_and_thaw", "alpha isolated", "beta takeover", "linked to"},
		{"cut_and_heal", "alpha takeover", "beta takeover", "linked to"},
		{"cut_and_heal", "beta takeover", "alpha takeover", "linked to"},
		{"deaf", "beta takeover", "alpha isolated", "linked to"},
		{"deaf", "alpha self_release", "alpha isolated", "child of"},
		{"standby", "beta acquire", "alpha switchover", "child of"},
		{"clean_stop", "beta takeover", "alpha release", "child of"},
		{"failed_stop", "beta acquire", "alpha switchover", "child of"},
	} {
		t.Run(fmt.Sprintf("%s: %s is %s %s", tt.name, tt.from, tt.relation, tt.to), func(t *testing.T) {
			all := replay(t, tt.name)
			from, to := find(t, all, tt.from), find(t, all, tt.to)
			if string(from.TraceId) != string(to.TraceId) {
				t.Fatalf("trace %x and trace %x", from.TraceId, to.TraceId)
			}
			related := string(from.ParentSpanId) == string(to.SpanId)
			if tt.relation == "linked to" {
				related = slices.ContainsFunc(from.Links, func(l *otlp.Span_Link) bool {
					return string(l.SpanId) == string(to.SpanId) && string(l.TraceId) == string(to.TraceId)
				})
			}
			if !related {
				t.Errorf("it is not:\n%s", draw(all))
			}
		})
	}
}

// TestANodeThatComesBack names what its earlier incarnation was missed in.
func TestANodeThatComesBack(t *testing.T) {
	all := replay(t, "comes_back")
	missed := find(t, all, "beta takeover")
	joins := slices.DeleteFunc(slices.Clone(all), func(s seen) bool { return s.node()+" "+s.Name != "alpha join" })
	if len(joins) != 2 || len(joins[0].Links) != 0 {
		t.Fatalf("alpha joins twice, the first time for no reason:\n%s", draw(all))
	}
	again := joins[1]
	if len(again.Links) != 1 || string(again.Links[0].SpanId) != string(missed.SpanId) || string(again.Links[0].TraceId) != string(missed.TraceId) {
		t.Errorf("the new incarnation is not linked to the takeover:\n%s", draw(all))
	}
}

// TestALateHeartbeatHasItsExemplarsTrace: the one that the event says.
func TestALateHeartbeatHasItsExemplarsTrace(t *testing.T) {
	for _, r := range stream(t, "late") {
		if e, ok := r.Event.(event.HeartbeatLate); ok {
			if s := find(t, replay(t, "late"), r.Node+" heartbeat.late"); fmt.Sprintf("%x", s.TraceId) != e.Trace || len(s.ParentSpanId) != 0 {
				t.Errorf("trace %x, want %s", s.TraceId, e.Trace)
			}
			return
		}
	}
	t.Error("nothing was late")
}

func find(t *testing.T, all []seen, name string) seen {
	t.Helper()
	for _, s := range all {
		if s.node()+" "+s.Name == name && s.text("systole.trigger") != "start" {
			return s
		}
	}
	t.Fatalf("no %s in\n%s", name, draw(all))
	return seen{}
}

func TestEverySpanSaysWhose(t *testing.T) {
	for _, s := range replay(t, "power_off") {
		want := map[string]string{
			"service.name": "systole", "service.namespace": "sim", "service.version": "1",
			"service.instance.id": s.node() + "-id", "host.name": s.node(),
		}
		for key, value := range want {
			if s.resource[key] != value {
				t.Errorf("%s: %s is %q, want %q", s.Name, key, s.resource[key], value)
			}
		}
	}
}

func TestWhatIsNotAnIncident(t *testing.T) {
	s := newSink(t)
	s.point(t)
	tr := open(t, "alpha")
	at := epoch
	say := func(e event.Event) { tr.Record(event.Record{Time: at, Node: "alpha", Event: e}) }
	for range 30 {
		say(event.HeartbeatLate{Peer: "beta", Link: "eth0", Silence: 6 * time.Second, Warntime: 5 * time.Second, Deadtime: 10 * time.Second})
	}
	say(event.HeartbeatReceived{Peer: "beta", Link: "eth0"})
	say(event.PeerIdentified{Peer: "beta", Wire: "heartbeat3"})
	const id = "0102030405060708090a0b0c0d0e0f10"
	say(event.ReleaseStarted{ID: 1, Trigger: "standby", Peer: "beta", Groups: []string{"g"}, Trace: id})
	say(event.OperatorCommand{Command: "hb_standby", Arguments: "all", UID: 0, Result: "accepted"})
	at = at.Add(time.Minute)
	say(event.OperatorCommand{Command: "hb_standby", Arguments: "all", UID: 7, Result: "refused", Reason: "under way"})
	say(event.ReleaseCompleted{ID: 1, Trigger: "standby", Peer: "beta", Groups: []string{"g"}, Result: "success", Took: time.Minute})
	say(event.TakeoverStarted{ID: 2, Trigger: "failback", Peer: "beta", Groups: []string{"g"}, Trace: id})
	closeSoon(t, tr)
	got := s.spans()

	late, commands := 0, []seen{}
	for _, s := range got {
		switch s.Name {
		case heartbeatLate:
			late++
			if ratio, _ := s.number("systole.deadtime_used_ratio"); s.length() != 6*time.Second || ratio != 0.6 {
				t.Errorf("late for %v, ratio %v", s.length(), ratio)
			}
		case "operator.command":
			commands = append(commands, s)
		}
	}
	if late != lateBurst {
		t.Errorf("%d spans of 30 late heartbeats at once, want %d", late, lateBurst)
	}
	release := find(t, got, "alpha switchover")
	if len(commands) != 2 || len(commands[0].Links) != 1 || string(commands[0].Links[0].SpanId) != string(release.SpanId) {
		t.Errorf("the command is not linked to what it began: %v", commands)
	}
	if len(commands[1].Links) != 0 || commands[1].Status.GetMessage() != "under way" {
		t.Errorf("a refused command: %v", commands[1])
	}
	acquire := find(t, got, "alpha acquire")
	if len(acquire.ParentSpanId) != 0 || acquire.text("systole.result") != unfinished {
		t.Errorf("beside heartbeat, which sends no trace, and cut short by the end: %v", acquire)
	}
}

func TestIDs(t *testing.T) {
	id, known := traceID("0102030405060708090a0b0c0d0e0f10")
	if !known {
		t.Fatal("not read")
	}
	if got, want := spanID(id, "alpha", takeoverTop).String(), "576346a94cc85e0f"; got != want {
		t.Errorf("derived %s, want %s: the other node derives it alike", got, want)
	}
	if other, known := traceID("no trace"); known || !other.IsValid() {
		t.Errorf("a trace of its own: %v, %v", other, known)
	}
	distinct := map[trace.SpanID]bool{}
	for _, node := range []string{"alpha", "beta"} {
		for _, what := range []string{takeoverTop, releaseTop, joinTop} {
			distinct[spanID(id, node, what)] = true
		}
	}
	if len(distinct) != 6 {
		t.Errorf("%d ids of 6 tops", len(distinct))
	}
}

func TestAddressOf(t *testing.T) {
	for resource, want := range map[string][2]string{
		"IPaddr::192.0.2.10/24/eth0":             {"192.0.2.10", "eth0"},
		"IPaddr::192.0.2.10/24/eth0/192.0.2.255": {"192.0.2.10", "eth0"},
		"IPaddr2::192.0.2.10/24":                 {"192.0.2.10", ""},
		"IPaddr::192.0.2.10":                     {"192.0.2.10", ""},
		"IPv6addr::2001:db8::10/64/eth1":         {"2001:db8::10", "eth1"},
		"192.0.2.10/24//192.0.2.255":             {"192.0.2.10", ""},
	} {
		address, device := addressOf(resource)
		if got := [2]string{address, device}; got != want {
			t.Errorf("addressOf(%s) = %v, want %v", resource, got, want)
		}
	}
}

func TestLimiter(t *testing.T) {
	var l limiter
	allowed := func(at time.Duration, n int) (yes int) {
		for range n {
			if l.allow(epoch.Add(at)) {
				yes++
			}
		}
		return yes
	}
	for _, tt := range []struct {
		name string
		at   time.Duration
		want int
	}{
		{"ten at once", 0, 10},
		{"none an instant before a second has passed", time.Second - 1, 0},
		{"one after a second", time.Second, 1},
		{"ten after a quiet minute, not sixty", time.Minute, 10},
	} {
		if got := allowed(tt.at, 100); got != tt.want {
			t.Errorf("%s: got %d, want %d", tt.name, got, tt.want)
		}
	}
}
