package control_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/systole-ha/systole/agent/control"
	"github.com/systole-ha/systole/agent/control/controltest"
	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/agent/readiness"
	"github.com/systole-ha/systole/agent/takeover"
)

// start runs a daemon for a test.
func start(t *testing.T, d *controltest.Daemon) *controltest.Daemon {
	t.Helper()
	if err := d.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Stop(); err != nil {
			t.Errorf("the server ended with %v", err)
		}
	})
	return d
}

func pair() *controltest.Daemon {
	return &controltest.Daemon{Snapshot: controltest.Pair(), Nodes: controltest.PairNodes()}
}

// history is what a Pair has lived through.
var history = []event.Event{
	event.NodeStarted{Version: "0.1.0", Generation: 42},
	event.LinkOpened{Link: "eth0", Medium: "bcast"},
	event.LinkOpened{Link: "eth1", Medium: "ucast"},
	event.PeerIdentified{Peer: "beta", Wire: "systole", Version: "0.1.0", AutoFailback: "on"},
	event.ConfigDrift{Peer: "beta", File: "haresources", Ours: "a", Theirs: "b"},
	event.HeartbeatReceived{Peer: "beta", Link: "eth0", RoundTrip: 310 * time.Microsecond},
	event.PingAnswered{PingNode: "192.0.2.1", RoundTrip: 120 * time.Microsecond},
	event.TakeoverStarted{ID: 1, Trigger: "peer_dead", Peer: "beta", Groups: []string{"192.0.2.20"}},
	event.TakeoverPhase{ID: 1, Phase: "silence", Took: 10 * time.Second},
	event.TakeoverPhase{ID: 1, Phase: "confirm"},
	event.TakeoverPhase{ID: 1, Phase: "address", Took: 1500 * time.Microsecond},
	event.TakeoverCompleted{ID: 1, Trigger: "peer_dead", Peer: "beta", Groups: []string{"192.0.2.20"}, Result: "success",
		Took: 1500 * time.Microsecond, Outage: 10*time.Second + 1500*time.Microsecond},
}

// looks is what the looks of every minute have found.
var looks = []event.Event{
	event.ReadinessChanged{Check: "units_loadable", Ready: true, Reason: "1 unit"},
	event.ReadinessChanged{Check: "disk", Ready: true, Reason: "/var/lib/systole takes what is written"},
	event.ReadinessChanged{Check: "disk", Reason: "no space left on device"},
	event.ConfigPending{File: "ha.cf", Error: "ha.cf:3: no such directive"},
	event.ConfigPending{File: "haresources"},
	event.ConfigPending{File: "ha.cf", Agrees: true},
}

func TestStatusIsAStableShape(t *testing.T) {
	d := start(t, pair())
	d.Emit(time.Second, history...)
	d.Emit(time.Second, looks...)
	st, err := control.At(d.Socket).Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.MarshalIndent(st, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "status.json", append(got, '\n'))
}

func TestReady(t *testing.T) {
	d := pair()
	d.Report = readiness.Report{Verdicts: []readiness.Verdict{{Check: "disk", Ready: true, Reason: "fine"}, {Check: "clock", Reason: "off"}}}
	start(t, d)
	got, err := control.At(d.Socket).Ready(t.Context())
	want := control.Ready{Judged: true, Checks: []control.Check{{Check: "disk", Ready: true, Reason: "fine"}, {Check: "clock", Reason: "off"}}}
	if !reflect.DeepEqual(got, want) || err != nil {
		t.Errorf("Ready:\n got %+v, %v\nwant %+v", got, err, want)
	}
	d.Report = readiness.Report{Unjudged: "it boots"}
	got, err = control.At(d.Socket).Ready(t.Context())
	if want := (control.Ready{Reason: "it boots", Checks: []control.Check{}}); !reflect.DeepEqual(got, want) || err != nil {
		t.Errorf("Ready:\n got %+v, %v\nwant %+v", got, err, want)
	}
}

func TestMove(t *testing.T) {
	d := pair()
	d.Reply = takeover.Reply{Accepted: true}
	start(t, d)
	m, err := control.At(d.Socket).Move(t.Context(), "takeover", "foreign")
	if want := (control.Move{Accepted: true}); m != want || err != nil {
		t.Errorf("Move is %v, %v, want %v", m, err, want)
	}
	d.Reply = takeover.Reply{Reason: "beta is dead"}
	m, err = control.At(d.Socket).Move(t.Context(), "standby", "all")
	if want := (control.Move{Reason: "beta is dead"}); m != want || err != nil {
		t.Errorf("Move is %v, %v, want %v", m, err, want)
	}
	uid := os.Getuid() // who asks is recorded
	want := []controltest.Request{{Kind: "takeover", Scope: "foreign", UID: uid}, {Kind: "standby", Scope: "all", UID: uid}}
	if got := d.Requests(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("asked for %v, want %v", got, want)
	}
	if _, err = control.At(d.Socket).Move(t.Context(), "standby", "failback"); err == nil || !strings.Contains(err.Error(), `scope "failback"`) {
		t.Errorf("Move(failback) is %v", err)
	}
}

func TestParameter(t *testing.T) {
	d := pair()
	d.Parameters = map[string]string{"deadtime": "10", "debugfile": ""}
	start(t, d)
	for name, want := range map[string]string{"deadtime": "10 true <nil>", "debugfile": " true <nil>", "node": " false <nil>"} {
		value, known, err := control.At(d.Socket).Parameter(t.Context(), name)
		if got := fmt.Sprint(value, " ", known, " ", err); got != want {
			t.Errorf("Parameter(%s) is %s, want %s", name, got, want)
		}
	}
}

func TestANodeThatCannotAnswerSaysSo(t *testing.T) {
	d := pair()
	d.Refuse = errors.New("the loop has ended")
	start(t, d)
	_, err := control.At(d.Socket).Status(t.Context())
	var refused *control.Error
	if !errors.As(err, &refused) || refused.Code != control.Unavailable || err.Error() != "the loop has ended" {
		t.Errorf("Status: %v", err)
	}
}

// drain reads a stream to its end.
func drain(t *testing.T, s *control.Stream) (items []string) {
	t.Helper()
	for {
		switch item, err := s.Next(); {
		case errors.Is(err, io.EOF):
			return items
		case err != nil:
			t.Fatal(err)
		case item.Missed != nil:
			items = append(items, fmt.Sprintf("missed %d before %d", item.Missed.Count, item.Missed.Before))
		default:
			items = append(items, fmt.Sprintf("%d %s %s", item.Event.Sequence, item.Event.Severity, item.Event.Kind))
		}
	}
}

func TestEvents(t *testing.T) {
	d := start(t, pair())
	d.Emit(time.Second, history...)
	for _, tt := range []struct {
		name   string
		filter control.Filter
		want   []string
	}{
		{
			name: "since a number", filter: control.Filter{Since: 7},
			want: []string{"8 notice takeover.started", "9 info takeover.phase", "10 info takeover.phase", "11 info takeover.phase", "12 notice takeover.completed"},
		},
		{name: "warnings and worse", filter: control.Filter{Severity: "warning"}, want: []string{"5 warning config.drift"}},
		{name: "nothing new", filter: control.Filter{Since: 12}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := control.At(d.Socket).Events(t.Context(), tt.filter)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if want := (control.Events{Generation: 42, Oldest: 1, Newest: 12}); s.Events != want {
				t.Errorf("begins with %+v, want %+v", s.Events, want)
			}
			if got := drain(t, s); fmt.Sprint(got) != fmt.Sprint(tt.want) {
				t.Errorf("events:\n got %q\nwant %q", got, tt.want)
			}
		})
	}
}

func TestFollowingEndsWithItsContext(t *testing.T) {
	d := start(t, pair())
	ctx, cancel := context.WithCancel(t.Context())
	s, err := control.At(d.Socket).Events(ctx, control.Filter{Follow: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	d.Emit(time.Second, event.PeerDead{Peer: "beta", Silence: 10 * time.Second})
	item, err := s.Next()
	if err != nil || item.Event == nil || item.Event.Text != "peer.dead peer=beta silence=10s sequence=0" || item.Event.Fields["silence_seconds"] != 10.0 {
		t.Errorf("Next is %+v, %v", item.Event, err)
	}
	cancel()
	if _, err := s.Next(); !errors.Is(err, context.Canceled) {
		t.Errorf("Next after cancel: %v", err)
	}
}

func TestFollowingEndsWithTheDaemon(t *testing.T) {
	d := pair()
	if err := d.Start(); err != nil {
		t.Fatal(err)
	}
	s, err := control.At(d.Socket).Events(t.Context(), control.Filter{Follow: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := d.Stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Next(); !errors.Is(err, control.ErrNotRunning) {
		t.Errorf("Next: %v, want ErrNotRunning", err)
	}
}

func TestManyClientsAtOnce(t *testing.T) {
	d := start(t, pair())
	var askers, followers sync.WaitGroup
	for range 24 {
		s, err := control.At(d.Socket).Events(t.Context(), control.Filter{Follow: true})
		if err != nil {
			t.Fatal(err)
		}
		followers.Go(func() {
			defer s.Close()
			for last := uint64(0); ; {
				item, err := s.Next()
				switch {
				case err != nil:
					t.Errorf("Next: %v", err)
					return
				case item.Missed != nil:
					t.Errorf("missed %v of a few hundred", item.Missed)
				case item.Event.Sequence <= last:
					t.Errorf("number %d after %d", item.Event.Sequence, last)
				case item.Event.Kind == "node.stopped":
					return
				default:
					last = item.Event.Sequence
				}
			}
		})
		askers.Go(func() {
			for range 20 {
				d.Emit(time.Millisecond, event.LinkUp{Peer: "beta"}, event.TakeoverStarted{ID: 1}, event.HeartbeatReceived{Peer: "beta", RoundTrip: 1})
				if _, err := control.At(d.Socket).Status(t.Context()); err != nil {
					t.Errorf("Status: %v", err)
				}
			}
		})
	}
	askers.Wait()
	d.Emit(time.Millisecond, event.NodeStopped{})
	followers.Wait()
}

// idle opens connections that say nothing.
func idle(t *testing.T, socket string, n int) []net.Conn {
	t.Helper()
	var conns []net.Conn
	for range n {
		c, err := net.Dial("unix", socket)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		conns = append(conns, c)
	}
	return conns
}

func TestTheSixtyFifthConnectionIsTurnedAway(t *testing.T) {
	d := start(t, pair())
	conns := idle(t, d.Socket, 64)
	_, err := control.At(d.Socket).Status(t.Context())
	var refused *control.Error
	if !errors.As(err, &refused) || refused.Code != control.Busy || err.Error() != "64 connections are open" {
		t.Errorf("Status: %v", err)
	}
	for _, c := range conns {
		c.Close()
	}
	for { // places are free again as soon as the server has seen them go
		if _, err := control.At(d.Socket).Status(t.Context()); err == nil {
			break
		} else if !errors.As(err, &refused) || refused.Code != control.Busy {
			t.Fatal(err)
		}
	}
}

// Nothing that a client can send keeps the next one from being answered.
func TestGarbage(t *testing.T) {
	d := start(t, pair())
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 300 {
		c, err := net.Dial("unix", d.Socket)
		if err != nil {
			t.Fatal(err)
		}
		b := make([]byte, random.IntN(9000))
		for j := range b {
			b[j] = byte(random.Uint32())
		}
		if i%3 == 0 {
			b = append([]byte(`{"protocol":1,"request":"move","kind":"standby","scope":"all","x":`), b...)
		}
		c.SetDeadline(time.Now().Add(10 * time.Second))
		c.Write(append(b, '\n'))
		answer, err := io.ReadAll(c)
		if !bytes.Contains(answer, []byte(`"bad_request"`)) {
			t.Errorf("garbage %d is answered by %q, %v", i, answer, err)
		}
		c.Close()
	}
	if _, err := control.At(d.Socket).Status(t.Context()); err != nil {
		t.Error(err)
	}
	if got := d.Requests(); len(got) > 0 {
		t.Errorf("garbage has moved groups: %v", got)
	}
}

// A client that has said all it wants may close its direction, as socat does.
func TestAHalfClosedConnectionIsAnswered(t *testing.T) {
	d := start(t, pair())
	d.Emit(time.Second, event.LinkUp{Peer: "beta"})
	c := idle(t, d.Socket, 1)[0]
	fmt.Fprintln(c, `{"protocol":1,"request":"events"}`)
	if err := c.(*net.UnixConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(c)
	if lines := strings.Count(string(b), "\n"); lines != 3 || err != nil {
		t.Errorf("%d lines of answer, %v: %s", lines, err, b)
	}
}

func TestSocketBelongsToOneDaemon(t *testing.T) {
	d := start(t, pair())
	if _, err := control.Listen(control.Config{Socket: d.Socket}); !errors.Is(err, control.ErrRunning) {
		t.Errorf("a second daemon: %v, want ErrRunning", err)
	}
	if _, err := control.At(d.Socket).Status(t.Context()); err != nil {
		t.Errorf("and the first is cut off: %v", err)
	}
	info, err := os.Stat(d.Socket)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := info.Mode(), os.ModeSocket|0o660; got != want {
		t.Errorf("mode is %v, want %v", got, want)
	}
}

func TestSocketOfAKilledDaemonIsReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sub", "sock")
	old, err := control.Listen(control.Config{Socket: path})
	if err != nil {
		t.Fatal(err)
	}
	old.Close()
	left, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	left.SetUnlinkOnClose(false) // as if it had been killed
	left.Close()
	if _, err := control.At(path).Status(t.Context()); !errors.Is(err, control.ErrNotRunning) || !strings.Contains(err.Error(), "nobody listens") {
		t.Errorf("asking a dead socket: %v", err)
	}
	s, err := control.Listen(control.Config{Socket: path})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is left behind: %v", err)
	}
	info, err := os.Stat(filepath.Dir(path))
	if err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("the folder is %v, %v", info.Mode(), err)
	}
}

var update = flag.Lookup("update")

// golden compares with a file of testdata, or rewrites it.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if update.Value.String() == "true" {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s:\n got %s\nwant %s", name, got, want)
	}
}
