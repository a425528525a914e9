package main

import (
	"errors"
	"io"
	"log/slog"
	"os"
	"slices"

	"github.com/systole-ha/systole/agent/config"
	"github.com/systole-ha/systole/resources"
	"github.com/systole-ha/systole/resources/fence"
	"github.com/systole-ha/systole/resources/ipaddr"
	"github.com/systole-ha/systole/resources/ocf"
	"github.com/systole-ha/systole/resources/process"
	"github.com/systole-ha/systole/resources/script"
	"github.com/systole-ha/systole/resources/systemd"
)

// Names of the drivers, in events and metrics.
const (
	driverIPAddr  = "ipaddr"
	driverSystemd = "systemd"
	driverScript  = "script"
	driverOCF     = "ocf"
)

// A registry knows what runs each word of haresources.
type registry struct {
	entries  []entry
	software software
	decided  map[string]string // names of drivers, by resource; see decide
	fence    fenceCheck        // nil where devices are not to be asked
}

// An entry is one driver, by the name that events and metrics have for it.
type entry struct {
	name   string
	driver resources.Driver
	words  []string // that are its own whatever is installed here; none for units
}

// addressWords are the resource scripts of heartbeat that hold an address.
var addressWords = []string{"IPaddr", "IPaddr2", "IPv6addr"}

// A machine is what the drivers need to know of this one.
type machine struct {
	node, dir string       // its name, and the folder of its configuration
	log       *slog.Logger // nil for a command, whose programs are its own children
}

// drivers makes the drivers of this machine; addresses are held on these terms.
//
// This is the one place where a word gets a driver of its own: a line with the
// driver's name, the driver, and the words.
func drivers(m machine, t ipaddr.Terms) registry {
	units := systemd.New()
	folders := script.Beside(m.dir)
	env := script.Environment{Node: m.node, Folder: m.dir}
	runner := m.runner(units)
	agents := ocf.Config{
		Root: script.OCFRoot, Folders: []string{m.dir, script.HeartbeatFolder}, Env: env.Variables(), Runner: runner, Thorough: m.log == nil,
	}
	return registry{fence: fence.Device.Check, software: software{systemd.Installed, folders.Find}}.
		with(driverIPAddr, ipaddr.Leased(t), addressWords...).
		with(driverSystemd, units).
		withScriptsBuiltIn(units, runner, m.log).
		with(driverOCF, ocf.New(agents)).
		with(driverScript, script.New(folders, env, runner))
}

// runner has programs run by systemd, or by this process where systemd cannot be
// asked.
func (m machine) runner(units *systemd.Driver) process.Runner {
	if m.log == nil {
		return &process.Direct{}
	}
	return process.Fallback{
		First: units.Jobs(), Second: &process.Direct{Log: os.Stderr},
		Report: func(j process.Job, why error) {
			m.log.Warn("systemd cannot be asked to run a program: it runs with the few rights of the daemon, and what it starts ends with the daemon's unit",
				"resource", j.Resource, "operation", j.Operation, "program", j.Path, "err", why)
		},
	}
}

// with is the registry and one more driver.
func (r registry) with(name string, d resources.Driver, words ...string) registry {
	r.entries = append(slices.Clip(r.entries), entry{name, d, words})
	return r
}

// named is the driver of that name; nil where there is none.
func (r registry) named(name string) resources.Driver {
	for _, e := range r.entries {
		if e.name == name {
			return e.driver
		}
	}
	return nil
}

// find is the driver that is a T, for what only that one can do.
func find[T resources.Driver](r registry) (found T, ok bool) {
	for _, e := range r.entries {
		if found, ok = e.driver.(T); ok {
			return found, true
		}
	}
	return found, false
}

// terms are those of a configuration.
func terms(c *config.Config) ipaddr.Terms {
	t := ipaddr.Terms{Lifetime: c.Lifetime(), Gate: c.Gate(), Keepalive: c.Keepalive, Required: c.Leases == config.LeaseGate}
	for _, g := range c.Groups {
		for _, s := range g.Resources {
			if !slices.Contains(addressWords, s.Name) {
				continue
			}
			if a, err := ipaddr.Parse(s); err == nil && !slices.Contains(t.Addresses, a.IP) {
				t.Addresses = append(t.Addresses, a.IP)
			}
		}
	}
	return t
}

// leasers are the drivers whose resources must be renewed.
func (r registry) leasers() (leasers []resources.Leaser) {
	for _, e := range r.entries {
		if l, ok := e.driver.(resources.Leaser); ok && l.Lease() > 0 {
			leasers = append(leasers, l)
		}
	}
	return leasers
}

// close gives up what the drivers keep open. The resources stay as they are.
func (r registry) close() error {
	var errs []error
	for _, e := range r.entries {
		if c, ok := e.driver.(io.Closer); ok {
			errs = append(errs, c.Close())
		}
	}
	return errors.Join(errs...)
}

// driver returns the driver of a resource and its name. The error is of a word
// that makes no sense on any machine.
func (r registry) driver(s resources.Spec) (name string, d resources.Driver, err error) {
	name, ok := r.decided[s.String()]
	if !ok {
		name = r.choose(s)
	}
	if name == driverOCF {
		_, err = ocf.Parse(s)
	}
	return name, r.named(name), err
}
