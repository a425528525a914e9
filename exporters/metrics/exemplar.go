package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// traceDigits is the length of the id of a trace in hex (W3C Trace Context).
const traceDigits = 32

// exemplar is what leads from a sample to the trace behind it; nil where there
// is none. Grafana and Prometheus expect the label by this name. An id of
// another length is none: more than 128 characters would be a panic.
func exemplar(trace string) prometheus.Labels {
	if len(trace) != traceDigits {
		return nil
	}
	return prometheus.Labels{"trace_id": trace}
}

// observe observes what may be part of a trace. With none, as for all ordinary
// heartbeats, it allocates nothing.
func observe(o prometheus.Observer, value float64, trace string) {
	if labels := exemplar(trace); labels != nil {
		o.(prometheus.ExemplarObserver).ObserveWithExemplar(value, labels)
		return
	}
	o.Observe(value)
}

// count adds one to a counter.
func count(c prometheus.Counter, trace string) {
	if labels := exemplar(trace); labels != nil {
		c.(prometheus.ExemplarAdder).AddWithExemplar(1, labels)
		return
	}
	c.Inc()
}

// observeIn observes a duration that is part of a trace.
func (o observers) observeIn(trace, value string, d time.Duration) {
	if observer, ok := o[value]; ok {
		observe(observer, d.Seconds(), trace)
	}
}

// countIn counts something that is part of a trace.
func (c counters) countIn(trace, value string) {
	if counter, ok := c[value]; ok {
		count(counter, trace)
	}
}
