// Package portblock shuts clients out of ports while a group changes hands: the
// resource portblock of haresources, by nftables.
package portblock

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/nftables"

	"github.com/systole-ha/systole/resources"
	"github.com/systole-ha/systole/resources/mark"
)

// A Driver blocks ports and lets them be reached again, one thing at a time. A
// packet for a blocked port is dropped without an answer, so that a client
// tries again instead of being told that nobody is there.
//
// Block shuts the ports at its start and opens them at its stop. Unblock is the
// other way round: it opens them at its start and shuts them at its stop. In a
// group, block comes first and unblock last, and the ports are shut only while
// what is between them starts or stops. That is why what a portblock has done
// cannot always be seen: it is remembered by a mark, as the script does it.
type Driver struct {
	marks mark.Marks
	turn  chan struct{}
}

var (
	_ resources.Driver    = (*Driver)(nil)
	_ resources.Checker   = (*Driver)(nil)
	_ resources.Parser    = (*Driver)(nil)
	_ resources.Describer = (*Driver)(nil)
)

// New returns a Driver that remembers by these marks what it has started.
func New(marks mark.Marks) *Driver { return &Driver{marks: marks, turn: make(chan struct{}, 1)} }

// Start does what the resource is for, unless it is started.
func (d *Driver) Start(ctx context.Context, s resources.Spec) error {
	return d.do(ctx, "start", s, func(c *nftables.Conn, b Block) error {
		rules, status, err := d.look(c, b, s)
		switch {
		case err != nil || status == resources.Running:
		case b.Unblocks:
			err = b.remove(c, rules)
		default:
			err = b.add(c, rules)
		}
		if err != nil {
			return err
		}
		return d.marks.Set(s, "") // also of ports that were shut before
	})
}

// Stop does the opposite. Of a resource that is not started it leaves the ports
// as they are: block and unblock of the same ports may be stopped in any order.
func (d *Driver) Stop(ctx context.Context, s resources.Spec) error {
	return d.do(ctx, "stop", s, func(c *nftables.Conn, b Block) error {
		rules, status, err := d.look(c, b, s)
		if err != nil {
			return err
		}
		switch {
		case !b.Unblocks:
			err = b.remove(c, rules)
		case status == resources.Running:
			err = b.add(c, rules)
		}
		if err != nil {
			return err
		}
		return d.marks.Clear(s)
	})
}

// Status is that of the script. A block runs while the ports are shut, and also
// after an unblock has opened them again; an unblock runs while they are open
// since it was started.
func (d *Driver) Status(ctx context.Context, s resources.Spec) (status resources.Status, err error) {
	err = d.do(ctx, "status", s, func(c *nftables.Conn, b Block) (err error) {
		_, status, err = d.look(c, b, s)
		return err
	})
	return status, err
}

func (d *Driver) look(c *nftables.Conn, b Block, s resources.Spec) ([]*nftables.Rule, resources.Status, error) {
	rules, err := read(c)
	if err != nil {
		return nil, resources.Unknown, fmt.Errorf("nftables: %w", err)
	}
	status, err := d.marks.Status(s)
	if err != nil {
		return nil, resources.Unknown, err
	}
	switch shut := b.present(rules); {
	case b.Unblocks && shut > 0:
		status = resources.Stopped
	case !b.Unblocks && shut == len(b.Ports):
		status = resources.Running
	case !b.Unblocks && shut > 0 && status == resources.Stopped:
		status = resources.Failed
	}
	return rules, status, nil
}

// Parse judges the arguments.
func (d *Driver) Parse(s resources.Spec) error {
	_, err := Parse(s)
	return err
}

// Describe says what a start does.
func (d *Driver) Describe(s resources.Spec) string {
	b, err := Parse(s)
	if err != nil {
		return strings.Join(s.Args, " ")
	}
	what := "shuts " + s.Args[0] + " " + s.Args[1]
	if b.Unblocks {
		what = "opens " + s.Args[0] + " " + s.Args[1]
	}
	if b.To.IsValid() {
		what += " of " + s.Args[3]
	}
	return what
}

// Check judges the arguments, and whether this kernel has nftables.
func (d *Driver) Check(ctx context.Context, s resources.Spec) []resources.Finding {
	if err := d.Parse(s); err != nil {
		return []resources.Finding{{Fatal: true, Text: err.Error()}}
	}
	if _, err := d.Status(ctx, s); err != nil {
		return []resources.Finding{{Unknown: true, Text: fmt.Sprintf("the ports could not be examined: %v", err)}}
	}
	return nil
}

// do runs one operation when its turn comes. The kernel answers at once, so
// that there is nothing for ctx to cut short.
func (d *Driver) do(ctx context.Context, op string, s resources.Spec, fn func(*nftables.Conn, Block) error) error {
	b, err := Parse(s)
	if err == nil {
		err = d.inTurn(ctx, func(c *nftables.Conn) error { return fn(c, b) })
	}
	if err != nil {
		return &resources.Error{Op: op, Spec: s, Err: err}
	}
	return nil
}

func (d *Driver) inTurn(ctx context.Context, fn func(*nftables.Conn) error) error {
	select {
	case d.turn <- struct{}{}:
		defer func() { <-d.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	c, err := nftables.New()
	if err != nil {
		return fmt.Errorf("nftables: %w", err)
	}
	return fn(c)
}
