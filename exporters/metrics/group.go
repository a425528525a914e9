package metrics

import (
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/systole-ha/systole/agent/event"
)

// A group is one line of haresources on this node.
type group struct {
	ours      bool // this node is the preferred one
	active    prometheus.Gauge
	resources map[string]*resource
	running   bool
	outages   observers // by whether they were planned
}

// A resource is one member of a group.
type resource struct {
	active     prometheus.Gauge
	operations map[string]counters // by operation, then result
}

func newGroup(s *series, cfg Group, node string) *group {
	g := &group{
		ours:      cfg.Preferred == node,
		active:    s.gauge("systole_resource_group_active", cfg.Name),
		resources: map[string]*resource{},
		outages:   s.observersBy("systole_service_outage_seconds", planned, cfg.Name),
	}
	for _, r := range cfg.Resources {
		g.resources[r.Name] = newResource(s, cfg.Name, r)
	}
	return g
}

func newResource(s *series, group string, cfg Resource) *resource {
	r := &resource{
		active:     s.gauge("systole_resource_active", group, cfg.Name, cfg.Driver),
		operations: map[string]counters{},
	}
	for _, operation := range cfg.operations() {
		r.operations[operation] = s.countersBy("systole_resource_operations_total", operationResults, group, cfg.Name, operation)
	}
	return r
}

// operations are those that the resource's driver can be asked for.
func (r Resource) operations() []string {
	if r.Announces {
		return operationNames
	}
	return slices.DeleteFunc(slices.Clone(operationNames), func(o string) bool { return o == "announce" })
}

// newDurations has a histogram for each driver and operation there is.
func newDurations(s *series, groups []Group) map[string]observers {
	durations := map[string]observers{}
	for _, g := range groups {
		for _, r := range g.Resources {
			for operation, o := range s.observersBy("systole_resource_operation_duration_seconds", r.operations(), r.Driver) {
				if durations[r.Driver] == nil {
					durations[r.Driver] = observers{}
				}
				durations[r.Driver][operation] = o
			}
		}
	}
	return durations
}

// groupChanged also settles its resources: all run or none where the group
// does; in between their own operations tell.
func (m *Metrics) groupChanged(e event.GroupStateChanged) {
	g, ok := m.groups[e.Group]
	if !ok {
		return
	}
	g.running = e.To == "running"
	g.active.Set(oneIf(g.running))
	if g.running && g.ours {
		m.standbySince(time.Time{})
	}
	if g.running || e.To == "stopped" {
		for _, r := range g.resources {
			r.active.Set(oneIf(g.running))
		}
	}
}

// operated takes the resource for running once started, and for not running
// once stopped or not startable; a stop that failed leaves that open.
func (m *Metrics) operated(e event.ResourceOperation, of prometheus.Labels) {
	m.durations[e.Driver].observeIn(of, e.Operation, e.Took)
	g, ok := m.groups[e.Group]
	if !ok {
		return
	}
	r, ok := g.resources[e.Resource]
	if !ok {
		return
	}
	r.operations[e.Operation].add(e.Result, 1)
	switch {
	case e.Operation == "start":
		r.active.Set(oneIf(e.Result == "ok"))
	case e.Operation == "stop" && e.Result == "ok":
		r.active.Set(0)
	}
}
