package main

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// What a terminal is told, by xterm's names; all that are in use know these,
// the console of Linux included.
const (
	otherScreen = "\x1b[?1049h" // what was there comes back afterwards
	firstScreen = "\x1b[?1049l"
	hideCursor  = "\x1b[?25l"
	showCursor  = "\x1b[?25h"
)

// A terminal is one of which a program has taken the whole screen.
type terminal struct {
	in, out *os.File
	before  *unix.Termios
}

// takeTerminal takes it: keys come one by one and unseen. The keys that send
// signals go on doing so. An error says that this is no terminal.
func takeTerminal(in, out *os.File) (*terminal, error) {
	before, err := unix.IoctlGetTermios(int(in.Fd()), unix.TCGETS)
	if err != nil {
		return nil, fmt.Errorf("%s is not a terminal: %w", in.Name(), err)
	}
	if !screenOf(out).terminal {
		return nil, fmt.Errorf("%s is not a terminal", out.Name())
	}
	t := &terminal{in: in, out: out, before: before}
	return t, t.take()
}

func (t *terminal) take() error {
	now := *t.before
	now.Lflag &^= unix.ICANON | unix.ECHO
	now.Cc[unix.VMIN], now.Cc[unix.VTIME] = 1, 0
	if err := unix.IoctlSetTermios(int(t.in.Fd()), unix.TCSETS, &now); err != nil {
		return err
	}
	_, err := t.out.WriteString(otherScreen + hideCursor + clearAll)
	return err
}

// give gives it back as it was.
func (t *terminal) give() {
	t.out.WriteString(showCursor + firstScreen)
	unix.IoctlSetTermios(int(t.in.Fd()), unix.TCSETS, t.before)
}

// A key is what a user wants.
type key int

const (
	keyOther key = iota
	keyQuit
	keyHelp
	keyUp
	keyDown
)

// keySequences are what terminals send for the keys that mean something here;
// arrows in both of their modes (DECCKM).
var keySequences = map[string]key{
	"q": keyQuit, "Q": keyQuit, "?": keyHelp, "h": keyHelp,
	"\x1b[A": keyUp, "\x1bOA": keyUp, "k": keyUp, "\x1b[Z": keyUp,
	"\x1b[B": keyDown, "\x1bOB": keyDown, "j": keyDown, "\t": keyDown,
}

// keysIn finds the keys in what a terminal has sent, and gives back what may be
// the beginning of one.
func keysIn(sent []byte) (keys []key, rest []byte) {
	for len(sent) > 0 {
		n := sequenceLength(sent)
		if n == 0 {
			return keys, sent
		}
		keys = append(keys, keySequences[string(sent[:n])])
		sent = sent[n:]
	}
	return keys, nil
}

// sequenceLength is that of the first key: one character, or an escape sequence
// (ECMA-48 5.4); 0 for one that has not ended yet.
func sequenceLength(sent []byte) int {
	if sent[0] != '\x1b' {
		return 1
	}
	if len(sent) == 1 {
		return 0
	}
	if sent[1] != '[' && sent[1] != 'O' {
		return 1 // the escape key, and something else behind it
	}
	for i, c := range sent[2:] {
		if c >= '@' && c <= '~' {
			return i + 3
		}
	}
	return 0
}
