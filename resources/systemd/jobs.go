package systemd

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	systemd "github.com/coreos/go-systemd/v22/dbus"
	"golang.org/x/sys/unix"

	"github.com/systole-ha/systole/resources/process"
)

// Jobs runs programs in transient services, one each: a process.Runner. The
// service of a start stays for as long as the resource does, with what the
// program has left running in its control group.
//
// It is a service and not a scope, which holds processes of the caller's: they
// would have the sandbox of systole.service, its few rights and its scheduling.
type Jobs struct {
	systemd *Driver
	settled sync.Map // resources of which nothing is left that an earlier daemon was about to do
}

var _ process.Runner = (*Jobs)(nil)

// Jobs runs programs over the driver's connection.
func (d *Driver) Jobs() *Jobs { return &Jobs{systemd: d} }

const (
	// jobPatience is how long a way to systemd is looked for before a program is
	// run without it: a takeover waits for that.
	jobPatience = 300 * time.Millisecond
	// farewell is how long a program may take to end when it is told to.
	farewell = time.Second
	// cleaning is how long systemd may take to kill one.
	cleaning = 5 * time.Second
	// jobAttempts is how often a job is taken up again whose connection has broken.
	jobAttempts = 3
)

// Run runs the program as a child of systemd.
func (r *Jobs) Run(ctx context.Context, j process.Job) (process.Result, error) {
	if j.Changes {
		if err := r.settle(ctx, j.Resource); err != nil {
			return process.Result{}, err
		}
	}
	t, err := newTransient(ctx, j)
	if err != nil {
		return process.Result{}, err
	}
	defer t.close()
	err = r.start(ctx, t)
	result := process.Result{Output: t.output()}
	switch {
	case errors.Is(err, process.ErrUnavailable):
		return process.Result{}, err
	case ctx.Err() != nil && err != nil:
		r.kill(t.name)
		return process.Result{}, process.Killed(ctx, t.reason(result.Output))
	case err != nil:
		return process.Result{}, explained(err)
	}
	result.Code, err = r.ending(ctx, t.name)
	if !j.Keep || result.Code != 0 || err != nil {
		r.drop(t.name)
	}
	if !j.IsFine(result.Code) && err == nil {
		result.Said = t.reason(result.Output)
	}
	return result, err
}

// start has systemd run the program, and waits until it has ended. What was asked
// for over a connection that broke may have been done: the name of the unit is
// its own, and tells.
func (r *Jobs) start(ctx context.Context, t *transient) error {
	patience := jobPatience
	for attempt := 1; ; attempt++ {
		c, err := r.systemd.connection(ctx, patience)
		if err != nil && attempt == 1 && ctx.Err() == nil {
			return fmt.Errorf("%w: %w", process.ErrUnavailable, err)
		}
		if err != nil {
			return err
		}
		err = t.run(ctx, c, attempt > 1)
		if !c.isLost(err) || attempt == jobAttempts || ctx.Err() != nil {
			return err
		}
		c.end()
		patience = r.systemd.patience
	}
}

// run starts the unit, unless it is there, and waits for its job.
func (t *transient) run(ctx context.Context, c *conn, again bool) error {
	var id int
	var done <-chan string
	known := false
	if again {
		u, err := c.look(ctx, t.name)
		if err != nil {
			return err
		}
		known = u.load != "not-found"
	}
	if !known {
		var err error
		id, done, err = c.enqueue(ctx, t.name, func(ctx context.Context, name, mode string, done chan<- string) (int, error) {
			return c.manager.StartTransientUnitContext(ctx, name, mode, t.properties, done)
		})
		if err != nil {
			return err
		}
	}
	_, err := c.await(ctx, t.name, id, done)
	return err
}

// ending is the exit status of the program. The unit is active even if it has
// failed, until it is dropped.
func (r *Jobs) ending(ctx context.Context, name string) (code int, err error) {
	var p properties
	err = r.systemd.persist(ctx, func(c *conn) (err error) {
		p, err = c.readType(ctx, name, "Service")
		return err
	})
	status := get[int32](p, "ExecMainStatus")
	switch how := get[int32](p, "ExecMainCode"); {
	case err != nil:
		return 0, err
	case how == exited:
		return int(status), nil
	case how == killed || how == dumped:
		return 0, fmt.Errorf("killed by %s", signalName(status))
	}
	return 0, fmt.Errorf("%s has no end of its program: %s", name, get[string](p, "Result"))
}

// drop has systemd forget a unit, without waiting for it. What runs in it goes
// on. That fails with the connection, and leaves an empty unit behind.
func (r *Jobs) drop(name string) { r.cleanUp(func(ctx context.Context, c *conn) { c.drop(ctx, name) }) }

func (c *conn) drop(ctx context.Context, name string) {
	c.ask(ctx, func() error {
		_, err := c.manager.StopUnitContext(ctx, name, "replace", nil)
		return err
	})
	c.forget(ctx, name)
}

// kill ends a program that has not ended in time, and all it has started.
func (r *Jobs) kill(name string) {
	r.cleanUp(func(ctx context.Context, c *conn) { c.killAll(ctx, name) })
}

func (c *conn) killAll(ctx context.Context, name string) {
	signal := func(s unix.Signal) {
		c.ask(ctx, func() error { return c.manager.KillUnitWithTarget(ctx, name, systemd.All, int32(s)) })
	}
	signal(unix.SIGTERM)
	over := time.After(farewell)
	look := time.NewTicker(farewell / 20)
	defer look.Stop()
	for waiting := true; waiting; {
		select {
		case <-over:
			waiting = false
		case <-look.C:
			u, err := c.look(ctx, name)
			waiting = err == nil && u.active == "activating"
		}
	}
	signal(unix.SIGKILL)
	c.drop(ctx, name)
}

func (r *Jobs) cleanUp(work func(context.Context, *conn)) {
	ctx, cancel := context.WithTimeout(context.Background(), cleaning)
	defer cancel()
	if c, err := r.systemd.connection(ctx, 0); err == nil {
		work(ctx, c)
	}
}

// Started looks for the unit of a start that has ended well.
func (r *Jobs) Started(ctx context.Context, resource string) (started bool, err error) {
	err = r.each(ctx, resource, func(_ *conn, u jobUnit) { started = started || u.isStart() })
	return started, err
}

// Forget drops that unit.
func (r *Jobs) Forget(ctx context.Context, resource string) error {
	return r.each(ctx, resource, func(c *conn, u jobUnit) {
		if u.isStart() {
			c.drop(ctx, u.name)
		}
	})
}

// settle ends what an earlier daemon was about to do to a resource when it ended
// itself, the first time that this one does anything to it.
func (r *Jobs) settle(ctx context.Context, resource string) error {
	if _, done := r.settled.Load(resource); done {
		return nil
	}
	err := r.each(ctx, resource, func(c *conn, u jobUnit) {
		if !u.isStart() {
			c.killAll(ctx, u.name)
		}
	})
	if err == nil {
		r.settled.Store(resource, true)
	}
	return err
}

// each goes through the units of a resource.
func (r *Jobs) each(ctx context.Context, resource string, f func(*conn, jobUnit)) error {
	prefix := jobPrefix(resource)
	pattern := strings.ReplaceAll(prefix, `\`, "?") + "*.service" // in which systemd has no escapes
	c, units, err := r.list(ctx, pattern)
	if c != nil && c.isLost(err) && ctx.Err() == nil { // before we asked, perhaps: once more
		c.end()
		c, units, err = r.list(ctx, pattern)
	}
	if err != nil {
		return explained(err)
	}
	for _, u := range units {
		if operation, ok := jobOperation(prefix, u.Name); ok {
			f(c, jobUnit{u.Name, operation, u.ActiveState})
		}
	}
	return nil
}

func (r *Jobs) list(ctx context.Context, pattern string) (c *conn, units []systemd.UnitStatus, err error) {
	if c, err = r.systemd.connection(ctx, jobPatience); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", process.ErrUnavailable, err)
	}
	err = c.ask(ctx, func() error {
		units, err = c.manager.ListUnitsByPatternsContext(ctx, nil, []string{pattern})
		return err
	})
	return c, units, err
}

// A jobUnit is a unit that is there.
type jobUnit struct{ name, operation, active string }

// isStart reports that the unit is that of a start which has ended well. All
// others are dropped when they have ended.
func (u jobUnit) isStart() bool { return u.operation == "start" && u.active == "active" }
