package process

import (
	"context"
	"errors"
	"fmt"
)

// A Job is one run of a program for a resource.
type Job struct {
	Resource  string   // whose, as haresources has it
	Operation string   // what for: "start", "stop", "status"
	Path      string   // of the program, absolute
	Args      []string // behind its name
	Env       []string // "NAME=value"; nothing of this daemon's own is passed on
	Capture   bool     // its standard output is wanted, and not only in the journal
	Changes   bool     // it does more than look: what is left of another that does must not run beside it
	Keep      bool     // a start: what the program leaves running belongs to the resource from now on

	// Fine tells the exit statuses of which nobody will ask the reason; nil: 0.
	Fine func(code int) bool
}

// A Result is how a program has ended.
type Result struct {
	Code   int    // its exit status
	Output string // its standard output, if that was to be captured
	Said   string // why, by its last line, if Code is no good one; empty where nobody knows
}

// Err is an error for a Code that is not 0.
func (r Result) Err() error {
	switch {
	case r.Code == 0:
		return nil
	case r.Said == "":
		return fmt.Errorf("exit status %d", r.Code)
	}
	return fmt.Errorf("exit status %d: %s", r.Code, r.Said)
}

// IsFine reports that an exit status needs no reason.
func (j Job) IsFine(code int) bool { return code == 0 || j.Fine != nil && j.Fine(code) }

// A Runner runs jobs, and knows what was started and not stopped since, by this
// daemon or the one before.
type Runner interface {
	// Run runs a program and returns when it has ended, whatever it has left
	// running. The error is of one that could not be run, was killed by somebody,
	// or has not ended when ctx did: then it was killed, with all that is known to
	// be of it, and the error wraps that of ctx.
	Run(ctx context.Context, j Job) (Result, error)
	// Started reports whether the last job with Keep of a resource has ended with 0
	// and was not forgotten.
	Started(ctx context.Context, resource string) (bool, error)
	// Forget is for a resource that was stopped. What its start has left running
	// goes on.
	Forget(ctx context.Context, resource string) error
}

// ErrUnavailable is wrapped by the error of a Runner that can run nothing now, and
// has not.
var ErrUnavailable = errors.New("no program can be run there")

// A Fallback runs jobs in the second of two ways where the first is not
// available: a takeover cannot wait for systemd to be mended.
type Fallback struct {
	First, Second Runner
	Report        func(j Job, why error) // is told each time; not nil
}

func (f Fallback) Run(ctx context.Context, j Job) (Result, error) {
	result, err := f.First.Run(ctx, j)
	if !errors.Is(err, ErrUnavailable) || ctx.Err() != nil {
		return result, err
	}
	f.Report(j, err)
	return f.Second.Run(ctx, j)
}

// Started asks both: either may have been available at the time.
func (f Fallback) Started(ctx context.Context, resource string) (bool, error) {
	if started, err := f.Second.Started(ctx, resource); started || err != nil {
		return started, err
	}
	return f.First.Started(ctx, resource)
}

func (f Fallback) Forget(ctx context.Context, resource string) error {
	err := f.Second.Forget(ctx, resource)
	if other := f.First.Forget(ctx, resource); !errors.Is(other, ErrUnavailable) {
		err = errors.Join(err, other)
	}
	return err
}
