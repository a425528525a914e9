package main

import (
	"fmt"
	"path"
	"slices"

	"github.com/systole-ha/systole/agent/config"
	"github.com/systole-ha/systole/resources"
	"github.com/systole-ha/systole/resources/ocf"
	"github.com/systole-ha/systole/resources/script"
)

// A software is what is installed on a machine. Its zero value has nothing.
type software struct {
	unit   func(resources.Spec) bool
	script func(name string) (path string, err error)
}

func (p software) hasUnit(s resources.Spec) bool { return p.unit != nil && p.unit(s) }

// scriptOf is the path of a script; empty where there is none.
func (p software) scriptOf(s resources.Spec) string {
	if p.script == nil {
		return ""
	}
	path, err := p.script(s.Name)
	if err != nil {
		return ""
	}
	return path
}

// decide settles what runs each resource for as long as this daemon runs: what is
// installed or removed meanwhile is not to stop what something else has started.
// It looks at files, which no takeover is to wait for.
func (r registry) decide(c *config.Config) registry {
	r.decided = map[string]string{}
	for _, g := range c.Groups {
		for _, s := range g.Resources {
			r.decided[s.String()] = r.choose(s)
		}
	}
	return r
}

// choose is the name of the driver for a resource: the one that has the word for
// its own; an OCF agent where the word says so; a script where there are
// arguments, which no unit takes; the unit of that name; the script of that name,
// where there is no unit. Heartbeat knows no units, and runs the script.
func (r registry) choose(s resources.Spec) string {
	for _, e := range r.entries {
		if slices.Contains(e.words, s.Name) {
			return e.name
		}
	}
	_, known := script.Known[s.Name]
	switch {
	case ocf.Is(s):
		return driverOCF
	case len(s.Args) > 0:
		return driverScript
	case isUnitName(s.Name), r.software.hasUnit(s):
		return driverSystemd
	case known, r.software.scriptOf(s) != "":
		return driverScript
	}
	return driverSystemd
}

// why is what else might be expected to run a resource, and why it does not;
// empty where nothing might.
func (r registry) why(s resources.Spec, name string) string {
	path := r.software.scriptOf(s)
	switch {
	case name == driverSystemd && path != "" && !isUnitName(s.Name):
		return fmt.Sprintf("not %s: a unit goes before a script", path)
	case name == driverScript && len(s.Args) == 0 && path != "":
		return fmt.Sprintf("there is no unit %s", unitOf(s))
	}
	return ""
}

// unitTypes are the endings of unit names, systemd.unit(5).
var unitTypes = []string{".service", ".socket", ".device", ".mount", ".automount", ".swap", ".target", ".path", ".timer", ".slice", ".scope"}

// unitOf is the name of the systemd unit that a word stands for: a service
// unless the word says otherwise, as with systemctl.
func unitOf(s resources.Spec) string {
	if isUnitName(s.Name) {
		return s.Name
	}
	return s.Name + ".service"
}

// isUnitName reports that a word can be nothing but a unit.
func isUnitName(word string) bool { return slices.Contains(unitTypes, path.Ext(word)) }
