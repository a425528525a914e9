package failover

import (
	"fmt"
	"math"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/test/lab"
)

// TestObservability looks at what two nodes show of a takeover: metrics, the
// journal, the status; and that these tell one story.
func TestObservability(t *testing.T) {
	const group = "IPaddr::192.0.2.50/24/eth0"
	p := newPair(t, clusterFiles(fast, "alpha "+group+" nginx", "auto_failback off"))
	p.eachNginx(false)
	p.started(virtual)
	for _, n := range p.nodes() {
		p.lint(n)
		p.run(n, "journalctl", "--update-catalog") // what a package's installation does
	}
	p.beats(p.beta, 30)
	before := p.metrics(p.beta)
	p.sample(before, `systole_peer_state{peer="alpha",state="active"}`, 1)
	p.sample(before, `systole_resource_group_active{group="`+group+`"}`, 0)
	p.sample(p.metrics(p.alpha), `systole_resource_group_active{group="`+group+`"}`, 1)
	for _, link := range []string{"eth0", "eth1"} {
		labels := fmt.Sprintf(`{link=%q,peer="alpha"}`, link)
		p.sample(before, `systole_link_up`+labels, 1)
		p.sample(before, `systole_link_open{link="`+link+`"}`, 1)
		p.mean(before, `systole_heartbeat_interval_seconds`, labels, 0.08, 0.11) // a node that comes is greeted between two
		p.mean(before, `systole_heartbeat_rtt_seconds`, labels, 0.00001, 0.02)
	}
	p.mean(before, `systole_peer_deadtime_used_ratio`, `{peer="alpha"}`, 0.1, 0.3)

	began := time.Now()
	p.powerOff(p.alpha)
	p.held(virtual, p.beta)
	p.hold(p.beta, "all")
	p.lint(p.beta)
	after := p.metrics(p.beta)
	p.sample(after, `systole_peer_state{peer="alpha",state="dead"}`, 1)
	p.sample(after, `systole_peer_state{peer="alpha",state="active"}`, 0)
	p.sample(after, `systole_link_up{link="eth0",peer="alpha"}`, 0)
	p.sample(after, `systole_link_transitions_total{link="eth0",peer="alpha",to="down"}`, 1)
	p.sample(after, `systole_resource_group_active{group="`+group+`"}`, 1)
	p.sample(after, `systole_takeovers_total{result="success",trigger="peer_dead"}`, 1)
	p.sample(after, `systole_takeover_in_progress`, 0)
	p.sample(after, `systole_node_resources{state="all"}`, 1)

	// The metrics, the status and the journal agree on how long it took.
	last := p.lastTakeover(p.beta)
	if last.Trigger != "peer_dead" || last.Result != "success" || last.Peer != "alpha" {
		t.Errorf("the status tells of %+v", last)
	}
	p.sample(after, `systole_takeover_duration_seconds_sum{trigger="peer_dead"}`, time.Duration(last.Took).Seconds())
	p.sample(after, `systole_takeover_last_duration_seconds`, time.Duration(last.Took).Seconds())
	p.sample(after, `systole_service_outage_seconds_sum{group="`+group+`",planned="no"}`, time.Duration(last.Outage).Seconds())
	var phases time.Duration
	for _, phase := range last.Phases {
		phases += time.Duration(phase.Took)
		series := fmt.Sprintf(`systole_takeover_phase_duration_seconds_sum{phase=%q}`, phase.Phase)
		p.sample(after, series, before[series]+time.Duration(phase.Took).Seconds())
		t.Logf("%-9s %v", phase.Phase, time.Duration(phase.Took))
	}
	if outage := time.Duration(last.Outage); (phases - outage).Abs() > time.Millisecond {
		t.Errorf("the phases add up to %v, the outage is %v", phases, outage)
	}
	completed := p.entry(p.beta, began, "takeover.completed", "trigger", "peer_dead")
	if got := completed.Seconds("outage"); (got - time.Duration(last.Outage)).Abs() > time.Microsecond {
		t.Errorf("the journal says %v, the status %v", got, time.Duration(last.Outage))
	}

	for _, tt := range []struct {
		event         event.Event
		says, explain string
	}{
		{event.PeerDead{}, "peer alpha is dead: silent for ", "Subject: Node alpha is dead"},
		{event.TakeoverCompleted{}, "takeover of " + group + " complete after ", "Subject: Takeover of " + group + " has ended: success"},
	} {
		id := event.Lookup(tt.event).MessageID
		if got := p.run(p.beta, "journalctl", "--quiet", "--output=cat", "MESSAGE_ID="+id); !strings.Contains(got, tt.says) {
			t.Errorf("journalctl MESSAGE_ID=%s:\n%s\nwant %q in it", id, got, tt.says)
		}
		if got := p.run(p.beta, "journalctl", "--quiet", "--catalog", "MESSAGE_ID="+id); !strings.Contains(got, tt.explain) {
			t.Errorf("journalctl -x MESSAGE_ID=%s:\n%s\nwant %q in it", id, got, tt.explain)
		}
	}
}

// lint has Prometheus' own tool judge a node's metrics.
func (p *pair) lint(n *lab.Node) {
	p.t.Helper()
	check := exec.Command("promtool", "check", "metrics")
	check.Stdin = strings.NewReader(p.metricsPage(n))
	if out, err := check.CombinedOutput(); err != nil || len(out) > 0 {
		p.t.Errorf("promtool check metrics, of %s: %v\n%s", n, err, out)
	}
}

// beats waits until a node has heard so many heartbeats on each link.
func (p *pair) beats(n *lab.Node, count float64) {
	p.t.Helper()
	for deadline := time.Now().Add(patience); ; {
		got := p.metrics(n)[fmt.Sprintf(`systole_heartbeats_received_total{link="eth1",peer=%q}`, p.other(n).Name())]
		if got >= count {
			return
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("%s has heard %v heartbeats in %v", n, got, patience)
		}
	}
}

// sample compares one with what it should be, to the nanosecond.
func (p *pair) sample(samples map[string]float64, series string, want float64) {
	p.t.Helper()
	if got, ok := samples[series]; !ok || math.Abs(got-want) > 1e-9 {
		p.t.Errorf("%s is %v (there: %v), want %v", series, got, ok, want)
	}
}

// mean compares the mean of a histogram with what is sensible.
func (p *pair) mean(samples map[string]float64, family, labels string, least, most float64) {
	p.t.Helper()
	count := samples[family+"_count"+labels]
	got := samples[family+"_sum"+labels] / count
	p.t.Logf("%s%s: %.0f observed, mean %.6f", family, labels, count, got)
	if count == 0 || got < least || got > most {
		p.t.Errorf("%s%s: mean %v of %v, want %v to %v", family, labels, got, count, least, most)
	}
}
