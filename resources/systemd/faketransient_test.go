package systemd

import (
	"fmt"
	"slices"
	"strings"

	"github.com/godbus/dbus/v5"
)

// A setting is one property of a unit that is asked for.
type setting struct {
	Name  string
	Value dbus.Variant
}

type auxiliary struct {
	Name     string
	Settings []setting
}

// StartTransientUnit makes a unit and starts it. There must be none of that name
// with a file, which one that was made before has until it is forgotten. What
// happens to it then is as its template in f.transient has it, if there is one.
func (m manager) StartTransientUnit(name, mode string, settings []setting, _ []auxiliary) (dbus.ObjectPath, *dbus.Error) {
	m.mu.Lock()
	if u := m.units[name]; u != nil && !u.missing && u.more["FragmentPath"] != nil {
		if u.onLook != nil {
			u.onLook(u)
		}
		m.mu.Unlock()
		return "", failed("UnitExists", "Unit %s was already loaded or has a fragment file.", name)
	}
	u := &fakeUnit{}
	if m.transient != nil {
		*u = *m.transient
	}
	u.active, u.sub = "inactive", "dead"
	u.more = properties{"Transient": true, "FragmentPath": "/run/systemd/transient/" + name}
	u.mount = properties{}
	var told []string
	for _, s := range settings {
		u.mount[s.Name] = s.Value.Value()
		told = append(told, fmt.Sprintf("%s=%v", s.Name, s.Value.Value()))
	}
	slices.Sort(told)
	m.units[name] = u
	m.record("make " + name + " " + strings.Join(told, " "))
	m.mu.Unlock()
	return m.enqueue("start", name, mode)
}
