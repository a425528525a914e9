// Package browser drives a headless Chromium for tests, over two pipes by the
// DevTools protocol (https://chromedevtools.github.io/devtools-protocol/).
// Pipes, not a socket: the browser may run in another network namespace.
package browser

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
)

// flags make a Chromium that root can run in a test: without its sandbox, which
// needs a user, without a display, and asking nobody for anything.
var flags = []string{
	"--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--force-color-profile=srgb",
	"--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
	"--remote-debugging-pipe",
}

// A Browser is a running Chromium.
type Browser struct {
	cmd  *exec.Cmd
	said *bytes.Buffer
	to   *os.File
	from *os.File
	done chan struct{} // closed when nothing more comes

	mu      sync.Mutex
	last    int
	waiting map[int]chan message
	heard   func(message)
}

// A message is a command, its answer, or an event.
type message struct {
	ID      int             `json:"id,omitempty"`
	Session string          `json:"sessionId,omitempty"`
	Method  string          `json:"method,omitempty"`
	Params  any             `json:"params,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   *failure        `json:"error,omitempty"`
}

type failure struct {
	Message string `json:"message"`
}

// Start starts a browser that keeps what it keeps in dir. entry is a command
// that runs the one behind it elsewhere, as nsenter(1) does; none for here.
func Start(dir string, entry ...string) (*Browser, error) {
	args := append(append(append([]string(nil), entry...), "chromium"), flags...)
	args = append(args, "--user-data-dir="+dir, "about:blank")
	in, to, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	from, out, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, in.Close(), to.Close())
	}
	b := &Browser{
		cmd: exec.Command(args[0], args[1:]...), said: new(bytes.Buffer), to: to, from: from,
		done: make(chan struct{}), waiting: map[int]chan message{},
	}
	b.cmd.ExtraFiles = []*os.File{in, out} // file descriptors 3 and 4
	b.cmd.Stderr = b.said
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	err = b.cmd.Start()
	in.Close()
	out.Close()
	if err != nil {
		return nil, errors.Join(err, to.Close(), from.Close())
	}
	go b.listen()
	return b, nil
}

// listen hands on what the browser says until it says no more.
func (b *Browser) listen() {
	defer close(b.done)
	for lines := bufio.NewReader(b.from); ; {
		text, err := lines.ReadBytes(0)
		if err != nil {
			return
		}
		var m message
		if json.Unmarshal(text[:len(text)-1], &m) != nil {
			continue
		}
		b.mu.Lock()
		answer, heard := b.waiting[m.ID], b.heard
		delete(b.waiting, m.ID)
		b.mu.Unlock()
		switch {
		case answer != nil:
			answer <- m // has room for it
		case heard != nil:
			heard(m)
		}
	}
}

// call sends a command and waits for its answer, which into takes.
func (b *Browser) call(ctx context.Context, session, method string, params, into any) error {
	answer := make(chan message, 1)
	b.mu.Lock()
	b.last++
	m := message{ID: b.last, Session: session, Method: method, Params: params}
	b.waiting[m.ID] = answer
	b.mu.Unlock()
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if _, err := b.to.Write(append(text, 0)); err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	select {
	case m = <-answer:
	case <-b.done:
		return fmt.Errorf("%s: the browser has ended", method)
	case <-ctx.Done():
		return fmt.Errorf("%s: %w", method, ctx.Err())
	}
	if m.Error != nil {
		return fmt.Errorf("%s: %s", method, m.Error.Message)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(m.Result, into)
}

// Close ends the browser and everything that it started. What it said may tell
// why it did not do what it should; before Close it may still be writing.
func (b *Browser) Close() (said string) {
	syscall.Kill(-b.cmd.Process.Pid, syscall.SIGKILL)
	b.cmd.Wait()
	b.to.Close()
	<-b.done
	b.from.Close()
	return b.said.String()
}
