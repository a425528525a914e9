package systemd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	systemd "github.com/coreos/go-systemd/v22/dbus"
	"github.com/godbus/dbus/v5"
)

// A conn is a connection to systemd, good until its life ends.
type conn struct {
	manager *systemd.Conn
	calls   *dbus.Conn         // the half of manager for calls
	pinned  sync.Map           // names of units, see pin
	life    context.Context    // ends when either half of the connection is closed
	end     context.CancelFunc // closes both
	turn    chan struct{}      // of asking for a job: go-systemd lets one at a time, behind a lock that knows no context
}

// errLost is the error of an operation whose connection broke.
var errLost = errors.New("connection to systemd lost")

// connect dials both halves. Neither godbus nor go-systemd can be told when to
// give up on that, so it goes on in the background when ctx ends or the time is
// up, until it notices that its life has ended too.
func connect(ctx context.Context, dialer Dialer) (*conn, error) {
	life, end := context.WithCancel(context.Background())
	c := &conn{life: life, end: end, turn: make(chan struct{}, 1)}
	dialled := make(chan error, 1)
	go func() {
		var err error
		c.manager, err = systemd.NewConnection(func() (*dbus.Conn, error) {
			half, err := dialer(life)
			if err == nil {
				context.AfterFunc(half.Context(), end)
				c.calls = cmp.Or(c.calls, half) // it asks for that one first
			}
			return half, err
		})
		dialled <- err
	}()
	var err error
	select {
	case err = <-dialled:
	case <-ctx.Done():
		err = ctx.Err()
	case <-time.After(dialTimeout):
		err = fmt.Errorf("no answer within %v", dialTimeout)
	}
	if err != nil {
		end()
		return nil, err
	}
	return c, nil
}

// ask makes one call. A connection that leaves it unanswered until ctx ends is
// given up, so that its unread requests never fill it to the point where the
// next would block.
func (c *conn) ask(ctx context.Context, call func() error) error {
	err := call()
	if err != nil && ctx.Err() != nil {
		c.end()
		return ctx.Err()
	}
	return err
}

// isLost reports whether an operation failed for its connection, and not for
// what it wanted.
func (c *conn) isLost(err error) bool {
	if err == nil {
		return false
	}
	return c.life.Err() != nil || errors.Is(err, errLost) || errors.Is(err, dbus.ErrClosed) || errors.Is(err, io.EOF) ||
		errors.As(err, new(*net.OpError)) || // it broke and we are the first to notice
		isNamed(err, // systemd left the bus, which still works
			"org.freedesktop.DBus.Error.NoReply",
			"org.freedesktop.DBus.Error.Disconnected",
			"org.freedesktop.DBus.Error.NameHasNoOwner",
			"org.freedesktop.DBus.Error.ServiceUnknown")
}

// read asks for what there is to know about a unit of any type. A unit that is
// not loaded is loaded for it; one that does not exist is one that is not
// loaded.
func (c *conn) read(ctx context.Context, name string) (unit, error) {
	if err := c.pin(ctx, name); err != nil {
		return unit{}, err
	}
	return c.look(ctx, name)
}

// look is read without pin: a unit that was made for an occasion must be
// forgotten when that is over, or none of its name could be made again.
func (c *conn) look(ctx context.Context, name string) (u unit, err error) {
	err = c.ask(ctx, func() error {
		p, err := c.manager.GetUnitPropertiesContext(ctx, name)
		u = readUnit(name, p)
		return err
	})
	return u, err
}

// pin has systemd keep a unit loaded for as long as this connection lives. A
// unit that does nothing and that nobody wants, which is what a disabled unit
// on the standby node is, would be forgotten after each call and read again,
// with its reasons for failing gone, at the next: 10 to 25 ms for each look,
// and several looks a takeover.
//
// It does no harm if it fails, as it does for units that do not exist, for
// users without the right, and on the private socket.
func (c *conn) pin(ctx context.Context, name string) error {
	if _, done := c.pinned.LoadOrStore(name, true); done {
		return nil
	}
	manager := c.calls.Object("org.freedesktop.systemd1", "/org/freedesktop/systemd1")
	err := c.ask(ctx, func() error {
		return manager.CallWithContext(ctx, "org.freedesktop.systemd1.Manager.RefUnit", 0, name).Err
	})
	if ctx.Err() != nil || c.isLost(err) {
		return err
	}
	return nil
}

// readType asks for the properties that a unit has by its type: "Service" for
// one.
func (c *conn) readType(ctx context.Context, name, kind string) (p properties, err error) {
	err = c.ask(ctx, func() error {
		p, err = c.manager.GetUnitTypePropertiesContext(ctx, name, kind)
		return err
	})
	return p, err
}

// forget clears the failures of a unit and its count of starts. Starts by
// D-Bus count for StartLimitBurst= too, and some five takeovers in ten seconds
// would be one too many.
func (c *conn) forget(ctx context.Context, name string) error {
	err := c.ask(ctx, func() error { return c.manager.ResetFailedUnitContext(ctx, name) })
	if isNamed(err, "org.freedesktop.systemd1.NoSuchUnit") {
		return nil // not loaded at this moment: nothing to forget
	}
	return err
}

// A request asks systemd for a job and has the result sent to a channel.
type request func(ctx context.Context, name, mode string, done chan<- string) (int, error)

// enqueue asks for a job. Its mode is "replace": it wins over what an earlier
// request of ours or somebody else's has left in the queue.
func (c *conn) enqueue(ctx context.Context, name string, want request) (id int, done <-chan string, err error) {
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return 0, nil, ctx.Err()
	}
	result := make(chan string, 1) // go-systemd stops reading signals until it is rid of a result
	err = c.ask(ctx, func() error {
		id, err = want(ctx, name, "replace", result)
		return err
	})
	return id, result, err
}

// await waits for the end of a job and returns its result. The result is empty
// when the job has gone without one: its signal is not repeated, and may have
// been lost in a daemon-reexec.
func (c *conn) await(ctx context.Context, name string, id int, done <-chan string) (string, error) {
	look := time.NewTicker(lookInterval)
	defer look.Stop()
	for {
		select {
		case result := <-done:
			return result, nil
		case <-c.life.Done():
			return "", errLost
		case <-ctx.Done():
			return "", ctx.Err()
		case <-look.C:
			if u, err := c.look(ctx, name); err != nil || u.job == 0 || id != 0 && u.job != uint32(id) {
				return "", err
			}
		}
	}
}

// lookInterval is how often a job is looked at while its signal is awaited.
const lookInterval = time.Second
