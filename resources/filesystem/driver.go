// Package filesystem mounts file systems: the resource Filesystem of
// haresources, by systemd.
package filesystem

import (
	"context"
	"fmt"
	"strings"

	"github.com/systole-ha/systole/resources"
	"github.com/systole-ha/systole/resources/process"
	"github.com/systole-ha/systole/resources/systemd"
)

// A Mounter mounts: systemd.
type Mounter interface {
	Mount(ctx context.Context, m systemd.Mount) error
	Unmount(ctx context.Context, where string) error
	Mounted(ctx context.Context, where string) (systemd.Mounted, error)
}

var _ Mounter = (*systemd.Driver)(nil)

// A Driver mounts file systems, by way of systemd, since the daemon has not the
// right to, and lives in a name space of mounts of its own.
type Driver struct {
	units  Mounter
	runner process.Runner
	ender  []string // the program that ends the processes that hold a place, and its arguments
	report func(s resources.Spec, ended string)
}

var (
	_ resources.Driver    = (*Driver)(nil)
	_ resources.Checker   = (*Driver)(nil)
	_ resources.Parser    = (*Driver)(nil)
	_ resources.Describer = (*Driver)(nil)
)

// New returns a Driver. Ender is the program, and its first arguments, that is
// run by runner to end the processes that hold a place, by End; it gets the name
// of a signal and the place as its last ones, and prints a line for each process.
// Report is told which processes were ended in a Stop that has succeeded: it must
// not block.
func New(units Mounter, runner process.Runner, ender []string, report func(s resources.Spec, ended string)) *Driver {
	return &Driver{units, runner, ender, report}
}

// Start mounts the file system, unless it is mounted.
func (d *Driver) Start(ctx context.Context, s resources.Spec) error {
	m, err := Parse(s)
	if err == nil {
		err = d.start(ctx, m)
	}
	return failed("start", s, err)
}

func (d *Driver) start(ctx context.Context, m systemd.Mount) error {
	there, err := d.units.Mounted(ctx, m.Where)
	if err != nil {
		return err
	}
	if err := contradicts(m, there); err != nil {
		return err
	}
	if there.Status == resources.Running {
		return nil
	}
	return d.units.Mount(ctx, m)
}

// contradicts finds out whether what is in the place, or what a unit would put
// there, is something else than what haresources wants there. Where both have
// names that do not tell, such as links, they are not held against each other.
func contradicts(m systemd.Mount, there systemd.Mounted) error {
	if m.What == "" || there.What == "" || there.What == m.What || sameDevice(m.What, there.What) {
		return nil
	}
	switch {
	case there.Status == resources.Running:
		return fmt.Errorf("%s is mounted on %s, and not %s", there.What, m.Where, m.What)
	case there.File != "":
		return fmt.Errorf("%s says that %s belongs in %s, and not %s: remove it, or write Filesystem::%s", there.File, there.What, m.Where, m.What, m.Where)
	}
	return nil
}

// Stop unmounts what is mounted in the place, and below it. Processes that hold
// it are told to end, and killed if they do not, as heartbeat's script does it.
func (d *Driver) Stop(ctx context.Context, s resources.Spec) error {
	m, err := Parse(s)
	if err == nil {
		err = d.stop(ctx, s, m.Where)
	}
	return failed("stop", s, err)
}

// signals are sent one after the other.
var signals = []string{"TERM", "KILL"}

func (d *Driver) stop(ctx context.Context, s resources.Spec, where string) error {
	err := d.units.Unmount(ctx, where)
	if err == nil || ctx.Err() != nil {
		return err
	}
	var ended []string
	for _, signal := range signals {
		some, why := d.end(ctx, s, signal, where)
		ended = append(ended, some...)
		if why != nil {
			return fmt.Errorf("%w; the processes that hold it could not be ended: %w", err, why)
		}
		if err = d.units.Unmount(ctx, where); err == nil {
			if len(ended) > 0 {
				d.report(s, strings.Join(ended, ", "))
			}
			return nil
		}
		if ctx.Err() != nil {
			return err
		}
	}
	if len(ended) == 0 {
		return fmt.Errorf("%w; no process holds it: look for swap files, loop devices and exports in it", err)
	}
	return fmt.Errorf("%w; these processes were ended: %s", err, strings.Join(ended, ", "))
}

// end has the holders ended, and returns those that were.
func (d *Driver) end(ctx context.Context, s resources.Spec, signal, where string) (ended []string, err error) {
	result, err := d.runner.Run(ctx, process.Job{
		Resource: s.String(), Operation: "stop", Path: d.ender[0],
		Args: append(d.ender[1:len(d.ender):len(d.ender)], signal, where), Capture: true, Changes: true,
	})
	if err == nil {
		err = result.Err()
	}
	for line := range strings.Lines(result.Output) {
		ended = append(ended, strings.TrimSpace(line))
	}
	return ended, err
}

// Status reports Running while something is mounted in the place, and Failed if
// that is known to be something else than what belongs there.
func (d *Driver) Status(ctx context.Context, s resources.Spec) (resources.Status, error) {
	m, err := Parse(s)
	if err != nil {
		return resources.Unknown, failed("status", s, err)
	}
	there, err := d.units.Mounted(ctx, m.Where)
	if err != nil {
		return resources.Unknown, failed("status", s, err)
	}
	if there.Status == resources.Running && contradicts(m, there) != nil {
		return resources.Failed, nil
	}
	return there.Status, nil
}

// Parse judges the arguments.
func (d *Driver) Parse(s resources.Spec) error {
	_, err := Parse(s)
	return err
}

// Describe says what is mounted where.
func (d *Driver) Describe(s resources.Spec) string {
	m, err := Parse(s)
	switch {
	case err != nil:
		return strings.Join(s.Args, " ")
	case m.What == "":
		return systemd.MountUnit(m.Where)
	}
	return strings.TrimSpace(m.What + " on " + m.Where + " " + m.Type)
}

func failed(op string, s resources.Spec, err error) error {
	if err == nil {
		return nil
	}
	return &resources.Error{Op: op, Spec: s, Err: err}
}
