package main

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/systole-ha/systole/agent/control"
	"github.com/systole-ha/systole/agent/control/controltest"
	"github.com/systole-ha/systole/agent/event"
)

// eventful is a daemon that has lived through something.
func eventful(t *testing.T) *controltest.Daemon {
	t.Helper()
	d := startDaemon(t, &controltest.Daemon{Snapshot: controltest.Pair(), Nodes: controltest.PairNodes()})
	d.Emit(1500*time.Millisecond,
		event.NodeStarted{Version: "0.1.0", Generation: 42},
		event.HeartbeatSent{},
		event.LinkDown{Peer: "beta", Link: "eth1", Silence: 10 * time.Second, LinksLeft: 1},
		event.PeerDead{Peer: "beta", Silence: 10 * time.Second},
	)
	return d
}

func TestRunEvents(t *testing.T) {
	d := eventful(t)
	for _, tt := range []struct {
		name       string
		o          eventsOptions
		want, says string
	}{
		{
			name: "what is kept, a line each, without samples",
			want: "2026-11-21T20:38:14.500Z alpha node.started version=0.1.0 generation=42 pid=0\n" +
				"2026-11-21T20:38:17.500Z alpha link.down peer=beta link=eth1 silence=10s links_left=1\n" +
				"2026-11-21T20:38:19.000Z alpha peer.dead peer=beta silence=10s sequence=0\n",
		},
		{
			name: "what is behind a number", o: eventsOptions{since: 3},
			want: "2026-11-21T20:38:19.000Z alpha peer.dead peer=beta silence=10s sequence=0\n",
		},
		{
			name: "what is severe enough", o: eventsOptions{severity: "warning", since: 1},
			want: "2026-11-21T20:38:17.500Z alpha link.down peer=beta link=eth1 silence=10s links_left=1\n" +
				"2026-11-21T20:38:19.000Z alpha peer.dead peer=beta silence=10s sequence=0\n",
		},
		{
			name: "as JSON", o: eventsOptions{severity: "critical", json: true},
			want: `{"generation":42,"sequence":4,"time":"2026-11-21T20:38:19Z","cluster":"web","node":"alpha","kind":"peer.dead","severity":"critical",` +
				`"text":"peer.dead peer=beta silence=10s sequence=0","fields":{"peer":"beta","sequence":0,"silence_seconds":10}}` + "\n",
		},
		{
			name: "a number of an earlier daemon begins at the start of this one", o: eventsOptions{since: 4711, severity: "critical"},
			want: "2026-11-21T20:38:19.000Z alpha peer.dead peer=beta silence=10s sequence=0\n",
			says: "systole: event 4711 is not of this daemon, which has started since: these are from its start\n",
		},
		{
			name: "even where this one has such a number, too", o: eventsOptions{since: 3, of: 41, severity: "warning"},
			want: "2026-11-21T20:38:17.500Z alpha link.down peer=beta link=eth1 silence=10s links_left=1\n" +
				"2026-11-21T20:38:19.000Z alpha peer.dead peer=beta silence=10s sequence=0\n",
			says: "systole: event 3 is not of this daemon, which has started since: these are from its start\n",
		},
		{name: "a number of this daemon is where to go on", o: eventsOptions{since: 4, of: 42}},
		{name: "nothing new is nothing", o: eventsOptions{since: 4}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out, errs strings.Builder
			if code := runEvents(d.Socket, tt.o, &out, &errs); code != 0 || out.String() != tt.want || errs.String() != tt.says {
				t.Errorf("exits %d\n got %s     %s\nwant %s     %s", code, out.String(), errs.String(), tt.want, tt.says)
			}
		})
	}
}

func TestRunEventsWithoutADaemon(t *testing.T) {
	var out, errs strings.Builder
	code := runEvents("/run/systole/nowhere.sock", eventsOptions{follow: true}, &out, &errs)
	if want := "systole: systole is not running (no /run/systole/nowhere.sock)\n"; code != 1 || out.String() != "" || errs.String() != want {
		t.Errorf("exits %d, prints %q, says %q; want 1, nothing, %q", code, out.String(), errs.String(), want)
	}
}

func TestFollowGoesOn(t *testing.T) {
	d := eventful(t)
	ctx, cancel := context.WithCancel(t.Context())
	var lines []string
	out := writerFunc(func(b []byte) (int, error) {
		switch lines = append(lines, string(b)); len(lines) {
		case 1: // the newest so far: what comes now is new
			d.Emit(time.Second, event.LinkUp{Peer: "beta", Link: "eth0"}, event.PeerReturned{Peer: "beta"})
		case 3:
			cancel()
		}
		return len(b), nil
	})
	err := printEvents(ctx, control.At(d.Socket), eventsOptions{follow: true, since: 3}, out, &strings.Builder{})
	if !errors.Is(err, context.Canceled) || len(lines) != 3 || !strings.Contains(lines[2], "20:38:21.000Z alpha peer.returned peer=beta") {
		t.Errorf("follow ends with %v after %q", err, lines)
	}
}

// A reader of a daemon that is gone must know that there will be no more.
func TestFollowEndsWithTheDaemon(t *testing.T) {
	d := &controltest.Daemon{Snapshot: controltest.Pair()}
	if err := d.Start(); err != nil {
		t.Fatal(err)
	}
	d.Emit(time.Second, event.NodeStopping{Reason: "SIGTERM"})
	var errs strings.Builder
	code := runEvents(d.Socket, eventsOptions{follow: true}, writerFunc(func(b []byte) (int, error) {
		return len(b), d.Stop()
	}), &errs)
	if code != 1 || !strings.HasPrefix(errs.String(), "systole: systole is not running") {
		t.Errorf("exits %d, says %q", code, errs.String())
	}
}

// Only what wants attention is coloured, and only for eyes.
func TestColours(t *testing.T) {
	e := control.Event{Time: controltest.Now, Node: "alpha", Text: "peer.dead peer=beta"}
	for severity, want := range map[string]string{
		"notice":   "2026-11-21T20:38:13.000Z alpha peer.dead peer=beta\n",
		"warning":  "2026-11-21T20:38:13.000Z alpha \x1b[33mpeer.dead peer=beta\x1b[0m\n",
		"critical": "2026-11-21T20:38:13.000Z alpha \x1b[1;31mpeer.dead peer=beta\x1b[0m\n",
	} {
		e.Severity = severity
		if got := eventText(e, true); got != want {
			t.Errorf("%s on a terminal:\n got %q\nwant %q", severity, got, want)
		}
		if got := eventText(e, false); strings.Contains(got, "\x1b") {
			t.Errorf("%s in a file: %q", severity, got)
		}
	}
}

func TestGap(t *testing.T) {
	for m, want := range map[control.Missed]string{
		{Count: 12, Before: 7}: "events are gone: 12 before 7",
		{Before: 7}:            "events are gone: some before 7",
	} {
		if got := gap(m); got != want {
			t.Errorf("gap(%v) is %s, want %s", m, got, want)
		}
	}
}
