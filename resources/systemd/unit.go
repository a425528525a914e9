package systemd

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/godbus/dbus/v5"
	"github.com/systole-ha/systole/resources"
)

// suffixes are the types of units that systemd.unit(5) lists.
var suffixes = []string{
	".service", ".socket", ".device", ".mount", ".automount", ".swap",
	".target", ".path", ".timer", ".slice", ".scope",
}

// unitName is the name of the unit that a resource stands for: "nginx" is
// nginx.service, and a name that ends like a unit is left as it is.
func unitName(s resources.Spec) (string, error) {
	if len(s.Args) > 0 {
		return "", fmt.Errorf("a unit takes no arguments: write %s, and what it needs into the unit", s.Name)
	}
	name := s.Name
	if !slices.ContainsFunc(suffixes, func(suffix string) bool { return strings.HasSuffix(name, suffix) }) {
		name += ".service"
	}
	prefix, instance, templated := strings.Cut(strings.TrimSuffix(name, name[strings.LastIndexByte(name, '.'):]), "@")
	switch {
	case strings.Contains(name, "/"):
		return "", fmt.Errorf("%q is a path: \"systemd-escape --path --suffix=mount\" tells the name of its unit", s.Name)
	case prefix == "" || len(name) > 255 || strings.ContainsFunc(name, isForeign):
		return "", fmt.Errorf("%q is not the name of a unit", s.Name)
	case templated && instance == "":
		return "", fmt.Errorf("%s is a template: name an instance, as in %s@a", s.Name, prefix)
	}
	return name, nil
}

// isForeign finds what systemd allows in no unit's name (VALID_CHARS in its
// src/basic/unit-name.c).
func isForeign(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return false
	}
	return !strings.ContainsRune(`:-_.\@`, r)
}

// A unit is what systemd says about one, in the words of its D-Bus interface
// (org.freedesktop.systemd1(5)).
type unit struct {
	name        string
	load        string // "loaded", "not-found", "masked", "bad-setting", "error"
	loadError   string // why load is one of the last two
	active      string // "active", "reloading", "inactive", "failed", "activating", "deactivating", ...
	sub         string // finer, by type: "running", "exited", "auto-restart"
	job         uint32 // queued or running; 0: none
	file        string // "enabled", "disabled", "static", "generated", ...
	wantedBy    []string
	triggeredBy []string
	stale       bool   // the file changed after systemd read it
	noStart     bool   // RefuseManualStart
	noStop      bool   // RefuseManualStop
	path        string // of its file; empty for none
	transient   bool   // somebody asked systemd for it, and no file of the system says so
	unmet       bool   // a Condition= did not hold when it was last started
}

func readUnit(name string, p properties) unit {
	return unit{
		name:        name,
		load:        get[string](p, "LoadState"),
		loadError:   textOf(p["LoadError"]),
		active:      get[string](p, "ActiveState"),
		sub:         get[string](p, "SubState"),
		job:         jobOf(p["Job"]),
		file:        get[string](p, "UnitFileState"),
		wantedBy:    append(get[[]string](p, "WantedBy"), get[[]string](p, "RequiredBy")...),
		triggeredBy: get[[]string](p, "TriggeredBy"),
		stale:       get[bool](p, "NeedDaemonReload"),
		noStart:     get[bool](p, "RefuseManualStart"),
		noStop:      get[bool](p, "RefuseManualStop"),
		path:        get[string](p, "FragmentPath"),
		transient:   get[bool](p, "Transient"),
		unmet:       get[uint64](p, "ConditionTimestamp") != 0 && !get[bool](p, "ConditionResult"),
	}
}

// isRunning reports that the unit does its work. A unit that reloads does.
func (u unit) isRunning() bool {
	return u.active == "active" || u.active == "reloading" || u.active == "refreshing"
}

// isStopped reports that the unit does nothing. A failed one does nothing.
func (u unit) isStopped() bool { return u.active == "inactive" || u.active == "failed" }

func (u unit) status() resources.Status {
	switch {
	case u.isRunning():
		return resources.Running
	case u.active == "inactive":
		return resources.Stopped
	}
	return resources.Failed // failed, or on its way in or out: auto-restart is on its way in
}

// startable says why systemd would refuse to start the unit.
func (u unit) startable() error {
	switch {
	case u.load == "not-found":
		return fmt.Errorf("no such unit %s: is its package installed?", u.name)
	case u.load == "masked":
		return fmt.Errorf("%s is masked: run \"systemctl unmask %s\"", u.name, u.name)
	case u.load != "loaded":
		return fmt.Errorf("%s cannot be loaded (%s): %s", u.name, u.load, u.loadError)
	case u.noStart:
		return fmt.Errorf("%s refuses to be started by hand (RefuseManualStart=yes)", u.name)
	case u.noStop:
		return fmt.Errorf("%s refuses to be stopped by hand (RefuseManualStop=yes), so it could never be handed over", u.name)
	}
	return nil
}

// properties are those of one D-Bus interface of a unit.
type properties map[string]any

// get returns a property, or the zero value where an older systemd lacks it.
func get[T any](p properties, name string) T {
	value, _ := p[name].(T)
	return value
}

// jobOf takes the number out of a Job property, a (uo).
func jobOf(value any) (id uint32) {
	if pair, ok := value.([]any); ok && len(pair) == 2 {
		id, _ = pair[0].(uint32)
	}
	return id
}

// textOf takes the message out of a LoadError property, an (ss).
func textOf(value any) (text string) {
	if pair, ok := value.([]any); ok && len(pair) == 2 {
		text, _ = pair[1].(string)
	}
	return text
}

// isNamed reports whether an error came over D-Bus under one of these names.
func isNamed(err error, names ...string) bool {
	var e dbus.Error
	return errors.As(err, &e) && slices.Contains(names, e.Name)
}
