package systemd

import (
	"context"
	"fmt"
	"os"

	"github.com/godbus/dbus/v5"
)

// OwnJob is the type of the job that systemd has for the unit of this very
// process: "restart", "stop", "start", … as org.freedesktop.systemd1(5) names
// them; empty where it has none, or this process is of no unit. A unit that is
// restarted has one job, of type restart until its processes have ended and of
// type start from then on; try-restart of a running unit is a restart.
//
// It asks once and does not try again.
func (d *Driver) OwnJob(ctx context.Context) (string, error) {
	c, err := d.connection(ctx, 0)
	if err != nil {
		return "", err
	}
	name, err := c.ownUnit(ctx)
	if err != nil || name == "" {
		return "", err
	}
	return c.jobType(ctx, name)
}

// Returns reports whether a unit runs, or will by itself: it is being started or
// restarted, or waits to be.
func (d *Driver) Returns(ctx context.Context, name string) (bool, error) {
	c, err := d.connection(ctx, d.patience)
	if err != nil {
		return false, err
	}
	job, err := c.jobType(ctx, name)
	if err != nil {
		return false, err
	}
	u, err := c.read(ctx, name)
	return err == nil && (u.isRunning() || u.active == "activating" || job == "start" || job == "restart"), err
}

// ownUnit is the unit of this process; empty where there is none.
func (c *conn) ownUnit(ctx context.Context) (name string, err error) {
	err = c.ask(ctx, func() error {
		name, err = c.manager.GetUnitNameByPID(ctx, uint32(os.Getpid()))
		return err
	})
	if isNamed(err, "org.freedesktop.systemd1.NoUnitForPID") {
		return "", nil
	}
	return name, err
}

// jobType is the type of a unit's job; empty for none.
func (c *conn) jobType(ctx context.Context, name string) (string, error) {
	var id uint32
	err := c.ask(ctx, func() error {
		p, err := c.manager.GetUnitPropertiesContext(ctx, name)
		id = jobOf(p["Job"])
		return err
	})
	if err != nil || id == 0 {
		return "", err
	}
	var kind dbus.Variant
	err = c.ask(ctx, func() error {
		const get = "org.freedesktop.DBus.Properties.Get"
		job := c.calls.Object("org.freedesktop.systemd1", dbus.ObjectPath(fmt.Sprintf("/org/freedesktop/systemd1/job/%d", id)))
		return job.CallWithContext(ctx, get, 0, "org.freedesktop.systemd1.Job", "JobType").Store(&kind)
	})
	if isNamed(err, "org.freedesktop.DBus.Error.UnknownObject") {
		return "", nil // it has just ended
	}
	word, ok := kind.Value().(string)
	if err == nil && !ok {
		err = fmt.Errorf("the type of job %d is no word", id)
	}
	return word, err
}
