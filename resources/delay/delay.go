// Package delay waits: the resource Delay of haresources.
package delay

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/systole-ha/systole/resources"
	"github.com/systole-ha/systole/resources/mark"
)

// A Driver waits when a resource is started, and when it is stopped.
type Driver struct{ marks mark.Marks }

var (
	_ resources.Driver  = (*Driver)(nil)
	_ resources.Checker = (*Driver)(nil)
	_ resources.Parser  = (*Driver)(nil)
)

// New returns a Driver that remembers by these marks what it has started.
func New(marks mark.Marks) *Driver { return &Driver{marks: marks} }

// Delays are how long a Delay waits.
type Delays struct{ Start, Stop time.Duration }

// unset is the delay of a Delay without arguments (resource.d/Delay of
// heartbeat 3.0.6).
const unset = 10 * time.Second

// Parse reads the arguments of a Delay: [start[::stop]], in seconds, with a
// fraction or without. The delay at the stop is that of the start unless it is
// given.
//
// Source: resource.d/Delay of heartbeat 3.0.6, and the description of stopdelay
// in the agent of resource-agents that it calls. That agent then waits 30 s
// instead, at a stop and at each look; this does not.
func Parse(s resources.Spec) (d Delays, err error) {
	if len(s.Args) > 2 {
		return d, fmt.Errorf("%s takes at most two arguments, the delays at start and stop: write %s::%s::%s", s.Name, s.Name, s.Args[0], s.Args[1])
	}
	d.Start = unset
	if len(s.Args) > 0 {
		if d.Start, err = seconds(s.Args[0]); err != nil {
			return Delays{}, err
		}
	}
	d.Stop = d.Start
	if len(s.Args) > 1 {
		if d.Stop, err = seconds(s.Args[1]); err != nil {
			return Delays{}, err
		}
	}
	return d, nil
}

// seconds reads digits with one point among them at most, as the agent's own
// check does. A wait that outlasts the time limit of an operation can only fail.
func seconds(text string) (time.Duration, error) {
	number, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil || strings.Trim(text, "0123456789.") != "":
		return 0, fmt.Errorf("%q is not a delay: write seconds without a unit, as in 10 or 0.5", text)
	case number >= resources.Timeout.Seconds():
		return 0, fmt.Errorf("a delay of %s s is no use: starts and stops fail when they have taken %v", text, resources.Timeout)
	}
	return time.Duration(number * float64(time.Second)), nil
}

// Parse judges the arguments.
func (d *Driver) Parse(s resources.Spec) error {
	_, err := Parse(s)
	return err
}

// Check judges the arguments: there is nothing else that could go wrong.
func (d *Driver) Check(_ context.Context, s resources.Spec) []resources.Finding {
	if err := d.Parse(s); err != nil {
		return []resources.Finding{{Fatal: true, Text: err.Error()}}
	}
	return nil
}

// Start waits, unless the resource is started already.
func (d *Driver) Start(ctx context.Context, s resources.Spec) error {
	return failed("start", s, d.start(ctx, s))
}

func (d *Driver) start(ctx context.Context, s resources.Spec) error {
	delays, err := Parse(s)
	if err != nil {
		return err
	}
	if _, started, err := d.marks.Get(s); err != nil || started {
		return err
	}
	if err := wait(ctx, delays.Start); err != nil {
		return err
	}
	return d.marks.Set(s, "")
}

// Stop waits, unless the resource is not started.
func (d *Driver) Stop(ctx context.Context, s resources.Spec) error {
	return failed("stop", s, d.stop(ctx, s))
}

func (d *Driver) stop(ctx context.Context, s resources.Spec) error {
	delays, err := Parse(s)
	if err != nil {
		return err
	}
	if _, started, err := d.marks.Get(s); err != nil || !started {
		return err
	}
	if err := wait(ctx, delays.Stop); err != nil {
		return err
	}
	return d.marks.Clear(s)
}

// Status is whether the resource was started, and waits for nothing.
func (d *Driver) Status(_ context.Context, s resources.Spec) (resources.Status, error) {
	status, err := d.marks.Status(s)
	return status, failed("status", s, err)
}

func wait(ctx context.Context, long time.Duration) error {
	select {
	case <-time.After(long):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func failed(op string, s resources.Spec, err error) error {
	if err == nil {
		return nil
	}
	return &resources.Error{Op: op, Spec: s, Err: err}
}
