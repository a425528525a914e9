package metrics

import (
	"encoding/hex"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/exporters/internal/topspan"
)

// exemplar is what leads from a sample to the trace behind it; nil where the
// event has none. Grafana and Prometheus expect the labels by these names.
func exemplar(r event.Record) prometheus.Labels {
	p, ok := topspan.Of(r)
	if !ok {
		return nil
	}
	return prometheus.Labels{"trace_id": hex.EncodeToString(p.Trace[:]), "span_id": hex.EncodeToString(p.Span[:])}
}

// observe observes what may be part of a trace. Outside of one, as for all
// ordinary heartbeats, it allocates nothing.
func observe(o prometheus.Observer, value float64, of prometheus.Labels) {
	if of == nil {
		o.Observe(value)
		return
	}
	o.(prometheus.ExemplarObserver).ObserveWithExemplar(value, of)
}

// count adds one to a counter.
func count(c prometheus.Counter, of prometheus.Labels) {
	if of == nil {
		c.Inc()
		return
	}
	c.(prometheus.ExemplarAdder).AddWithExemplar(1, of)
}

// observeIn observes a duration that may be part of a trace.
func (o observers) observeIn(of prometheus.Labels, value string, d time.Duration) {
	if observer, ok := o[value]; ok {
		observe(observer, d.Seconds(), of)
	}
}

// countIn counts something that may be part of a trace.
func (c counters) countIn(of prometheus.Labels, value string) {
	if counter, ok := c[value]; ok {
		count(counter, of)
	}
}
