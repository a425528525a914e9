// Package systemd holds units: the services of haresources, driven over D-Bus.
package systemd

import (
	"context"
	"os"
	"strings"
	"time"

	"github.com/systole-ha/systole/resources"
)

// A Driver starts and stops units of systemd. It is a resources.Driver and a
// Checker.
//
// It connects when it is first used, to the system bus if it can, as root else
// to systemd's private socket, and again whenever the connection has broken. An
// operation whose connection breaks is taken up once more: it looks at what has
// become of the unit and goes on from there.
type Driver struct {
	dialers  []Dialer      // in order of preference
	patience time.Duration // with them, in one operation
	conn     chan *conn    // holds the one there is, nil when there is none
}

var (
	_ resources.Driver  = (*Driver)(nil)
	_ resources.Checker = (*Driver)(nil)
)

// An Option changes a Driver.
type Option func(*Driver)

// WithDialers replaces the ways to systemd, the preferred one first.
func WithDialers(dialers ...Dialer) Option {
	return func(d *Driver) { d.dialers = dialers }
}

// New returns a Driver that has not connected yet.
func New(options ...Option) *Driver {
	d := &Driver{dialers: []Dialer{SystemBus}, patience: dialPatience, conn: make(chan *conn, 1)}
	d.conn <- nil
	if os.Geteuid() == 0 {
		d.dialers = append(d.dialers, PrivateSocket)
	}
	for _, option := range options {
		option(d)
	}
	return d
}

// Close closes the connection. The units stay as they are.
func (d *Driver) Close() error {
	if c := <-d.conn; c != nil {
		c.end()
	}
	d.conn <- nil
	return nil
}

// Start starts the unit and returns when its job is done and it is active. It
// asks for no job if the unit is active already. When ctx ends first, the job
// goes on; a Stop afterwards replaces it.
func (d *Driver) Start(ctx context.Context, s resources.Spec) error {
	tried := false
	return d.do(ctx, "start", s, func(c *conn, name string) error {
		return c.start(ctx, name, &tried)
	})
}

// Stop stops the unit and returns when it is inactive or failed, neither of
// which does any work. It asks for no job if the unit is that already, or does
// not exist.
func (d *Driver) Stop(ctx context.Context, s resources.Spec) error {
	return d.do(ctx, "stop", s, func(c *conn, name string) error {
		return c.stop(ctx, name, c.read)
	})
}

// Status reports Running for an active unit, also while it reloads; Stopped for
// an inactive one, or none; Failed for a failed one and for one on its way in
// or out, such as waiting to be restarted after a failure.
func (d *Driver) Status(ctx context.Context, s resources.Spec) (resources.Status, error) {
	status := resources.Unknown
	err := d.do(ctx, "status", s, func(c *conn, name string) error {
		u, err := c.read(ctx, name)
		if err == nil {
			status = u.status()
		}
		return err
	})
	return status, err
}

func (d *Driver) do(ctx context.Context, op string, s resources.Spec, fn func(c *conn, name string) error) error {
	name, err := unitName(s)
	if err == nil {
		err = d.persist(ctx, func(c *conn) error { return fn(c, name) })
	}
	if err != nil {
		return &resources.Error{Op: op, Spec: s, Err: explained(err)}
	}
	return nil
}

// persist runs fn, and once more on a new connection if it loses the first.
func (d *Driver) persist(ctx context.Context, fn func(*conn) error) error {
	for attempt := 1; ; attempt++ {
		c, err := d.connection(ctx, d.patience)
		if err != nil {
			return err
		}
		err = fn(c)
		if !c.isLost(err) {
			return err
		}
		c.end()
		if attempt == 2 || ctx.Err() != nil {
			return err
		}
	}
}

// start brings a unit from whatever state it is in to active. Tried is set once
// its former failures are forgotten; a unit found failed after that has failed
// in this very start, whose result was lost with a connection.
func (c *conn) start(ctx context.Context, name string, tried *bool) error {
	u, err := c.read(ctx, name)
	if err != nil || u.isRunning() && u.job == 0 {
		return err
	}
	if *tried && u.active == "failed" {
		return c.failure(ctx, u, "")
	}
	if err := u.startable(); err != nil {
		return err
	}
	if err := c.forget(ctx, name); err != nil {
		return err
	}
	*tried = true
	result, err := c.carryOut(ctx, name, c.manager.StartUnitContext)
	if err != nil {
		return err
	}
	return c.confirm(ctx, name, result)
}

// confirm wants a unit active after its start job.
func (c *conn) confirm(ctx context.Context, name, result string) error {
	if result == "done" && strings.HasSuffix(name, ".service") {
		if err := c.settle(ctx, name); err != nil {
			return err
		}
	}
	u, err := c.read(ctx, name)
	if err != nil || u.isRunning() {
		return err
	}
	return c.failure(ctx, u, result)
}

// settleTime is how long a service is given to die of what it finds wrong at
// its start, if systemd does not wait for it to say that it is ready.
const settleTime = 50 * time.Millisecond

// settle gives a service of Type=simple that time. Its job is done when it has
// been forked, before even its program is known to exist.
func (c *conn) settle(ctx context.Context, name string) error {
	p, err := c.readType(ctx, name, "Service")
	if err != nil || get[string](p, "Type") != "simple" {
		return err
	}
	select {
	case <-time.After(settleTime):
		return nil
	case <-c.life.Done():
		return errLost
	case <-ctx.Done():
		return ctx.Err()
	}
}

// stop ends a unit, which is looked at by read.
func (c *conn) stop(ctx context.Context, name string, read func(ctx context.Context, name string) (unit, error)) error {
	u, err := read(ctx, name)
	if err != nil || u.isStopped() && u.job == 0 {
		return err
	}
	result, err := c.carryOut(ctx, name, c.manager.StopUnitContext)
	if err != nil {
		return err
	}
	if u, err = read(ctx, name); err != nil || u.isStopped() {
		return err
	}
	return c.failure(ctx, u, result)
}

// carryOut asks for a job and waits for its end.
func (c *conn) carryOut(ctx context.Context, name string, want request) (result string, err error) {
	id, done, err := c.enqueue(ctx, name, want)
	if err != nil {
		return "", err
	}
	return c.await(ctx, name, id, done)
}
