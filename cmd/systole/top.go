package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/systole-ha/systole/agent/control"
	"github.com/systole-ha/systole/cmd/systole/board"
)

// runTop is systole top: the status as a whole screen that follows what happens,
// until the user quits. It needs a terminal, and no daemon: one that is not
// there yet is waited for. Exit code 1 says that there is no terminal.
func runTop(socket string, stdin, stdout *os.File, stderr io.Writer) int {
	t, err := takeTerminal(stdin, stdout)
	if err != nil {
		fmt.Fprintf(stderr, "systole: %v; systole status prints one picture\n", err)
		return 1
	}
	defer t.give()
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer cancel()
	w := watch(control.At(socket))
	watching := make(chan struct{})
	go func() { defer close(watching); w.run(ctx) }()
	(&top{terminal: t, view: topView{glyphs: glyphsOf(os.Getenv)}, colour: colourful(stdout)}).run(ctx, w.boards, keysOf(stdin))
	cancel()
	<-watching
	return 0
}

// A top is the screen and what the user has made of it.
type top struct {
	terminal *terminal
	view     topView
	colour   bool
	drawn    bool // once
}

// run draws until the user quits, ctx ends or the terminal is gone.
func (t *top) run(ctx context.Context, boards <-chan board.Board, keys <-chan key) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGWINCH, syscall.SIGTSTP, syscall.SIGCONT)
	defer signal.Stop(signals)
	for {
		select {
		case b := <-boards:
			t.view.board = b
		case k, more := <-keys:
			if !more || k == keyQuit {
				return
			}
			t.view = t.view.press(k)
		case s := <-signals:
			if s == syscall.SIGTSTP {
				t.terminal.give()
				unix.Kill(os.Getpid(), unix.SIGSTOP)
				t.terminal.take()
			}
			t.drawn = false
		case <-ctx.Done():
			return
		}
		if t.draw() != nil {
			return
		}
	}
}

func (t *top) draw() error {
	s := screenOf(t.terminal.out)
	t.view.width, t.view.height = s.width, cmp.Or(s.height, 24) // a serial console does not know
	page := printRows(t.view.draw(), t.colour)
	_, err := t.terminal.out.Write(s.frame([]byte(page), !t.drawn))
	t.drawn = true
	return err
}

// press is the view after a key.
func (v topView) press(k key) topView {
	switch k {
	case keyHelp:
		v.help = !v.help
	case keyUp:
		v.chosen = v.step(-1)
	case keyDown:
		v.chosen = v.step(1)
	}
	return v
}

// step is the takeover so many places further down. The newest is 0, so that
// the one chosen there is always the newest.
func (v topView) step(by int) uint64 {
	at := v.chosenPlace() + by
	if at <= 0 || len(v.board.Takeovers) == 0 {
		return 0
	}
	return v.board.Takeovers[min(at, len(v.board.Takeovers)-1)].ID
}

// keysOf reads keys until there are no more. It ends with the process: a read
// of a terminal cannot be called off.
func keysOf(in io.Reader) <-chan key {
	keys := make(chan key)
	go func() {
		defer close(keys)
		var rest []byte
		buffer := make([]byte, 64)
		for {
			n, err := in.Read(buffer)
			var pressed []key
			pressed, rest = keysIn(append(rest, buffer[:n]...))
			for _, k := range pressed {
				keys <- k
			}
			if err != nil {
				return
			}
		}
	}()
	return keys
}
