package metrics

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/systole-ha/systole/agent/event"
)

// byOperator is the method of a person who says that a node is off.
const byOperator = "operator"

// A fencing is what was tried to switch the peer off. All of it is nil where
// that is not configured.
type fencing struct {
	operations map[string]map[string]prometheus.Counter // by method and result
	durations  map[string]prometheus.Observer           // by method
	failed     prometheus.Gauge
}

func newFencing(s *series, methods []string) fencing {
	f := fencing{operations: map[string]map[string]prometheus.Counter{}, durations: map[string]prometheus.Observer{}}
	if len(methods) == 0 {
		return f
	}
	f.failed = s.gauge("systole_fence_failed")
	for _, method := range slices.Compact(slices.Sorted(slices.Values(append([]string{byOperator}, methods...)))) {
		f.operations[method] = map[string]prometheus.Counter{}
		for _, result := range operationResults {
			if method != byOperator || result == "ok" {
				f.operations[method][result] = s.counter("systole_fence_operations_total", method, result)
			}
		}
		if method != byOperator {
			f.durations[method] = s.histogram("systole_fence_duration_seconds", method)
		}
	}
	return f
}

func (m *Metrics) fenceAttempted(e event.FenceAttempted, of prometheus.Labels) {
	if c := m.fence.operations[e.Method][e.Result]; c != nil {
		c.Inc()
		observe(m.fence.durations[e.Method], e.Took.Seconds(), of)
	}
}

func (m *Metrics) fenceCompleted(e event.FenceCompleted) {
	m.fenceFails(false)
	if c := m.fence.operations[byOperator]["ok"]; e.Result == "confirmed" && c != nil {
		c.Inc()
	}
}

func (m *Metrics) fenceFails(fails bool) {
	if m.fence.failed != nil {
		m.fence.failed.Set(oneIf(fails))
	}
}
