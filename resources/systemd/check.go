package systemd

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/systole-ha/systole/resources"
)

// Check judges the unit as it is on this machine now: whether it could be
// started, and who else might start it. It changes nothing, and asks systemd
// for nothing more than once.
func (d *Driver) Check(ctx context.Context, s resources.Spec) []resources.Finding {
	name, err := unitName(s)
	if err != nil {
		return []resources.Finding{{Fatal: true, Text: err.Error()}}
	}
	var u unit
	var service properties
	c, err := d.connection(ctx, 0)
	if err == nil {
		u, err = c.read(ctx, name)
	}
	if err == nil && u.load == "loaded" && strings.HasSuffix(name, ".service") {
		service, err = c.readType(ctx, name, "Service")
	}
	if err != nil {
		return []resources.Finding{{Unknown: true, Text: fmt.Sprintf("%s could not be examined: %v", name, explained(err))}}
	}
	return examine(u, service)
}

func examine(u unit, service properties) (findings []resources.Finding) {
	if err := u.startable(); err != nil {
		return []resources.Finding{{Fatal: true, Text: err.Error()}}
	}
	if isOver(service) {
		return []resources.Finding{{Fatal: true, Text: u.name + " cannot be a resource: " + overText}}
	}
	warn := func(format string, args ...any) {
		findings = append(findings, resources.Finding{Text: fmt.Sprintf(format, args...)})
	}
	if starter := u.starter(); u.file == "enabled" || u.file == "enabled-runtime" || u.file == "generated" && starter != "" {
		warn("%s starts at boot beside systole: run \"systemctl disable %s\"", u.name, u.name)
	} else if starter != "" {
		warn("%s is started by %s beside systole", u.name, starter)
	}
	if len(u.triggeredBy) > 0 {
		warn("%s may start %s again after systole has stopped it: stop and disable it", strings.Join(u.triggeredBy, ", "), u.name)
	}
	if u.stale {
		warn("the file of %s has changed since systemd read it: run \"systemctl daemon-reload\"", u.name)
	}
	return findings
}

// starter names a unit that pulls this one in when it starts; "": none does.
func (u unit) starter() string {
	if len(u.wantedBy) == 0 {
		return ""
	}
	return slices.Min(u.wantedBy)
}
