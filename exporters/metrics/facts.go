package metrics

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/systole-ha/systole/agent/event"
)

// facts are the series that the configuration alone decides, and those of the
// process.
func (s *series) facts(cfg Config) error {
	b := cfg.Build
	s.gauge("systole_build_info", b.Version, b.Revision, b.Branch, b.GoVersion, b.GoOS, b.GoArch, b.Tags).Set(1)
	s.gauge("systole_node_info", cfg.BootID, cfg.InstanceID, cfg.AutoFailback, cfg.Wire).Set(1)
	s.gauge("systole_timing_seconds", "keepalive").Set(cfg.Keepalive.Seconds())
	s.gauge("systole_timing_seconds", "warntime").Set(cfg.Warntime.Seconds())
	s.gauge("systole_timing_seconds", "deadtime").Set(cfg.Deadtime.Seconds())
	s.gauge("systole_timing_seconds", "initdead").Set(cfg.Initdead.Seconds())
	for _, l := range cfg.Links {
		s.gauge("systole_link_info", l.Name, l.Medium, l.Interface, l.Address).Set(1)
	}
	s.sinks(cfg.Sinks)
	s.webhooks(cfg.Webhooks)
	s.spans(cfg.SpansDropped)
	s.unowned(cfg.Groups, cfg.Outages)
	s.process()
	return s.hashes(cfg.Files)
}

func (s *series) hashes(files []File) error {
	for _, f := range files {
		low, err := f.low48()
		if err != nil {
			return fmt.Errorf("metrics: hash of %s: %w", f.Name, err)
		}
		s.gauge("systole_config_hash", f.Name).Set(low)
	}
	return nil
}

func (s *series) sinks(sinks []Sink) {
	for _, sink := range sinks {
		s.gaugeFunc("systole_event_queue_length", func() float64 { return float64(sink.Waiting()) }, sink.Name)
		s.counterFunc("systole_events_dropped_total", func() float64 { return float64(sink.Dropped()) }, sink.Name)
	}
}

func (s *series) webhooks(endpoints []Webhook) {
	for _, w := range endpoints {
		for _, result := range deliveryResults {
			s.counterFunc("systole_webhook_deliveries_total", func() float64 { return float64(w.Deliveries()[result]) }, w.Name, result)
		}
	}
}

// unowned shows the books of who served; nothing where there are none. What was
// adopted was never away.
func (s *series) unowned(groups []Group, books Outages) {
	if books == nil {
		return
	}
	for _, g := range groups {
		s.gaugeFunc("systole_group_unowned_now_seconds", func() float64 { return books.Open(g.Name).Seconds() }, g.Name)
		for _, cause := range lossCauses[:len(lossCauses)-1] {
			if !isRare[cause] || books.Total(g.Name, cause) > 0 {
				s.bookOf(g.Name, cause, books)
			}
		}
	}
}

// book shows the books of a rare cause once there is something in them.
func (s *series) book(group, cause string, books Outages) {
	if books != nil && isRare[cause] {
		s.bookOf(group, cause, books)
	}
}

func (s *series) bookOf(group, cause string, books Outages) {
	if s.booked[[2]string{group, cause}] {
		return
	}
	s.booked[[2]string{group, cause}] = true
	s.counterFunc("systole_group_unowned_seconds_total", func() float64 { return books.Total(group, cause).Seconds() }, group, cause)
}

// spans counts what the traces lose; nothing where there are none.
func (s *series) spans(dropped func() map[string]uint64) {
	if dropped == nil {
		dropped = func() map[string]uint64 { return nil }
	}
	for _, reason := range spanLosses {
		s.counterFunc("systole_spans_dropped_total", func() float64 { return float64(dropped()[reason]) }, reason)
	}
}

// process adds client_golang's own go_ and process_ families, with the constant
// labels of all the others.
func (s *series) process() {
	registry := prometheus.WrapRegistererWith(s.constant, s.registry)
	registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
}

// severities are the counters of one kind of event, by its severity.
type severities map[event.Severity]prometheus.Counter

// newEvents makes a counter for each severity that events of a kind can have, of
// the kinds that can come with this configuration.
func newEvents(s *series, cfg Config) map[string]severities {
	events := map[string]severities{}
	for _, entry := range event.Catalogue {
		kind := entry.Event.Kind()
		if !cfg.happens(kind) {
			continue
		}
		events[kind] = severities{}
		for _, severity := range event.Severities(entry.Event) {
			events[kind][severity] = s.counter("systole_events_total", kind, severity.String())
		}
	}
	return events
}

func (m *Metrics) count(e event.Event) {
	if counter, ok := m.events[e.Kind()][event.SeverityOf(e)]; ok {
		counter.Inc()
	}
}
