package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/systole-ha/systole/agent/event"
)

// An address is a virtual one of haresources.
type address struct {
	series    *series
	name      string
	device    string // that its present series is labelled with
	conflict  prometheus.Gauge
	conflicts prometheus.Counter
	sent      prometheus.Counter
	failed    prometheus.Counter
}

func newAddress(s *series, cfg Address) *address {
	a := &address{
		series: s, name: cfg.Name, device: cfg.Interface,
		conflict:  s.gauge("systole_address_conflict", cfg.Name),
		conflicts: s.counter("systole_address_conflicts_total", cfg.Name),
		sent:      s.counter("systole_gratuitous_arp_sent_total", cfg.Name),
		failed:    s.counter("systole_gratuitous_arp_errors_total", cfg.Name),
	}
	a.present().Set(0)
	return a
}

func (a *address) present() prometheus.Gauge {
	return a.series.gauge("systole_address_present", a.name, a.device)
}

// addressChanged keeps one series for each address, with the interface where it
// was seen last: haresources need not name it.
func (m *Metrics) addressChanged(e event.AddressChanged) {
	a, ok := m.addresses[e.Address]
	if !ok {
		return
	}
	if e.Interface != a.device {
		if !e.Present {
			return // it was there before it came to where it is
		}
		a.series.forget("systole_address_present", a.name, a.device)
		a.device = e.Interface
	}
	a.present().Set(oneIf(e.Present))
}

func (m *Metrics) addressConflict(e event.AddressConflict) {
	if a, ok := m.addresses[e.Address]; ok {
		a.conflict.Set(1)
		a.conflicts.Inc()
	}
}

func (m *Metrics) addressConflictCleared(e event.AddressConflictCleared) {
	if a, ok := m.addresses[e.Address]; ok {
		a.conflict.Set(0)
	}
}

func (m *Metrics) announced(e event.AddressAnnounced) {
	if a, ok := m.addresses[e.Address]; ok {
		a.sent.Add(float64(e.Sent))
		a.failed.Add(float64(e.Failed))
	}
}
