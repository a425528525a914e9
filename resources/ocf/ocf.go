// Package ocf holds resources by OCF resource agents: programs that take one
// action, have their parameters in the environment, and tell by their exit
// status what they have found or done.
//
// Source: the resource agent API 1.1 of ClusterLabs,
// https://github.com/ClusterLabs/OCF-spec/blob/main/ra/1.1/resource-agent-api.md
package ocf

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/systole-ha/systole/resources"
	"github.com/systole-ha/systole/resources/process"
)

// A Driver runs agents. It is a resources.Driver, a Checker and a Describer.
type Driver struct{ cfg Config }

var (
	_ resources.Driver    = (*Driver)(nil)
	_ resources.Checker   = (*Driver)(nil)
	_ resources.Describer = (*Driver)(nil)
)

// A Config is what a Driver needs to know.
type Config struct {
	Root     string   // of the agents, /usr/lib/ocf: its resource.d has a folder for each provider
	Folders  []string // with conf/OCF, in order: that of the configuration, Heartbeat's
	Env      []string // what agents get beside their own
	Runner   process.Runner
	Thorough bool // Check asks the agents themselves
}

// New returns a driver.
func New(cfg Config) *Driver { return &Driver{cfg} }

// Exit statuses of agents.
const (
	success       = 0
	generic       = 1
	arguments     = 2
	unimplemented = 3
	permission    = 4
	installed     = 5
	configured    = 6
	notRunning    = 7
	runningMaster = 8 // running in the promoted role
	failedMaster  = 9
)

// meanings of those that are failures.
var meanings = map[int]string{
	generic: "failed", arguments: "its arguments are wrong", unimplemented: "it cannot do that", permission: "not permitted",
	installed: "something is not installed", configured: "it is not configured", notRunning: "not running", failedMaster: "failed",
}

// failure is an error for an exit status.
func failure(r process.Result) error {
	if r.Code == success {
		return nil
	}
	meaning := meanings[r.Code]
	if meaning == "" {
		return r.Err()
	}
	if r.Said != "" {
		meaning += ": " + r.Said
	}
	return fmt.Errorf("exit status %d, %s", r.Code, meaning)
}

// Start runs the agent with start, unless its monitor finds the resource running.
func (d *Driver) Start(ctx context.Context, s resources.Spec) error {
	return do("start", s, func() error {
		if found, err := d.monitor(ctx, s); found == resources.Running || ctx.Err() != nil {
			return err
		}
		r, err := d.run(ctx, s, process.Job{Operation: "start", Changes: true, Keep: true})
		if err != nil {
			return err
		}
		return failure(r)
	})
}

// Stop runs the agent with stop, whatever its monitor would say. An agent that
// fails has stopped the resource if its monitor finds it cleanly stopped.
func (d *Driver) Stop(ctx context.Context, s resources.Spec) error {
	return do("stop", s, func() error {
		r, err := d.run(ctx, s, process.Job{Operation: "stop", Changes: true})
		if errors.Is(err, ErrNoAgent) {
			return d.absent(ctx, s, err)
		}
		if err != nil {
			return err
		}
		if r.Code != success {
			if found, err := d.monitor(ctx, s); found != resources.Stopped || err != nil {
				return errors.Join(failure(r), err)
			}
		}
		return d.cfg.Runner.Forget(ctx, s.String())
	})
}

// Status runs the agent with monitor.
func (d *Driver) Status(ctx context.Context, s resources.Spec) (found resources.Status, err error) {
	err = do("status", s, func() (err error) {
		found, err = d.monitor(ctx, s)
		if errors.Is(err, ErrNoAgent) {
			if err = d.absent(ctx, s, err); err == nil {
				found = resources.Stopped
			}
		}
		return err
	})
	return found, err
}

// monitor asks as Pacemaker's probe does, which is no failure where the resource
// does not run. What is not installed does not run either.
func (d *Driver) monitor(ctx context.Context, s resources.Spec) (resources.Status, error) {
	r, err := d.run(ctx, s, process.Job{Operation: "monitor", Fine: func(code int) bool { return found(code) != resources.Failed }})
	if err != nil {
		return resources.Unknown, err
	}
	return found(r.Code), nil
}

func found(code int) resources.Status {
	switch code {
	case success, runningMaster:
		return resources.Running
	case notRunning, installed:
		return resources.Stopped
	}
	return resources.Failed
}

// absent is nil if a resource whose agent is not there was not started either.
func (d *Driver) absent(ctx context.Context, s resources.Spec, missing error) error {
	if started, err := d.cfg.Runner.Started(ctx, s.String()); started || err != nil {
		return errors.Join(missing, err)
	}
	return nil
}

// run runs the agent of a resource with the job's operation.
func (d *Driver) run(ctx context.Context, s resources.Spec, j process.Job) (process.Result, error) {
	w, err := Parse(s)
	if err != nil {
		return process.Result{}, err
	}
	provider, path, err := d.find(w)
	if err != nil {
		return process.Result{}, err
	}
	variables, err := d.variables(w)
	if err != nil {
		return process.Result{}, err
	}
	j.Resource, j.Path, j.Args = s.String(), path, []string{j.Operation}
	j.Env = slices.Concat(d.cfg.Env, []string{
		"OCF_ROOT=" + d.cfg.Root,
		"OCF_RA_VERSION_MAJOR=1", "OCF_RA_VERSION_MINOR=1",
		"OCF_RESOURCE_INSTANCE=" + w.InstanceName(), "OCF_RESOURCE_TYPE=" + w.Type, "OCF_RESOURCE_PROVIDER=" + provider,
		"OCF_CHECK_LEVEL=0",
		// What Pacemaker tells as well, and agents look at: an interval of 0 is a
		// probe, and long work is to end before the timeout.
		"OCF_RESKEY_CRM_meta_name=" + j.Operation, "OCF_RESKEY_CRM_meta_interval=0", "OCF_RESKEY_CRM_meta_timeout=" + left(ctx),
	}, variables)
	return d.cfg.Runner.Run(ctx, j)
}

// left is the time until ctx ends, in milliseconds.
func left(ctx context.Context) string {
	until := resources.Timeout
	if deadline, ok := ctx.Deadline(); ok {
		until = time.Until(deadline)
	}
	return strconv.FormatInt(max(until.Milliseconds(), 1), 10)
}

// ErrNoAgent is wrapped by the error for an agent that is not there.
var ErrNoAgent = errors.New("no OCF agent")

// find returns the provider and the path of an agent. Where the word names no
// provider, Heartbeat's is preferred, then the first.
func (d *Driver) find(w Word) (provider, path string, err error) {
	folder := filepath.Join(d.cfg.Root, "resource.d")
	providers := []string{w.Provider}
	if w.Provider == "" {
		providers = []string{"heartbeat"}
		entries, _ := os.ReadDir(folder) // none: then it is not installed
		for _, e := range entries {
			providers = append(providers, e.Name())
		}
	}
	for _, provider := range providers {
		path := filepath.Join(folder, provider, w.Type)
		info, err := os.Stat(path)
		if err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0 {
			return provider, path, nil
		}
	}
	return "", "", fmt.Errorf("%w %s in %s: install it (resource-agents has most)", ErrNoAgent, strings.TrimPrefix(w.Provider+"/"+w.Type, "/"), folder)
}

func do(op string, s resources.Spec, f func() error) error {
	if err := f(); err != nil {
		return &resources.Error{Op: op, Spec: s, Err: err}
	}
	return nil
}

// Describe is the agent and its parameters.
func (d *Driver) Describe(s resources.Spec) string {
	w, err := Parse(s)
	if err != nil {
		return "nothing"
	}
	_, path, err := d.find(w)
	if err != nil {
		return "not installed"
	}
	words := []string{path}
	for _, p := range w.Parameters {
		words = append(words, p.Name+"="+p.Value)
	}
	if w.Instance != "" {
		words = append(words, "instance "+w.Instance)
	}
	return strings.Join(words, " ")
}
