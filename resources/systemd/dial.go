package systemd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/godbus/dbus/v5"
)

// A Dialer makes one connection on which systemd answers, ready for use. The
// connection closes when ctx ends. It is called twice for each connection of a
// Driver: go-systemd keeps signals and calls apart.
type Dialer func(ctx context.Context) (*dbus.Conn, error)

// SystemBus dials the system bus. Such a connection survives
// "systemctl daemon-reexec", and not a restart of the bus.
func SystemBus(ctx context.Context) (*dbus.Conn, error) {
	return dialBus(ctx, dbus.SystemBusPrivate)
}

// Bus returns a Dialer for the bus at a D-Bus address, such as
// "unix:path=/run/dbus/system_bus_socket".
func Bus(address string) Dialer {
	return func(ctx context.Context) (*dbus.Conn, error) {
		return dialBus(ctx, func(options ...dbus.ConnOption) (*dbus.Conn, error) {
			return dbus.Dial(address, options...)
		})
	}
}

// PrivateSocket dials systemd itself, which only root may. Such a connection
// survives a restart of the bus, and not "systemctl daemon-reexec".
func PrivateSocket(ctx context.Context) (*dbus.Conn, error) {
	return dial(ctx, func(options ...dbus.ConnOption) (*dbus.Conn, error) {
		return dbus.Dial("unix:path=/run/systemd/private", options...)
	})
}

func dialBus(ctx context.Context, open func(...dbus.ConnOption) (*dbus.Conn, error)) (*dbus.Conn, error) {
	c, err := dial(ctx, open)
	if err != nil {
		return nil, err
	}
	if err = c.Hello(); err == nil {
		err = hasSystemd(ctx, c)
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// hasSystemd finds out whether systemd is on a bus. After a restart of the bus
// it comes some time later, and calls in between would fail.
func hasSystemd(ctx context.Context, c *dbus.Conn) error {
	err := c.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.GetNameOwner", 0, "org.freedesktop.systemd1").Err
	if err != nil {
		return fmt.Errorf("systemd is not on the bus: %w", err)
	}
	return nil
}

// dial opens a connection and makes itself known by user id, which needs no
// look at the list of users.
func dial(ctx context.Context, open func(...dbus.ConnOption) (*dbus.Conn, error)) (*dbus.Conn, error) {
	c, err := open(dbus.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	if err := c.Auth([]dbus.Auth{dbus.AuthExternal(strconv.Itoa(os.Geteuid()))}); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// How long a connection may take, and how hard it is tried. A restart of the
// bus takes well under a second, and so does a daemon-reexec.
const (
	dialTimeout  = time.Second           // for one way to systemd, before the next is tried
	firstPause   = 10 * time.Millisecond // between two rounds of all ways; doubles
	longestPause = 500 * time.Millisecond
	dialPatience = 5 * time.Second // for the rounds of one operation
)

// connection returns the connection there is or makes one, for as long as
// patience allows: 0 is one round.
func (d *Driver) connection(ctx context.Context, patience time.Duration) (*conn, error) {
	begun := time.Now()
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		c, err := d.current(ctx)
		if err == nil || ctx.Err() != nil || time.Since(begun)+pause > patience {
			return c, err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// current returns the connection there is, or goes through the dialers once.
func (d *Driver) current(ctx context.Context) (c *conn, err error) {
	select {
	case c = <-d.conn:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { d.conn <- c }()
	if c != nil && c.life.Err() == nil {
		return c, nil
	}
	var errs []error
	for _, dialer := range d.dialers {
		if c, err = connect(ctx, dialer); err == nil || ctx.Err() != nil {
			return c, err
		}
		errs = append(errs, err)
	}
	return nil, fmt.Errorf("no connection to systemd: %w", errors.Join(errs...))
}
