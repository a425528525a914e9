package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/exporters/recorder"
)

// slowTakeover is a takeover worth to be looked into: that of the alert
// SystoleTakeoverSlow.
const slowTakeover = 30 * time.Second

// openRecorder starts the flight recorder where the configuration asks for it.
// Without, or where it does not start, it is nil.
func (d *daemon) openRecorder(note func(event.Event)) *recorder.Recorder {
	if !d.cfg.FlightRecorder {
		return nil
	}
	r, err := recorder.New(recorder.Config{Dir: d.cfg.StateDir, Slow: slowTakeover, Note: note})
	if err != nil {
		d.log.Warn("the flight recorder does not run", "err", err)
		return nil
	}
	return r
}

// keepRecorder writes dumps until ctx ends: at a trigger, and at SIGUSR2, which
// must be caught in any case, for it would end the process.
func (d *daemon) keepRecorder(ctx context.Context, r *recorder.Recorder) {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR2)
	defer signal.Stop(asked)
	written := make(chan struct{})
	go func() {
		defer close(written)
		if r != nil {
			r.Run(ctx)
		}
	}()
	for {
		select {
		case <-asked:
			if r == nil {
				d.log.Warn("SIGUSR2: the flight recorder does not run; write flight_recorder on in ha.cf, or flight_recorder: true in systole.yaml")
				continue
			}
			r.Ask()
		case <-ctx.Done():
			<-written
			return
		}
	}
}
