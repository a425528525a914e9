package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/systole-ha/systole/agent/event"
)

// A unit is one of systemd's that haresources names.
type unit struct {
	state    *stateSet
	restarts prometheus.Counter
}

func newUnit(s *series, name string) *unit {
	u := &unit{
		state:    s.stateSet("systole_unit_state", unitStates, "inactive", name),
		restarts: s.counter("systole_unit_restarts_total", name),
	}
	u.state.unset()
	return u
}

func (m *Metrics) unitChanged(e event.UnitStateChanged) {
	if u, ok := m.units[e.Unit]; ok {
		u.state.set(e.To)
	}
}

func (m *Metrics) unitRestarted(e event.UnitRestarted) {
	if u, ok := m.units[e.Unit]; ok {
		u.restarts.Add(float64(e.Count))
	}
}
