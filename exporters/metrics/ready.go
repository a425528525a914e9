package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/systole-ha/systole/agent/event"
)

// A judgement is whether a takeover here would work. Its series are not there
// before the first verdict: a 0 would say that it would not, which at boot
// nobody knows yet.
type judgement struct {
	series *series
	fences bool
	wanted int // how many checks there are
	checks map[string]bool
	gauges map[string]prometheus.Gauge
	all    prometheus.Gauge
}

func newJudgement(s *series, fences bool) judgement {
	wanted := len(readinessChecks)
	if !fences {
		wanted-- // nobody asks a device
	}
	return judgement{series: s, fences: fences, wanted: wanted, checks: map[string]bool{}, gauges: map[string]prometheus.Gauge{}}
}

// judged takes one verdict. All of them together are one when the last of the
// first look has come.
func (m *Metrics) judged(e event.ReadinessChanged) {
	j := &m.ready
	if _, known := j.checks[e.Check]; !known {
		if !isReadinessCheck[e.Check] || e.Check == "fence_device" && !j.fences {
			return
		}
		j.gauges[e.Check] = j.series.gauge("systole_takeover_ready_check", e.Check)
	}
	j.checks[e.Check] = e.Ready
	j.gauges[e.Check].Set(oneIf(e.Ready))
	if len(j.checks) < j.wanted {
		return
	}
	if j.all == nil {
		j.all = j.series.gauge("systole_takeover_ready")
	}
	ready := true
	for _, check := range j.checks {
		ready = ready && check
	}
	j.all.Set(oneIf(ready))
}

var isReadinessCheck = func() map[string]bool {
	is := map[string]bool{}
	for _, check := range readinessChecks {
		is[check] = true
	}
	return is
}()
