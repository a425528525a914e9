package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/systole-ha/systole/agent/control"
	"github.com/systole-ha/systole/agent/event"
)

// eventsOptions are the flags of systole events.
type eventsOptions struct {
	json     bool
	follow   bool   // go on as things happen
	since    uint64 // the sequence number behind which to begin
	of       uint64 // the generation of the daemon that gave it; 0 for whichever runs
	severity string // the least
}

// An eventLine is one as JSON. Generation and sequence together are where to go
// on: numbers begin again with each start of the daemon.
type eventLine struct {
	Generation uint64 `json:"generation"`
	control.Event
}

// runEvents is systole events: what the daemon at the socket keeps, oldest
// first, a line each. Exit code 1 says that there was no answer or that the
// daemon has gone; an interrupt ends it well.
func runEvents(socket string, o eventsOptions, stdout, stderr io.Writer) int {
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer cancel()
	if err := printEvents(ctx, control.At(socket), o, stdout, stderr); err != nil && ctx.Err() == nil {
		fmt.Fprintf(stderr, "systole: %v\n", err)
		return 1
	}
	return 0
}

func printEvents(ctx context.Context, client *control.Client, o eventsOptions, stdout, stderr io.Writer) error {
	events, err := client.Events(ctx, control.Filter{Since: o.since, Follow: o.follow, Severity: o.severity})
	if err != nil {
		return err
	}
	defer func() { events.Close() }()
	if o.since > events.Newest || o.of != 0 && o.of != events.Generation {
		fmt.Fprintf(stderr, "systole: event %d is not of this daemon, which has started since: these are from its start\n", o.since)
		events.Close()
		if events, err = client.Events(ctx, control.Filter{Follow: o.follow, Severity: o.severity}); err != nil {
			return err
		}
	}
	write := eventWriter(o, events.Generation, stdout)
	for {
		item, err := events.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case item.Missed != nil:
			fmt.Fprintln(stderr, "systole: "+gap(*item.Missed))
		default:
			if err := write(*item.Event); err != nil {
				return err
			}
		}
	}
}

func gap(m control.Missed) string {
	if m.Count == 0 {
		return fmt.Sprintf("events are gone: some before %d", m.Before)
	}
	return fmt.Sprintf("events are gone: %d before %d", m.Count, m.Before)
}

// eventWriter writes one event of a generation a line, as text or JSON.
func eventWriter(o eventsOptions, generation uint64, w io.Writer) func(control.Event) error {
	if o.json {
		e := json.NewEncoder(w)
		return func(line control.Event) error { return e.Encode(eventLine{generation, line}) }
	}
	colour := colourful(w)
	return func(line control.Event) error {
		_, err := io.WriteString(w, eventText(line, colour))
		return err
	}
}

// eventText is one event for people: time, node, kind and fields.
func eventText(e control.Event, colour bool) string {
	text := e.Text
	if c := colours[e.Severity]; colour && c != "" {
		text = c + text + plain
	}
	return fmt.Sprintf("%s %s %s\n", event.Value(e.Time), e.Node, text)
}

// colours mark what an operator should care about, in the sixteen colours of
// every terminal.
var colours = map[string]string{
	event.Warning.String():  "\x1b[33m",   // yellow
	event.Error.String():    "\x1b[31m",   // red
	event.Critical.String(): "\x1b[1;31m", // bold red
}

const plain = "\x1b[0m"

// colourful reports whether w is a terminal whose user has nothing against
// colours (https://no-color.org).
func colourful(w io.Writer) bool {
	return screenOf(w).terminal && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}
