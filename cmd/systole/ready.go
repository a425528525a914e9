package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os/signal"
	"syscall"
	"text/tabwriter"

	"github.com/systole-ha/systole/agent/control"
	"github.com/systole-ha/systole/agent/readiness"
	"github.com/systole-ha/systole/resources"
	"github.com/systole-ha/systole/resources/ipaddr"
)

// Exit codes of systole ready.
const (
	readyYes     = 0
	readyNo      = 1
	readyUnknown = 2
)

// lookingDrivers are others than those that start and stop, which do one thing
// at a time and must not have to wait for a look. They are not closed: one that
// hangs would keep the daemon from ending.
func (d *daemon) lookingDrivers() registry {
	looking := drivers(d.machine(), ipaddr.Terms{})
	looking.decided = d.registry.decided
	return looking
}

// newChecker makes what looks whether a takeover here would work.
func (d *daemon) newChecker(id identity, node readiness.Node) *readiness.Checker {
	looking := d.lookingDrivers()
	return readiness.New(readiness.Config{
		Groups: d.coreConfig(id).Groups, StateDir: d.cfg.StateDir, Devices: d.fences.devices(d.cfg),
		Driver: func(s resources.Spec) resources.Driver {
			_, driver, _ := looking.driver(s)
			return driver
		},
	}, node)
}

// runReady is systole ready: it has the daemon look now, and says what was
// found. Without a daemon, or before that one takes part, nobody can tell.
func runReady(socket string, asJSON bool, stdout, stderr io.Writer) int {
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer cancel()
	r, err := control.At(socket).Ready(ctx)
	if err != nil {
		fmt.Fprintf(stderr, "systole: %v\n", err)
		return readyUnknown
	}
	if asJSON {
		e := json.NewEncoder(stdout)
		e.SetIndent("", "  ")
		e.Encode(r)
	} else {
		drawReady(stdout, r)
	}
	switch {
	case !r.Judged:
		return readyUnknown
	case !r.Ready:
		return readyNo
	}
	return readyYes
}

func drawReady(w io.Writer, r control.Ready) {
	switch {
	case !r.Judged:
		fmt.Fprintf(w, "cannot tell whether a takeover here would work: %s\n", r.Reason)
	case r.Ready:
		fmt.Fprintln(w, "a takeover here would work")
	default:
		fmt.Fprintln(w, "a takeover here WOULD NOT WORK")
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, c := range r.Checks {
		fmt.Fprintf(table, "  %s\t%s\t%s\n", c.Check, map[bool]string{true: "yes", false: "NO"}[c.Ready], c.Reason)
	}
	table.Flush()
}
