package metrics

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/systole-ha/systole/agent/event"
)

// takeovers are all moves of groups to and from this node.
type takeovers struct {
	running          map[uint64]bool // by ID
	inProgress       prometheus.Gauge
	ended            map[string]counters // by trigger, then result
	released         map[string]counters
	took             observers // by trigger
	phases           observers // by phase
	lastEnd, lastLen prometheus.Gauge
	told             []event.TakeoverPhase // since the newest takeover
	lastPhases       map[string]prometheus.Gauge
	lastTrace        [traceWords]prometheus.Gauge
}

// traceWords is how many numbers of 32 bits, which a float64 holds exactly, a
// trace id of 128 has.
const traceWords = 4

func newTakeovers(s *series, cfg Config) takeovers {
	t := takeovers{
		running:    map[uint64]bool{},
		inProgress: s.gauge("systole_takeover_in_progress"),
		ended:      s.countersByTwo("systole_takeovers_total", cfg.possible(takeoverTriggers), moveResults),
		released:   s.countersByTwo("systole_releases_total", cfg.possible(releaseTriggers), moveResults),
		took:       s.observersBy("systole_takeover_duration_seconds", usual(takeoverTriggers)),
		phases:     s.observersBy("systole_takeover_phase_duration_seconds", phases),
		lastEnd:    s.gauge("systole_takeover_last_timestamp_seconds"),
		lastLen:    s.gauge("systole_takeover_last_duration_seconds"),
		lastPhases: map[string]prometheus.Gauge{},
	}
	for _, phase := range phases {
		t.lastPhases[phase] = s.gauge("systole_takeover_last_phase_duration_seconds", phase)
	}
	for i := range t.lastTrace {
		t.lastTrace[i] = s.gauge("systole_takeover_last_trace_id", strconv.Itoa(i))
	}
	return t
}

func (m *Metrics) takeoverStarted(e event.TakeoverStarted) {
	m.takeovers.running[e.ID] = true
	m.takeovers.inProgress.Set(1)
}

func (m *Metrics) takeoverPhase(e event.TakeoverPhase, of prometheus.Labels) {
	t := &m.takeovers
	t.phases.observeIn(of, e.Phase, e.Took)
	t.told = append(t.told, e)
}

func (m *Metrics) takeoverCompleted(at time.Time, e event.TakeoverCompleted, of prometheus.Labels) {
	t := &m.takeovers
	delete(t.running, e.ID)
	if len(t.running) == 0 {
		t.inProgress.Set(0)
	}
	t.ended[e.Trigger].countIn(of, e.Result)
	if t.took[e.Trigger] == nil && isRare[e.Trigger] && t.ended[e.Trigger] != nil {
		t.took[e.Trigger] = m.series.histogram("systole_takeover_duration_seconds", e.Trigger)
	}
	t.took.observeIn(of, e.Trigger, e.Took)
	phases := map[string]time.Duration{} // told just before its end
	for _, p := range t.told {
		if p.ID == e.ID {
			phases[p.Phase] = p.Took
		}
	}
	t.told = t.told[:0]
	m.keep(at, e.Took, phases, e.Trace)
}

// show shows the newest takeover.
func (t *takeovers) show(newest Memory) {
	t.lastEnd.Set(unix(newest.Ended))
	t.lastLen.Set(newest.Took.Seconds())
	for phase, g := range t.lastPhases {
		g.Set(newest.Phases[phase].Seconds())
	}
	for i, g := range t.lastTrace {
		word := uint64(0)
		if len(newest.Trace) == 8*traceWords {
			word, _ = strconv.ParseUint(newest.Trace[8*i:8*i+8], 16, 32)
		}
		g.Set(float64(word))
	}
}

// ownerChanged tells how long a group that runs here now had no proven owner.
// Its former node tells nothing: each outage is counted once in a cluster.
func (m *Metrics) ownerChanged(e event.OwnerChanged, of prometheus.Labels) {
	if g, ok := m.groups[e.Group]; ok && e.To == m.node && e.Unowned > 0 {
		m.series.book(e.Group, e.Cause, m.books)
		g.outages.observeIn(of, isPlanned[e.Cause], e.Unowned)
	}
}

// releaseStarted notes when an operator took groups from the node that they
// prefer, here by standby or there by takeover. Groups of the other node are
// back home, not in standby.
func (m *Metrics) releaseStarted(at time.Time, e event.ReleaseStarted) {
	if e.Trigger != "standby" && e.Trigger != "takeover" {
		return
	}
	for _, name := range e.Groups {
		if g, ok := m.groups[name]; ok && g.ours {
			m.standbySince(at)
			return
		}
	}
}

// newCommands counts what operators asked for; "other" is what this list does
// not name.
func newCommands(s *series, names []string) map[string]counters {
	return s.countersByTwo("systole_control_requests_total", append(names[:len(names):len(names)], "other"), commandResults)
}

func (m *Metrics) commanded(e event.OperatorCommand) {
	results, ok := m.commands[e.Command]
	if !ok {
		results = m.commands["other"]
	}
	results.add(e.Result, 1)
}
