// Package drbd switches the roles of DRBD resources: drbddisk, datadisk and
// drbdupper of haresources, by drbdadm.
//
// The exit codes and words that it knows are those of drbd-utils; see role.go.
// It was tested against a program that answers as drbdadm was recorded to, on a
// kernel without DRBD, and as its source says.
package drbd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/systole-ha/systole/resources"
	"github.com/systole-ha/systole/resources/process"
)

// A Driver makes resources of DRBD primary, and secondary again.
type Driver struct {
	runner process.Runner
	tool   string // drbdadm
	proc   string // "/proc/drbd", which is there while the kernel has DRBD
	starts int    // how often a start is tried
	stops  int
}

var (
	_ resources.Driver    = (*Driver)(nil)
	_ resources.Checker   = (*Driver)(nil)
	_ resources.Parser    = (*Driver)(nil)
	_ resources.Describer = (*Driver)(nil)
)

// New returns a Driver that has drbdadm run by runner.
func New(runner process.Runner) *Driver {
	return &Driver{runner: runner, tool: "/sbin/drbdadm", proc: "/proc/drbd", starts: starts, stops: stops}
}

// A Disk is what the arguments name.
type Disk struct {
	Resource string // "all" for all there are
	Stacked  bool   // upon another resource of DRBD
}

// Parse reads the arguments of drbddisk and datadisk, [resource], and of
// drbdupper, which needs one.
//
// Source: resource.d/drbddisk and drbdupper of drbd-utils, and datadisk of DRBD
// 0.6, which takes the same.
func Parse(s resources.Spec) (Disk, error) {
	d := Disk{Resource: "all", Stacked: s.Name == "drbdupper"}
	if len(s.Args) > 1 {
		return d, fmt.Errorf("%s takes one argument, the name of a DRBD resource, as in %s::r0; for another write another %s", s.Name, s.Name, s.Name)
	}
	if len(s.Args) == 1 {
		d.Resource = s.Args[0]
	}
	switch {
	case d.Stacked && d.Resource == "all":
		return d, fmt.Errorf("%s needs the name of a stacked DRBD resource, as in %s::r0-U", s.Name, s.Name)
	case d.Resource == "" || strings.HasPrefix(d.Resource, "-") || strings.ContainsFunc(d.Resource, isForeign):
		return d, fmt.Errorf("%q is not the name of a DRBD resource, as in %s::r0", d.Resource, s.Name)
	}
	return d, nil
}

// isForeign finds what no name of a resource has: drbdadm takes what is between
// white space, and what would be a path stands for a device.
func isForeign(r rune) bool {
	return r <= ' ' || r == 0x7f || r == 0xfffd || strings.ContainsRune(`"{};`, r)
}

// How often a change of role is tried. The script of drbd-utils tries six times
// to become primary and three times to become secondary, a second apart: the
// peer may have been called dead before DRBD has noticed. This is for as long,
// at shorter intervals.
const (
	pause  = 250 * time.Millisecond
	starts = int(6 * time.Second / pause)
	stops  = int(3 * time.Second / pause)
)

// Start makes the resource primary.
func (d *Driver) Start(ctx context.Context, s resources.Spec) error {
	disk, err := Parse(s)
	switch {
	case err != nil:
	case disk.Stacked:
		err = d.startUpper(ctx, s, disk)
	default:
		err = d.persist(ctx, d.starts, s, "start", "primary", disk.Resource)
	}
	return failed("start", s, err)
}

// Stop makes the resource secondary. One that is not up is that already.
func (d *Driver) Stop(ctx context.Context, s resources.Spec) error {
	disk, err := Parse(s)
	switch {
	case err != nil:
	case disk.Stacked:
		err = d.stopUpper(ctx, s, disk)
	case d.isAbsent():
	default:
		if err = d.persist(ctx, d.stops, s, "stop", "secondary", disk.Resource); err != nil && d.isStopped(ctx, s) {
			err = nil
		}
	}
	return failed("stop", s, err)
}

// isStopped is for a stop that was refused: of a resource that is not up DRBD 9
// says that it does not know it.
func (d *Driver) isStopped(ctx context.Context, s resources.Spec) bool {
	status, err := d.Status(ctx, s)
	return err == nil && status == resources.Stopped
}

// persist runs drbdadm again while its refusal may pass.
func (d *Driver) persist(ctx context.Context, tries int, s resources.Spec, op string, args ...string) error {
	for try := 1; ; try++ {
		result, err := d.run(ctx, s, op, args...)
		if err != nil || !passes(result.Code) || try >= tries {
			return errors.Join(err, explain(result))
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ctx.Err(), explain(result))
		}
	}
}

// run runs drbdadm. What it complains of is wanted with the rest: its last line
// says no more than that drbdsetup has failed.
func (d *Driver) run(ctx context.Context, s resources.Spec, op string, args ...string) (process.Result, error) {
	return d.runner.Run(ctx, process.Job{
		Resource: s.String(), Operation: op, Path: "/bin/sh",
		Args: append([]string{"-c", `exec "$0" "$@" 2>&1`, d.tool}, args...), Capture: true,
		Changes: op == "start" || op == "stop",
		Fine:    func(int) bool { return true }, // complaint tells why
	})
}

// once runs drbdadm and wants it to succeed.
func (d *Driver) once(ctx context.Context, s resources.Spec, op string, args ...string) (output string, err error) {
	result, err := d.run(ctx, s, op, args...)
	return result.Output, errors.Join(err, explain(result))
}

// startUpper makes the resource below primary, brings up the one upon it, and
// makes that primary. That its size is not looked at and its peer not there is
// no reason not to.
func (d *Driver) startUpper(ctx context.Context, s resources.Spec, disk Disk) error {
	lower, err := d.lower(ctx, s, "start", disk)
	if err != nil {
		return err
	}
	if err := d.persist(ctx, d.starts, s, "start", "primary", lower); err != nil {
		return err
	}
	if _, err := d.run(ctx, s, "start", "-S", "check-resize", disk.Resource); err != nil {
		return err
	}
	if _, err := d.once(ctx, s, "start", "-S", "adjust", disk.Resource); err != nil {
		return err
	}
	return d.persist(ctx, d.starts, s, "start", "-S", "primary", disk.Resource)
}

func (d *Driver) stopUpper(ctx context.Context, s resources.Spec, disk Disk) error {
	if d.isAbsent() {
		return nil
	}
	if err := d.persist(ctx, d.stops, s, "stop", "-S", "down", disk.Resource); err != nil {
		return err
	}
	lower, err := d.lower(ctx, s, "stop", disk)
	if err != nil {
		return err
	}
	return d.persist(ctx, d.stops, s, "stop", "secondary", lower)
}

// lower is the resource that a stacked one is upon.
func (d *Driver) lower(ctx context.Context, s resources.Spec, op string, disk Disk) (string, error) {
	output, err := d.once(ctx, s, op, "-S", "sh-lr-of", disk.Resource)
	if err != nil {
		return "", err
	}
	lines := strings.Split(strings.TrimSpace(output), "\n")
	if name := lines[len(lines)-1]; name != "" && !strings.ContainsFunc(name, isForeign) {
		return name, nil
	}
	return "", fmt.Errorf("drbdadm does not say which resource %s is upon", disk.Resource)
}

// Status reports Running while the resource is primary here. One that is not up,
// or that the kernel has no DRBD for, is Stopped.
func (d *Driver) Status(ctx context.Context, s resources.Spec) (resources.Status, error) {
	disk, err := Parse(s)
	if err != nil {
		return resources.Unknown, failed("status", s, err)
	}
	if d.isAbsent() {
		return resources.Stopped, nil
	}
	args := []string{"role", disk.Resource}
	if disk.Stacked {
		args = append([]string{"-S"}, args...)
	}
	result, err := d.run(ctx, s, "status", args...)
	switch {
	case err != nil:
	case result.Code == refusedCall:
		return resources.Stopped, nil // DRBD 9: not up
	case result.Code != 0:
		err = explain(result)
	default:
		var status resources.Status
		if status, err = readRoles(result.Output); err == nil {
			return status, nil
		}
	}
	return resources.Unknown, failed("status", s, err)
}

// isAbsent reports that the kernel has no DRBD at this time, and so no resource
// of it has a role. The script looks there too.
func (d *Driver) isAbsent() bool {
	_, err := os.Stat(d.proc)
	return errors.Is(err, fs.ErrNotExist)
}

// Parse judges the arguments.
func (d *Driver) Parse(s resources.Spec) error {
	_, err := Parse(s)
	return err
}

// Describe names the resource.
func (d *Driver) Describe(s resources.Spec) string {
	disk, err := Parse(s)
	switch {
	case err != nil:
		return strings.Join(s.Args, " ")
	case disk.Stacked:
		return "stacked " + disk.Resource
	}
	return disk.Resource
}

// Check judges the arguments, whether there is a drbdadm, and whether it knows
// the resource. A resource that is not up is brought up by nobody else here.
func (d *Driver) Check(ctx context.Context, s resources.Spec) []resources.Finding {
	disk, err := Parse(s)
	if err != nil {
		return []resources.Finding{{Fatal: true, Text: err.Error()}}
	}
	if _, err := os.Stat(d.tool); err != nil {
		return []resources.Finding{{Fatal: true, Text: fmt.Sprintf("there is no %s: is drbd-utils installed?", d.tool)}}
	}
	if d.isAbsent() {
		return []resources.Finding{{Text: "the kernel has no DRBD now, so that " + disk.Resource + " is not up: run \"systemctl enable --now drbd\""}}
	}
	args := []string{"role", disk.Resource}
	if disk.Stacked {
		args = []string{"-S", "sh-lr-of", disk.Resource} // it is up only where it is primary
	}
	result, err := d.run(ctx, s, "check", args...)
	switch {
	case err != nil:
		return []resources.Finding{{Unknown: true, Text: fmt.Sprintf("drbdadm could not be asked: %v", err)}}
	case result.Code != 0:
		return []resources.Finding{{Fatal: true, Text: fmt.Sprintf("drbdadm does not know %s: %v", disk.Resource, explain(result))}}
	case !disk.Stacked && strings.Contains(result.Output, "Unconfigured"):
		return []resources.Finding{{Text: disk.Resource + " is not up: run \"systemctl enable --now drbd\""}}
	}
	return nil
}

func failed(op string, s resources.Spec, err error) error {
	if err == nil {
		return nil
	}
	return &resources.Error{Op: op, Spec: s, Err: err}
}
