package systemd

import (
	"context"
	"fmt"
	"path"
	"time"

	systemd "github.com/coreos/go-systemd/v22/dbus"
	names "github.com/coreos/go-systemd/v22/unit"
	"github.com/godbus/dbus/v5"

	"github.com/systole-ha/systole/resources"
)

// A Mount is a file system to be mounted, in the words of systemd.mount(5).
type Mount struct {
	What    string // "/dev/drbd0", "server:/export"; empty: as the unit that there is has it
	Where   string // absolute and clean
	Type    string // empty: as mount(8) finds out
	Options string // with commas between them
	Force   bool   // unmount by force, for servers that are gone
}

// A Mounted is what systemd knows of a place where something may be mounted.
type Mounted struct {
	Status   resources.Status
	What     string // that is mounted, or would be by a unit that there is
	Type     string
	File     string // of the unit; empty for none that is there when nothing is mounted
	Starters []string
}

// MountUnit is the name of the unit that stands for a place.
func MountUnit(where string) string { return names.UnitNamePathEscape(where) + ".mount" }

// Mount mounts a file system and returns when that is done. It is systemd that
// does it, in the name space of mounts that everybody else is in. A unit that
// exists for the place is started as it is; otherwise one is made that lasts
// until the file system is unmounted. Nothing is done where something is mounted
// already.
func (d *Driver) Mount(ctx context.Context, m Mount) error {
	return explained(d.persist(ctx, func(c *conn) error { return c.mount(ctx, m) }))
}

// Unmount unmounts what is mounted in a place, and in places below it, and
// returns when that is done. The error is of one that is in use, too.
func (d *Driver) Unmount(ctx context.Context, where string) error {
	return explained(d.persist(ctx, func(c *conn) error { return c.unmount(ctx, MountUnit(where)) }))
}

// Mounted looks at a place.
func (d *Driver) Mounted(ctx context.Context, where string) (m Mounted, err error) {
	err = d.persist(ctx, func(c *conn) (err error) {
		m, err = c.mounted(ctx, MountUnit(where))
		return err
	})
	return m, explained(err)
}

func (c *conn) mounted(ctx context.Context, name string) (Mounted, error) {
	u, err := c.look(ctx, name)
	if err != nil || u.load == "not-found" {
		return Mounted{Status: resources.Stopped}, err
	}
	m := Mounted{Status: u.status(), Starters: u.wantedBy}
	if u.active == "failed" {
		m.Status = resources.Stopped // it is not mounted
	}
	if !u.transient {
		m.File = u.path
	}
	p, err := c.readType(ctx, name, "Mount")
	m.What, m.Type = get[string](p, "What"), get[string](p, "Type")
	return m, err
}

func (c *conn) mount(ctx context.Context, m Mount) error {
	name := MountUnit(m.Where)
	u, err := c.look(ctx, name)
	if err != nil || u.isRunning() && u.job == 0 {
		return err
	}
	begin := c.manager.StartUnitContext
	switch {
	case u.path != "" && !u.transient || u.load == "masked":
		if err := u.startable(); err != nil {
			return err
		}
	case m.What == "":
		return fmt.Errorf("nothing says what belongs in %s: there is neither a %s nor a line in /etc/fstab", m.Where, name)
	default:
		begin = func(ctx context.Context, name, mode string, done chan<- string) (int, error) {
			return c.makeMount(ctx, name, mode, m, done)
		}
	}
	if err := c.forget(ctx, name); err != nil {
		return err
	}
	result, err := c.carryOut(ctx, name, begin)
	if err != nil {
		return err
	}
	if u, err = c.look(ctx, name); err != nil || u.isRunning() {
		return err
	}
	return c.failure(ctx, u, result)
}

// makeMount asks for a unit that is made for the occasion. One of an earlier
// occasion may be about to be forgotten.
func (c *conn) makeMount(ctx context.Context, name, mode string, m Mount, done chan<- string) (int, error) {
	for begun := time.Now(); ; {
		id, err := c.manager.StartTransientUnitContext(ctx, name, mode, m.properties(), done)
		if !isNamed(err, "org.freedesktop.systemd1.UnitExists") || time.Since(begun) > forgetTime {
			return id, err
		}
		select {
		case <-time.After(forgetPause):
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

// How long systemd may take to forget a unit that has ended, which it does when
// it has nothing else to do, and how often that is looked for.
const (
	forgetTime  = 2 * time.Second
	forgetPause = 10 * time.Millisecond
)

func (m Mount) properties() []systemd.Property {
	list := []systemd.Property{
		{Name: "Description", Value: dbus.MakeVariant(path.Clean(m.Where) + ", for systole")},
		{Name: "What", Value: dbus.MakeVariant(m.What)},
	}
	if m.Type != "" {
		list = append(list, systemd.Property{Name: "Type", Value: dbus.MakeVariant(m.Type)})
	}
	if m.Options != "" {
		list = append(list, systemd.Property{Name: "Options", Value: dbus.MakeVariant(m.Options)})
	}
	if m.Force {
		list = append(list, systemd.Property{Name: "ForceUnmount", Value: dbus.MakeVariant(true)})
	}
	return list
}

func (c *conn) unmount(ctx context.Context, name string) error {
	return c.stop(ctx, name, c.look)
}
