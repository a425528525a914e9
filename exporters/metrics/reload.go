package metrics

import (
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/systole-ha/systole/agent/event"
)

// reloads are how the newest reading of the configuration ended: that of the
// start, which was a success, or this daemon would not run.
type reloads struct {
	fine prometheus.Gauge
	last prometheus.Gauge // that was
	keys map[Key]bool     // in use
}

func newReloads(s *series, cfg Config) reloads {
	r := reloads{
		fine: s.gauge("systole_config_last_reload_successful"),
		last: s.gauge("systole_config_last_reload_success_timestamp_seconds"),
		keys: map[Key]bool{},
	}
	r.fine.Set(1)
	r.last.Set(unix(cfg.Now()))
	for _, k := range cfg.Keys {
		r.keys[k] = true
		s.gauge("systole_auth_key_info", k.ID, k.Method).Set(1)
	}
	return r
}

// reloaded replaces the series of the keys: those that are gone vanish, those
// that stay are there in every scrape.
func (m *Metrics) reloaded(at time.Time, e event.ConfigReloaded) {
	m.reloads.fine.Set(1)
	m.reloads.last.Set(unix(at))
	keys := map[Key]bool{}
	for _, name := range e.Keys {
		id, method, _ := strings.Cut(name, " ")
		k := Key{id, method}
		keys[k] = true
		m.series.gauge("systole_auth_key_info", k.ID, k.Method).Set(1)
	}
	for k := range m.reloads.keys {
		if !keys[k] {
			m.series.forget("systole_auth_key_info", k.ID, k.Method)
		}
	}
	m.reloads.keys = keys
}
