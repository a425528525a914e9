package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/systole-ha/systole/agent/event"
)

// A watchdog is the device that resets this machine; nil where none is
// configured.
type watchdog struct {
	armed, timeout prometheus.Gauge
	gaps           prometheus.Observer
}

func newWatchdog(s *series, cfg Config) *watchdog {
	if !cfg.Watchdog {
		return nil
	}
	return &watchdog{
		armed:   s.gauge("systole_watchdog_armed"),
		timeout: s.gauge("systole_watchdog_timeout_seconds"),
		gaps:    s.histogram("systole_watchdog_ping_interval_seconds"),
	}
}

func (w *watchdog) record(e event.Event) {
	if w == nil {
		return
	}
	switch e := e.(type) {
	case event.WatchdogArmed:
		w.armed.Set(1)
		w.timeout.Set(e.Timeout.Seconds())
	case event.WatchdogFed:
		w.armed.Set(1)
		w.gaps.Observe(e.Gap.Seconds())
	case event.WatchdogFailed:
		w.armed.Set(0)
	}
}
