package metrics

import "time"

// A Memory is what an operator still asks after a restart of the daemon, and
// no counter tells: the newest takeover, and since when the node is in standby.
type Memory struct {
	Ended   time.Time                `json:"takeover_ended,omitzero"` // zero where there was none
	Took    time.Duration            `json:"takeover_took_ns,omitempty"`
	Phases  map[string]time.Duration `json:"takeover_phases_ns,omitempty"`
	Trace   string                   `json:"takeover_trace,omitempty"`
	Standby time.Time                `json:"standby_since,omitzero"` // zero where it is not
}

// recall begins with what an earlier daemon remembered. A node that nothing
// prefers any more is not in standby.
func (m *Metrics) recall(memory Memory) {
	ours := false
	for _, g := range m.groups {
		ours = ours || g.ours
	}
	if !ours {
		memory.Standby = time.Time{}
	}
	m.memory = memory
	m.takeovers.show(memory)
	m.standby.Set(unix(memory.Standby))
}

// standbySince takes in that this node went into standby, or at the zero time
// left it.
func (m *Metrics) standbySince(at time.Time) {
	if m.memory.Standby.Equal(at) {
		return
	}
	m.memory.Standby = at
	m.standby.Set(unix(at))
	m.remember(m.memory)
}

// keep takes in the newest takeover.
func (m *Metrics) keep(ended time.Time, took time.Duration, phases map[string]time.Duration, trace string) {
	m.memory.Ended, m.memory.Took, m.memory.Phases, m.memory.Trace = ended, took, phases, trace
	m.takeovers.show(m.memory)
	m.remember(m.memory)
}
