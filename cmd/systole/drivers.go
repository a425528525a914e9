package main

import (
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/systole-ha/systole/agent/config"
	"github.com/systole-ha/systole/resources"
	"github.com/systole-ha/systole/resources/fence"
	"github.com/systole-ha/systole/resources/ipaddr"
	"github.com/systole-ha/systole/resources/systemd"
)

// Names of the drivers, in events and metrics.
const (
	driverIPAddr  = "ipaddr"
	driverSystemd = "systemd"
)

// A registry knows what runs each word of haresources.
type registry struct {
	entries []entry
	fence   fenceCheck // nil where devices are not to be asked
}

// An entry is one driver, by the name that events and metrics have for it.
type entry struct {
	name   string
	driver resources.Driver
	words  []string // that are its own whatever is installed here; none for units
}

// addressWords are the resource scripts of heartbeat that hold an address.
var addressWords = []string{"IPaddr", "IPaddr2", "IPv6addr"}

// drivers makes the drivers of this machine; addresses are held on these terms.
//
// This is the one place where a word gets a driver of its own: a line with the
// driver's name, the driver, and the words.
func drivers(t ipaddr.Terms) registry {
	return registry{fence: fence.Device.Check}.
		with(driverIPAddr, ipaddr.Leased(t), addressWords...).
		with(driverSystemd, systemd.New()).
		withScriptsBuiltIn()
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

// driver returns the driver of a resource and its name. A word that a driver
// has for its own is run by that one; any other word without arguments is a
// systemd unit. The error says what the word did in heartbeat and what to write
// instead.
func (r registry) driver(s resources.Spec) (name string, d resources.Driver, err error) {
	for _, e := range r.entries {
		if slices.Contains(e.words, s.Name) {
			return e.name, e.driver, nil
		}
	}
	if w, ok := scripts[s.Name]; ok {
		return "", nil, fmt.Errorf("%s, which this version does not do; %s", w.does, w.instead)
	}
	if len(s.Args) > 0 {
		return "", nil, fmt.Errorf("a systemd unit takes no arguments; write one that has them in it, such as %s@%s, and name that",
			s.Name, strings.Join(s.Args, "-"))
	}
	return driverSystemd, r.named(driverSystemd), nil
}

// A script is one of heartbeat's resource scripts that is no init script, and
// so has no unit to stand for it.
type script struct{ does, instead string }

const (
	asUnit  = "write a systemd unit that does it, and name that"
	noDRBD  = "write a oneshot unit that runs drbdadm primary, and drbdadm secondary to stop, and name that"
	leaveIt = "remove it"
)

// scripts are those of resource.d in heartbeat 3.0.6, of DRBD, and of earlier
// versions of both.
var scripts = map[string]script{
	"datadisk":          {"it switches a DRBD device (of DRBD 0.6)", noDRBD},
	"drbddisk":          {"it switches a DRBD device", noDRBD},
	"drbdupper":         {"it switches a stacked DRBD device", noDRBD},
	"Filesystem":        {"it mounts a file system", "write a mount unit, such as srv-data.mount for /srv/data, without enabling it, and name that"},
	"LVM":               {"it activates a volume group", asUnit},
	"Raid1":             {"it assembles a software RAID", asUnit},
	"LinuxSCSI":         {"it attaches a SCSI device", asUnit},
	"ServeRAID":         {"it switches an IBM ServeRAID controller", asUnit},
	"ICP":               {"it switches an ICP Vortex controller", asUnit},
	"EvmsSCC":           {"it activates shared EVMS containers", asUnit},
	"MailTo":            {"it sends a mail at every takeover", "remove it; alerts on takeovers are what the metrics and the journal are for"},
	"WinPopup":          {"it sends a message at every takeover", "remove it; alerts on takeovers are what the metrics and the journal are for"},
	"AudibleAlarm":      {"it sounds an alarm while this node holds the group", "remove it; alerts on takeovers are what the metrics and the journal are for"},
	"Xinetd":            {"it switches a service of xinetd", "write a socket unit, and name that"},
	"LVSSyncDaemonSwap": {"it swaps the roles of the LVS synchronisation daemons", asUnit},
	"ldirectord":        {"it runs ldirectord with a configuration of its own", "write ldirectord.service without arguments, or a unit that has them in it"},
	"WAS":               {"it runs IBM WebSphere", asUnit},
	"db2":               {"it runs IBM DB2", asUnit},
	"ids":               {"it runs IBM Informix", asUnit},
	"OCF":               {"it runs an OCF resource agent", asUnit},
}

// unitTypes are the endings of unit names, systemd.unit(5).
var unitTypes = []string{".service", ".socket", ".device", ".mount", ".automount", ".swap", ".target", ".path", ".timer", ".slice", ".scope"}

// unitOf is the name of the systemd unit that a word stands for: a service
// unless the word says otherwise, as with systemctl.
func unitOf(s resources.Spec) string {
	if slices.Contains(unitTypes, path.Ext(s.Name)) {
		return s.Name
	}
	return s.Name + ".service"
}
