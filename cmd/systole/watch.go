package main

import (
	"context"
	"slices"
	"time"

	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/agent/takeover"
	"github.com/systole-ha/systole/exporters/metrics"
	"github.com/systole-ha/systole/resources"
	"github.com/systole-ha/systole/resources/ipaddr"
	"github.com/systole-ha/systole/resources/systemd"
)

// watch tells of what becomes of the resources of haresources beside the
// orders of the agent, until ctx ends: units that crash, addresses that somebody
// takes away or has as well.
//
// It runs beside the agent: judge may wait for the loop, and then the watch
// waits, and nothing else does.
func (d *daemon) watch(ctx context.Context, judge judge) {
	var units, addresses []resources.Spec
	for _, s := range d.specs() {
		switch name, _, _ := d.registry.driver(s); name {
		case driverIPAddr:
			addresses = append(addresses, s)
		case driverSystemd:
			units = append(units, s)
		}
	}
	w := noter{judge: judge, named: namedBy(addresses)}
	if s, ok := find[*systemd.Driver](d.registry); ok && len(units) > 0 {
		ended := make(chan struct{})
		go func() { defer close(ended); s.Watch(ctx, units, w) }()
		defer func() { <-ended }()
	}
	if a, ok := find[*ipaddr.Driver](d.registry); ok && len(addresses) > 0 {
		d.watchAddresses(ctx, a, addresses, w)
	}
}

// watchAgain is how long after a failure addresses are watched again.
const watchAgain = 5 * time.Second

func (d *daemon) watchAddresses(ctx context.Context, driver *ipaddr.Driver, addresses []resources.Spec, w noter) {
	for ctx.Err() == nil {
		if err := driver.Watch(ctx, addresses, w); err != nil {
			d.log.Warn("addresses are not watched", "err", err)
		}
		select {
		case <-time.After(watchAgain):
		case <-ctx.Done():
		}
	}
}

// specs are all resources of haresources.
func (d *daemon) specs() (all []resources.Spec) {
	for _, g := range d.cfg.Groups {
		all = append(all, g.Resources...)
	}
	return all
}

// A judge is told of what concerns who holds what, and of the rest: the agent.
type judge interface {
	Note(event.Event)
	Carriers([]takeover.Carrier)
	Lost(e event.AddressLost, resources []string)
	Contested(e event.AddressConflict, resources []string)
}

// A noter makes events of what the drivers see, and inputs of what is to have
// consequences.
type noter struct {
	judge
	named map[string][]resources.Spec // the resources of each address
}

// resources are those of an address, by their names.
func (w noter) resources(address string) (names []string) {
	for _, s := range w.named[address] {
		names = append(names, s.String())
	}
	return names
}

// namedBy finds resources by their address, as the watch names it.
func namedBy(addresses []resources.Spec) map[string][]resources.Spec {
	named := map[string][]resources.Spec{}
	for _, s := range addresses {
		if name, err := ipaddr.Spelled(s); err == nil {
			named[name] = append(named[name], s)
		}
	}
	return named
}

// AddressesCarried tells the judgement.
func (w noter) AddressesCarried(changed []ipaddr.Carrier) {
	var all []takeover.Carrier
	for _, c := range changed {
		for _, name := range w.resources(c.Address) {
			all = append(all, takeover.Carrier{Resource: name, Interface: c.Interface, Lost: c.Lost})
		}
	}
	w.Carriers(all)
}

// AddressLost has it put back, if it is to be here.
func (w noter) AddressLost(l ipaddr.Loss) {
	w.Lost(event.AddressLost(l), w.resources(l.Address))
}

// AddressConflict has the neighbours told again who has it.
func (w noter) AddressConflict(c ipaddr.Conflict) {
	w.Contested(event.AddressConflict(c), w.resources(c.Address))
}

func (w noter) UnitStateChanged(c systemd.StateChange) { w.Note(event.UnitStateChanged(c)) }
func (w noter) UnitRestarted(r systemd.Restart)        { w.Note(event.UnitRestarted(r)) }
func (w noter) AddressChanged(c ipaddr.Change)         { w.Note(event.AddressChanged(c)) }
func (w noter) AddressAnnounced(a ipaddr.Announcement) { w.Note(event.AddressAnnounced(a)) }
func (w noter) AddressConflictCleared(c ipaddr.ConflictEnd) {
	w.Note(event.AddressConflictCleared(c))
}

// measureWatched adds to the metrics' configuration what is watched, by the
// names that the events have.
func (d *daemon) measureWatched(m *metrics.Config) {
	for _, s := range d.specs() {
		switch name, _, _ := d.registry.driver(s); name {
		case driverIPAddr:
			a, err := ipaddr.Parse(s)
			spelled, _ := ipaddr.Spelled(s)
			known := slices.ContainsFunc(m.Addresses, func(other metrics.Address) bool { return other.Name == spelled })
			if err == nil && !known {
				m.Addresses = append(m.Addresses, metrics.Address{Name: spelled, Interface: a.Interface})
			}
		case driverSystemd:
			if unit := unitOf(s); !slices.Contains(m.Units, unit) {
				m.Units = append(m.Units, unit)
			}
		}
	}
}
