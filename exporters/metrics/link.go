package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/systole-ha/systole/agent/event"
)

// A link is what this node does on one medium, whoever listens.
type link struct {
	open       prometheus.Gauge
	isOpen     bool
	sent       prometheus.Counter
	sendErrors counters // by reason
	rejected   counters // by reason
}

// newLink takes a link for open until it is reported closed, but shows it only
// once it was reported open.
func newLink(s *series, name string) *link {
	return &link{
		open:       s.gauge("systole_link_open", name),
		isOpen:     true,
		sent:       s.counter("systole_heartbeats_sent_total", name),
		sendErrors: s.countersBy("systole_heartbeat_send_errors_total", sendErrors, name),
		rejected:   s.countersBy("systole_heartbeats_rejected_total", rejections, name),
	}
}

func (l *link) opened(open bool) {
	l.isOpen = open
	l.open.Set(oneIf(open))
}

// A sender is this node's own part in the rhythm of its heartbeats.
type sender struct {
	late     prometheus.Counter
	lateness prometheus.Observer
	limit    time.Duration
}

func newSender(s *series, keepalive time.Duration) *sender {
	return &sender{
		late:     s.counter("systole_heartbeats_sent_late_total"),
		lateness: s.histogram("systole_heartbeat_send_lateness_seconds"),
		limit:    min(keepalive/5, 100*time.Millisecond),
	}
}

func (m *Metrics) sent(e event.HeartbeatSent) {
	m.sender.lateness.Observe(e.Late.Seconds())
	if e.Late > m.sender.limit {
		m.sender.late.Inc()
	}
	for _, l := range m.links {
		if l.isOpen {
			l.sent.Inc()
		}
	}
}

// A path is one peer on one link.
type path struct {
	up                          prometheus.Gauge
	turns                       counters // up, down
	received, late              prometheus.Counter
	lost, reordered, duplicated prometheus.Counter
	interval, roundTrip         prometheus.Observer
	variation                   prometheus.Observer
	last                        prometheus.Gauge
}

func newPath(s *series, link, peer string) *path {
	return &path{
		up:         s.gauge("systole_link_up", link, peer),
		turns:      s.countersBy("systole_link_transitions_total", linkTurns, link, peer),
		received:   s.counter("systole_heartbeats_received_total", link, peer),
		late:       s.counter("systole_heartbeats_late_total", link, peer),
		lost:       s.counter("systole_heartbeats_lost_total", link, peer),
		reordered:  s.counter("systole_heartbeats_reordered_total", link, peer),
		duplicated: s.counter("systole_heartbeats_duplicate_total", link, peer),
		interval:   s.histogram("systole_heartbeat_interval_seconds", link, peer),
		roundTrip:  s.histogram("systole_heartbeat_rtt_seconds", link, peer),
		variation:  s.histogram("systole_heartbeat_delay_variation_seconds", link, peer),
		last:       s.gauge("systole_link_last_heartbeat_timestamp_seconds", link, peer),
	}
}

func (p *path) turned(to string, up float64) {
	p.up.Set(up)
	p.turns.add(to, 1)
}

func (p *path) heard(arrival time.Time, e event.HeartbeatReceived, of prometheus.Labels) {
	p.received.Inc()
	p.last.Set(unix(arrival))
	if e.Interval > 0 {
		observe(p.interval, e.Interval.Seconds(), of)
	}
	if e.RoundTrip > 0 {
		p.roundTrip.Observe(e.RoundTrip.Seconds())
	}
	if e.Variation > 0 {
		p.variation.Observe(e.Variation.Seconds())
	}
}

// unix is an instant as Prometheus has it: seconds, by the wall clock.
func unix(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixNano()) / 1e9
}
