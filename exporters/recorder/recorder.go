// Package recorder keeps Go's execution flight recorder running and, when
// something went wrong that only the scheduler can explain, writes what the last
// seconds were: who ran, who waited for what, where the time went. It is read
// with "go tool trace".
//
// Record looks at the event and returns; a goroutine writes. One process has one
// flight recorder at most.
package recorder

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/trace"
	"slices"
	"time"

	"github.com/systole-ha/systole/agent/event"
)

const (
	// window is how far back a dump goes at least, unless windowBytes are full
	// before: more than a deadtime, and than the pause that is to be explained.
	window      = 10 * time.Second
	windowBytes = 4 << 20
	// dumpsKept is how many there are on disk at most: the newest.
	dumpsKept = 5
	// dumpEvery is the least time between two dumps that nobody asked for: what
	// goes wrong once goes wrong again.
	dumpEvery = time.Minute
)

// The triggers of a dump.
const (
	Stall          = "stall"           // our own loop was held up for long enough to matter
	FalseDeath     = "false_death"     // the peer was called dead and was not
	TakeoverSlow   = "takeover_slow"   // one took longer than Config.Slow
	TakeoverFailed = "takeover_failed" // one could not bring a group up
	Request        = "request"         // somebody asked
)

// Config says where and when.
type Config struct {
	Dir  string            // of the dumps
	Slow time.Duration     // a takeover that takes longer is dumped; 0 for none
	Note func(event.Event) // told of every dump, by the writing goroutine
}

// A Recorder is an event.Sink. Record is for the goroutine that owns the core;
// Ask may be called from anywhere.
type Recorder struct {
	cfg    Config
	flight *trace.FlightRecorder
	wanted chan string // the trigger of the dump to be written next
	last   time.Time   // Record's own: when a dump was last asked for
}

// New starts the flight recorder, which Run ends. It fails where the process
// has one already.
func New(cfg Config) (*Recorder, error) {
	r := &Recorder{
		cfg:    cfg,
		flight: trace.NewFlightRecorder(trace.FlightRecorderConfig{MinAge: window, MaxBytes: windowBytes}),
		wanted: make(chan string, 1),
	}
	if err := r.flight.Start(); err != nil {
		return nil, fmt.Errorf("flight recorder: %w", err)
	}
	return r, nil
}

// Record asks for a dump where r tells of something to be explained, once a
// minute at most. It never waits: while one is waiting to be written, there is
// no second.
func (r *Recorder) Record(rec event.Record) {
	trigger := r.trigger(rec.Event)
	if trigger == "" || !r.last.IsZero() && rec.Time.Sub(r.last) < dumpEvery {
		return
	}
	r.last = rec.Time
	r.want(trigger)
}

// Ask asks for a dump.
func (r *Recorder) Ask() { r.want(Request) }

func (r *Recorder) want(trigger string) {
	select {
	case r.wanted <- trigger:
	default:
	}
}

func (r *Recorder) trigger(e event.Event) string {
	switch e := e.(type) {
	case event.AgentLate:
		if e.Held {
			return Stall
		}
	case event.PeerFalseDeath:
		return FalseDeath
	case event.TakeoverFailed:
		return TakeoverFailed
	case event.TakeoverCompleted:
		if r.cfg.Slow > 0 && e.Took > r.cfg.Slow {
			return TakeoverSlow
		}
	}
	return ""
}

// Run writes dumps until ctx ends, and stops the flight recorder.
func (r *Recorder) Run(ctx context.Context) {
	defer r.flight.Stop()
	for {
		select {
		case trigger := <-r.wanted:
			r.cfg.Note(r.dump(trigger, time.Now()))
		case <-ctx.Done():
			return
		}
	}
}

// dump writes one file and forgets the oldest.
func (r *Recorder) dump(trigger string, now time.Time) event.RecorderDumped {
	path := filepath.Join(r.cfg.Dir, now.UTC().Format("recorder-20060102T150405.000000Z-")+trigger+".trace")
	size, err := r.write(path)
	dumped := event.RecorderDumped{Trigger: trigger, Path: path, Size: int(size)}
	if err == nil {
		err = forget(r.cfg.Dir)
	}
	if err != nil {
		dumped.Error = err.Error()
	}
	return dumped
}

func (r *Recorder) write(path string) (size int64, err error) {
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return 0, err
	}
	size, err = r.flight.WriteTo(f)
	if err := errors.Join(err, f.Close()); err != nil {
		return 0, errors.Join(err, os.Remove(path+".new"))
	}
	return size, os.Rename(path+".new", path)
}

// forget removes all dumps but the newest; their names sort by age.
func forget(dir string) error {
	dumps, err := filepath.Glob(filepath.Join(dir, "recorder-*.trace"))
	if err != nil {
		return err
	}
	slices.Sort(dumps)
	var errs []error
	for _, old := range dumps[:max(0, len(dumps)-dumpsKept)] {
		errs = append(errs, os.Remove(old))
	}
	return errors.Join(errs...)
}
