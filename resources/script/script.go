// Package script holds resources by Heartbeat's resource scripts: programs that
// take the arguments of a word of haresources, and then start, stop or status.
//
// Source: ResourceManager of Heartbeat 3.0.6, which runs them.
package script

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"github.com/systole-ha/systole/resources"
	"github.com/systole-ha/systole/resources/process"
)

// A Driver runs scripts. It is a resources.Driver, a Checker and a Describer.
type Driver struct {
	folders Folders
	runner  process.Runner
	env     Environment
}

var (
	_ resources.Driver    = (*Driver)(nil)
	_ resources.Checker   = (*Driver)(nil)
	_ resources.Describer = (*Driver)(nil)
)

// New returns a driver of the scripts in these folders.
func New(folders Folders, env Environment, runner process.Runner) *Driver {
	return &Driver{folders, runner, env}
}

// Start runs the script with start, unless its status says that it is running
// already. A status that cannot be had is none: Heartbeat starts then, too.
func (d *Driver) Start(ctx context.Context, s resources.Spec) error {
	return d.do("start", s, func() error {
		found, err := d.status(ctx, s)
		if found == resources.Running || ctx.Err() != nil {
			return err
		}
		r, err := d.run(ctx, s, process.Job{Operation: "start", Changes: true, Keep: true})
		if err != nil {
			return err
		}
		return r.Err()
	})
}

// Stop runs the script with stop, whatever its status is. A script that fails
// has stopped the resource if its status says that it is not running: some are
// not used to be asked to stop what is stopped.
func (d *Driver) Stop(ctx context.Context, s resources.Spec) error {
	return d.do("stop", s, func() error {
		r, err := d.run(ctx, s, process.Job{Operation: "stop", Changes: true})
		if errors.Is(err, ErrNoScript) {
			return d.absent(ctx, s, err)
		}
		if err != nil {
			return err
		}
		if r.Code != 0 {
			if found, err := d.status(ctx, s); found != resources.Stopped || err != nil {
				return errors.Join(r.Err(), err)
			}
		}
		return d.runner.Forget(ctx, s.String())
	})
}

// Status runs the script with status, and believes what that prints, as Heartbeat
// does. Of a script that says nothing it knows only whether it was started.
func (d *Driver) Status(ctx context.Context, s resources.Spec) (found resources.Status, err error) {
	err = d.do("status", s, func() (err error) {
		found, err = d.status(ctx, s)
		if errors.Is(err, ErrNoScript) {
			if err = d.absent(ctx, s, err); err == nil {
				found = resources.Stopped
			}
		}
		return err
	})
	return found, err
}

func (d *Driver) status(ctx context.Context, s resources.Spec) (resources.Status, error) {
	r, err := d.run(ctx, s, process.Job{
		Operation: "status", Capture: true, Env: []string{"LC_ALL=C"}, Fine: func(int) bool { return true },
	})
	if err != nil {
		return resources.Unknown, err
	}
	switch judge(r.Output) {
	case runs:
		return resources.Running, nil
	case doesNot:
		return resources.Stopped, nil
	}
	started, err := d.runner.Started(ctx, s.String())
	switch {
	case err != nil:
		return resources.Unknown, err
	case started:
		return resources.Running, nil
	}
	return resources.Stopped, nil
}

// absent is nil if a resource whose script is not there was not started either.
func (d *Driver) absent(ctx context.Context, s resources.Spec, missing error) error {
	if started, err := d.runner.Started(ctx, s.String()); started || err != nil {
		return errors.Join(missing, err)
	}
	return nil
}

// run runs the script of a resource, with its arguments and the job's operation.
func (d *Driver) run(ctx context.Context, s resources.Spec, j process.Job) (process.Result, error) {
	path, err := d.folders.Find(s.Name)
	if err != nil {
		return process.Result{}, err
	}
	j.Resource, j.Path = s.String(), path
	j.Args = append(slices.Clone(s.Args), j.Operation)
	j.Env = append(d.env.variables(filepath.Dir(path)), j.Env...)
	return d.runner.Run(ctx, j)
}

func (d *Driver) do(op string, s resources.Spec, f func() error) error {
	if err := f(); err != nil {
		return &resources.Error{Op: op, Spec: s, Err: err}
	}
	return nil
}

// Describe is the command line, without the operation.
func (d *Driver) Describe(s resources.Spec) string {
	path, err := d.folders.Find(s.Name)
	if err != nil {
		return "not installed"
	}
	return strings.Join(append([]string{path}, s.Args...), " ")
}

// An Environment is what scripts are told of the node.
type Environment struct {
	Node   string // its name
	Folder string // of ha.cf
}

// variables are those that Heartbeat gives its scripts and that mean something
// here. Those that name log files are left out: without them the functions of
// resource-agents write to standard error, which is the journal.
func (e Environment) variables(folder string) []string {
	home := filepath.Dir(folder) // of resource.d, with the functions that scripts read
	if filepath.Base(folder) != ResourceFolder {
		home = HeartbeatFolder
	}
	return append(e.common(home), "HA_RESOURCEDIR="+filepath.Join(home, ResourceFolder))
}

// Variables are the same for agents that are in none of those folders.
func (e Environment) Variables() []string { return e.common(HeartbeatFolder) }

func (e Environment) common(home string) []string {
	return []string{
		"HA_DIR=" + home,
		"HA_FUNCS=" + filepath.Join(HeartbeatFolder, "shellfuncs"),
		"HA_CF=" + filepath.Join(e.Folder, "ha.cf"),
		"HA_CURHOST=" + e.Node,
		"HA_NICEFAILBACK=yes",
		"HA_DATEFMT=%Y/%m/%d_%T ",
		"HA_debug=0",
		"OCF_ROOT=" + OCFRoot,
	}
}

// Where Heartbeat and OCF agents keep what they need.
const (
	HeartbeatFolder = "/etc/ha.d"
	ResourceFolder  = "resource.d"
	OCFRoot         = "/usr/lib/ocf"
)
