package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/systole-ha/systole/agent/control"
)

// statusOptions are the flags of systole status.
type statusOptions struct {
	json  bool // for programs
	watch bool // redraw every second
}

// watchInterval is how often --watch redraws: the usual keepalive.
const watchInterval = time.Second

// plainWidth is how wide lines may be where there is no terminal to ask.
const plainWidth = 80

// runStatus is systole status: what the daemon at the socket sees. Exit code 1
// says that there was no answer; --watch ends with an interrupt.
func runStatus(socket string, o statusOptions, stdout, stderr io.Writer) int {
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer cancel()
	client := control.At(socket)
	if o.watch {
		watchStatus(ctx, client, o, stdout)
		fmt.Fprintln(stdout) // leave the cursor under the last picture
		return 0
	}
	st, err := client.Status(ctx)
	if err != nil {
		fmt.Fprintf(stderr, "systole: %v\n", err)
		return 1
	}
	if _, err := stdout.Write(statusPage(st, o, screenOf(stdout).width)); err != nil {
		fmt.Fprintf(stderr, "systole: %v\n", err)
		return 1
	}
	return 0
}

func statusPage(st control.Status, o statusOptions, width int) []byte {
	var page bytes.Buffer
	if o.json {
		e := json.NewEncoder(&page)
		e.SetIndent("", "  ")
		e.Encode(st) // a Status is numbers and texts, and a Buffer takes all
		return page.Bytes()
	}
	drawStatus(&page, st, width)
	return page.Bytes()
}

// watchStatus draws the status again and again until ctx ends. A daemon that
// does not answer is part of the picture: the next second it may.
func watchStatus(ctx context.Context, client *control.Client, o statusOptions, stdout io.Writer) {
	tick := time.NewTicker(watchInterval)
	defer tick.Stop()
	for first := true; ; first = false {
		s := screenOf(stdout)
		st, err := client.Status(ctx)
		if ctx.Err() != nil {
			return
		}
		page := []byte(fmt.Sprintf("%s  %v\n", time.Now().Format(time.DateTime), err))
		if err == nil {
			page = statusPage(st, o, s.width)
		}
		if _, err := stdout.Write(s.frame(page, first)); err != nil {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// A screen is what the standard output is connected to.
type screen struct {
	terminal      bool
	width, height int // in characters; height 0 where there is no end
}

func screenOf(w io.Writer) screen {
	if f, ok := w.(*os.File); ok {
		if size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ); err == nil {
			s := screen{terminal: true, width: int(size.Col), height: int(size.Row)}
			if s.width == 0 { // a serial console does not know
				s.width = plainWidth
			}
			return s
		}
	}
	return screen{width: plainWidth}
}

// The few sequences of ECMA-48 that every terminal knows.
const (
	clearAll       = "\x1b[2J"
	cursorHome     = "\x1b[H"
	clearLine      = "\x1b[K" // from the cursor to the end of the line
	clearDownwards = "\x1b[J"
)

// frame is a page drawn over the one before it, without a flicker: no more
// lines than fit, or the terminal would scroll. Where there is no terminal,
// pages follow each other.
func (s screen) frame(page []byte, first bool) []byte {
	if !s.terminal {
		if first {
			return page
		}
		return append([]byte("\n"), page...)
	}
	lines := strings.Split(strings.TrimSuffix(string(page), "\n"), "\n")
	if s.height > 1 && len(lines) > s.height {
		hidden := len(lines) - s.height + 1
		lines = append(lines[:s.height-1], fmt.Sprintf("... %d more lines", hidden))
	}
	// Behind the last column the cursor still stands on it, so lines are cleared
	// before they are written.
	text := cursorHome + clearLine + strings.Join(lines, "\n"+clearLine)
	if len(lines) < s.height || s.height == 0 {
		text += "\n" + clearDownwards
	}
	if first {
		text = clearAll + text
	}
	return []byte(text)
}
