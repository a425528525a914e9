package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/systole-ha/systole/agent/event"
)

// A permission is what lets this node hold addresses; nothing of it is shown
// where nothing is needed.
type permission struct {
	evidence *stateSet // nil where no policy is configured
	arbiters map[string]prometheus.Gauge
}

// ofPermission are the kinds of events that come only where it is wanted.
var ofPermission = map[string]bool{
	event.PermissionChanged{}.Kind(): true,
	event.ArbiterChanged{}.Kind():    true,
}

func newPermission(s *series, cfg Config) permission {
	p := permission{arbiters: map[string]prometheus.Gauge{}}
	if !cfg.Permission {
		return p
	}
	p.evidence = s.stateSet("systole_permission", permissions, "nothing")
	for _, name := range cfg.Arbiters {
		p.arbiters[name] = s.gauge("systole_arbiter_up", name)
	}
	return p
}

func (p permission) changed(e event.PermissionChanged) {
	if p.evidence != nil {
		p.evidence.set(e.To)
	}
}

func (p permission) arbiter(e event.ArbiterChanged) {
	if g := p.arbiters[e.Arbiter]; g != nil {
		g.Set(oneIf(e.Up))
	}
}
