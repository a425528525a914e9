// Package resources says what a resource is and what a driver of one must do.
// The drivers live in the packages below it.
package resources

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// A Spec names one resource as haresources does: a word such as "IPaddr" or
// "nginx" and its arguments. It is comparable only through its String, which
// is the word of the file.
type Spec struct {
	Name string   // "IPaddr", "nginx.service", "datadisk"
	Args []string // in order, without the "::" between them
}

// ErrSpec is wrapped by every error of ParseSpec.
var ErrSpec = errors.New("not a resource")

// ParseSpec reads one word of a haresources line: "name" or
// "name::arg1::arg2". A word that begins like an IPv4 address in dotted form
// stands for IPaddr with that word as its argument (heartbeat's
// ResourceManager does the same). There is no bare form for IPv6.
func ParseSpec(word string) (Spec, error) {
	if word == "" {
		return Spec{}, fmt.Errorf("%w: empty word", ErrSpec)
	}
	if isBareIPv4(word) {
		return Spec{Name: "IPaddr", Args: []string{word}}, nil
	}
	name, rest, hasArgs := strings.Cut(word, "::")
	if name == "" {
		return Spec{}, fmt.Errorf("%w: %q has no name before \"::\"", ErrSpec, word)
	}
	s := Spec{Name: name}
	if hasArgs {
		s.Args = strings.Split(rest, "::")
	}
	return s, nil
}

// isBareIPv4 reports whether the word begins with digits.digits.digits.digits.
func isBareIPv4(word string) bool {
	for part := range 4 {
		digits := 0
		for digits < len(word) && word[digits] >= '0' && word[digits] <= '9' {
			digits++
		}
		if digits == 0 {
			return false
		}
		word = word[digits:]
		if part < 3 {
			if word == "" || word[0] != '.' {
				return false
			}
			word = word[1:]
		}
	}
	return true
}

// String is the word as haresources writes it, with the name spelled out for a
// bare address: the identity of the resource in messages, events and metrics.
func (s Spec) String() string {
	if len(s.Args) == 0 {
		return s.Name
	}
	return s.Name + "::" + strings.Join(s.Args, "::")
}

// A Status is what a driver finds when it looks.
type Status int

const (
	Unknown Status = iota // the driver could not tell; the error says why
	Stopped               // not running here
	Running               // running here as specified
	Failed                // neither: half started, or given up by its supervisor
)

func (s Status) String() string {
	switch s {
	case Stopped:
		return "stopped"
	case Running:
		return "running"
	case Failed:
		return "failed"
	}
	return "unknown"
}

// A Driver holds resources of one kind on this node.
//
// All methods are idempotent: Start of a running resource and Stop of a stopped
// one succeed and change nothing. They return when the world has changed, not
// when the change was asked for, or with ctx.Err() when ctx ends first. They
// are called from several goroutines, but never two at once for the same Spec.
// Errors are of type *Error.
type Driver interface {
	Start(ctx context.Context, s Spec) error
	Stop(ctx context.Context, s Spec) error
	Status(ctx context.Context, s Spec) (Status, error)
}

// An Announcer is a Driver whose resources can be made known to the network
// again: addresses, whose neighbours may have missed the first announcement.
// Announce of a resource that is not held here is an error.
type Announcer interface {
	Announce(ctx context.Context, s Spec) error
}

// A Leaser is a Driver whose resources last only while they are renewed, so
// that they are gone from a node that stands still, or whose daemon was killed,
// before another takes them. Its methods are for the loop that judges, and
// wait for nothing but the kernel.
type Leaser interface {
	// Renew makes every resource held last for Lease from now. It is called
	// before each heartbeat, so that nobody hears from a node after its leases
	// were renewed for the last time. The error is of those that could not be.
	Renew() error
	// Lapsed reports, once, that Lease has passed since the last Renew, and has
	// made sure that nothing is held any more. Between two Renews nothing is
	// started after that.
	Lapsed() bool
	// Revoke ends every lease at once: nothing is held any more, and nothing is
	// started before the next Renew. The error is of those that could not be
	// taken away; they run out in their time.
	Revoke() error
	// Lease is how long; 0 where resources are held for good.
	Lease() time.Duration
}

// What an error of Leaser.Renew may wrap that is none of renewing.
var (
	// ErrLeaseRestored: somebody else had taken a lease away, which is in force
	// again, and all are renewed.
	ErrLeaseRestored = errors.New("a lease was restored")
	// ErrLeaseWeaker: this machine cannot have a lease that is wanted. The others
	// are renewed, and last longer than Lease was to be.
	ErrLeaseWeaker = errors.New("a lease cannot be had")
)

// A Finding is one thing Check has to say about a resource.
type Finding struct {
	Fatal   bool   // the resource could not be started as things stand
	Unknown bool   // the machine could not be asked: nothing is known for or against
	Text    string // a sentence for the operator, lower case, no full stop
}

// A Checker is a Driver that can judge a Spec without touching the resource:
// arguments, missing units, units enabled at boot. The machine may not be
// reachable (no D-Bus in a build environment): that is a Finding, not fatal.
type Checker interface {
	Check(ctx context.Context, s Spec) []Finding
}

// A Describer is a Driver that can say what it takes a Spec for, as the plan of
// systole check has it: the program and its arguments, the device and where it
// is mounted. It asks nobody, and a Spec that makes no sense is described as
// far as it does.
type Describer interface {
	Describe(s Spec) string
}

// A Parser is a Driver that knows from the arguments of a Spec alone whether
// they make sense. A resource whose arguments do not would fail on every node.
type Parser interface {
	Parse(s Spec) error
}

// An Error says which resource would not do what.
type Error struct {
	Op   string // "start", "stop", "status", "announce"
	Spec Spec
	Err  error
}

func (e *Error) Error() string { return fmt.Sprintf("%s %s: %v", e.Op, e.Spec, e.Err) }
func (e *Error) Unwrap() error { return e.Err }

// Timeout is how long an operation on a resource may take before its context
// ends, unless the configuration says otherwise: the 90 s that systemd allows
// a unit by default (DefaultTimeoutStartSec), and 10 s for its own bookkeeping.
const Timeout = 100 * time.Second
