package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/systole-ha/systole/agent/control"
	"github.com/systole-ha/systole/agent/control/controltest"
	"github.com/systole-ha/systole/agent/event"
)

// A display is the far side of a terminal on which something runs.
type display struct {
	t        *testing.T
	keyboard *os.File
	tty      *os.File
	shown    chan string
	text     string // what came since the last await
	before   *unix.Termios
}

func newDisplay(t *testing.T, columns, rows uint16) *display {
	t.Helper()
	master, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { master.Close(); tty.Close() })
	d := &display{t: t, keyboard: master, tty: tty, shown: make(chan string, 100), before: termios(t, tty)}
	d.resize(columns, rows)
	go func() {
		buffer := make([]byte, 1<<16)
		for {
			n, err := master.Read(buffer)
			if err != nil {
				close(d.shown)
				return
			}
			d.shown <- string(buffer[:n])
		}
	}()
	return d
}

func termios(t *testing.T, f *os.File) *unix.Termios {
	t.Helper()
	now, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return now
}

func (d *display) resize(columns, rows uint16) {
	d.t.Helper()
	if err := pty.Setsize(d.tty, &pty.Winsize{Cols: columns, Rows: rows}); err != nil {
		d.t.Fatal(err)
	}
}

func (d *display) press(keys string) {
	d.t.Helper()
	if _, err := d.keyboard.WriteString(keys); err != nil {
		d.t.Fatal(err)
	}
}

// await waits until a text is drawn that was not there when it last waited.
func (d *display) await(text string) {
	d.t.Helper()
	limit := time.After(20 * time.Second)
	for {
		if i := strings.Index(d.text, text); i >= 0 {
			d.text = d.text[i+len(text):]
			return
		}
		select {
		case more, ok := <-d.shown:
			if !ok {
				d.t.Fatalf("the terminal is closed before %q; after the last it showed\n%q", text, d.text)
			}
			d.text += more
		case <-limit:
			d.t.Fatalf("no %q; after the last it showed\n%q", text, d.text)
		}
	}
}

// TestTopLives runs systole top on a terminal through the life of a daemon:
// before it starts, while things happen, behind its end, and with the next one.
func TestTopLives(t *testing.T) {
	t.Setenv("NO_COLOR", "1")
	t.Setenv("LC_ALL", "C")
	socket := filepath.Join(t.TempDir(), "sock") // a name for whichever daemon there is
	d := newDisplay(t, 80, 24)
	code := make(chan int, 1)
	var errs strings.Builder
	go func() { code <- runTop(socket, d.tty, d.tty, &errs) }()

	d.await(otherScreen)
	d.await("systole is not running (no " + socket + ")")

	first := &controltest.Daemon{Snapshot: controltest.Pair(), Nodes: controltest.PairNodes()}
	first.Snapshot.Generation = 1
	reach(t, first, socket)
	first.Emit(time.Second, event.NodeStarted{Generation: 1})
	d.await("cluster web, node alpha is active, holds local groups")
	first.Emit(time.Second, event.PeerDead{Peer: "beta", Silence: 10 * time.Second, Deadtime: 10 * time.Second})
	d.await("critical peer.dead peer=beta silence=10s deadtime=10s")
	d.press("?")
	d.await("quit")
	d.press("?")
	d.await("EVENTS")
	d.resize(120, 40)
	if err := unix.Kill(os.Getpid(), unix.SIGWINCH); err != nil {
		t.Fatal(err)
	}
	d.await(clearAll)
	d.await("deadtime=10s")

	if err := first.Stop(); err != nil {
		t.Fatal(err)
	}
	d.await("! no answer: systole is not running")
	second := &controltest.Daemon{Snapshot: controltest.Pair(), Nodes: controltest.PairNodes()}
	second.Snapshot.Takeover.Hold = "all"
	reach(t, second, socket)
	second.Emit(time.Second, event.NodeStarted{Generation: 2}, event.HoldChanged{From: "local", To: "all"})
	d.await("holds all groups")
	d.await("hold.changed from=local to=all")
	if err := second.Stop(); err != nil {
		t.Error(err)
	}

	d.press("q")
	d.await(showCursor + firstScreen)
	if got := <-code; got != 0 || errs.String() != "" {
		t.Errorf("exits %d, says %q", got, errs.String())
	}
	if after := termios(t, d.tty); !reflect.DeepEqual(after, d.before) {
		t.Errorf("the terminal is left as\n     %+v\nwant %+v", after, d.before)
	}
}

// reach starts a daemon and lets the name lead to it.
func reach(t *testing.T, d *controltest.Daemon, name string) {
	t.Helper()
	if err := d.Start(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	if err := os.Symlink(d.Socket, name); err != nil {
		t.Fatal(err)
	}
}

func TestTopWithoutATerminal(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var errs strings.Builder
	if code := runTop("/run/systole/nowhere.sock", file, file, &errs); code != 1 || !strings.Contains(errs.String(), "is not a terminal") || !strings.Contains(errs.String(), "systole status") {
		t.Errorf("exits %d, says %q; want 1 and what else there is", code, errs.String())
	}
}

// TestWatcherTakesUpTheEventsOfANewDaemon: its numbers begin again.
func TestWatcherTakesUpTheEventsOfANewDaemon(t *testing.T) {
	first := startDaemon(t, &controltest.Daemon{Snapshot: controltest.Pair(), Nodes: controltest.PairNodes()})
	first.Emit(time.Second, event.NodeStarted{Generation: 2}, event.HoldChanged{From: "none", To: "all"})
	w := watch(control.At(first.Socket))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got, want := w.read(ctx, place{1, 900}), (place{1, 900}); got != want {
		t.Errorf("called off it is at %+v, want %+v", got, want)
	}
	reading, stop := context.WithTimeout(t.Context(), 10*time.Second)
	defer stop()
	if got, want := w.read(reading, place{1, 900}), (place{generation: 2}); got != want {
		t.Errorf("behind a restart it is at %+v, want %+v", got, want)
	}
	go func() { <-w.news; stop() }()
	if got, want := w.read(reading, place{generation: 2}), (place{2, 2}); got != want {
		t.Errorf("behind the first event it is at %+v, want %+v", got, want)
	}
}
