package systemd

import (
	"fmt"
	"path"
	"slices"

	"github.com/godbus/dbus/v5"
)

// KillUnit notes the signal, which ends a unit's job if the unit heeds it.
func (m manager) KillUnit(name, whom string, signal int32) *dbus.Error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.record(fmt.Sprintf("kill %s %s %d", name, whom, signal))
	u := m.units[name]
	if u == nil {
		return failed("NoSuchUnit", "Unit %s not loaded.", name)
	}
	if u.heeds != 0 && u.heeds == signal {
		u.active, u.sub = "active", "exited"
		m.remove(name, u, "done")
	}
	return nil
}

// A listed is what there is to tell of one unit.
type listed struct {
	Name, Description, LoadState, ActiveState, SubState, Followed string
	Path                                                          dbus.ObjectPath
	JobID                                                         uint32
	JobType                                                       string
	JobPath                                                       dbus.ObjectPath
}

// ListUnitsByPatterns knows no escapes in patterns; path.Match does, and no test
// has a name in which that makes a difference.
func (m manager) ListUnitsByPatterns(_, patterns []string) ([]listed, *dbus.Error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []listed
	for name, u := range m.units {
		matches := func(pattern string) bool { ok, err := path.Match(pattern, name); return ok && err == nil }
		if slices.ContainsFunc(patterns, matches) {
			all = append(all, listed{Name: name, LoadState: "loaded", ActiveState: u.active, SubState: u.sub, Path: unitPath(name), JobPath: "/"})
		}
	}
	return all, nil
}
