package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Direct runs programs as children of this process, with its rights and in its
// control group. What they leave running is killed with the daemon's unit.
type Direct struct {
	Log io.Writer // takes what programs say, line by line; nil for nowhere

	mu      sync.Mutex
	started map[string]bool
}

var _ Runner = (*Direct)(nil)

const (
	// farewell is how long a program may take to end when it is told to.
	farewell = time.Second
	// linger is how long the end of what a program has said is waited for, when it
	// has left something running that could say more.
	linger = 100 * time.Millisecond
)

// Path is what programs are looked for in, as systemd has it for services
// (systemd.exec(5)).
const Path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// Run starts the program in a session of its own.
func (d *Direct) Run(ctx context.Context, j Job) (Result, error) {
	cmd := exec.CommandContext(ctx, j.Path, j.Args...)
	cmd.Env = append([]string{Path}, j.Env...)
	cmd.Dir = "/"
	cmd.SysProcAttr = &unix.SysProcAttr{Setsid: true}
	cmd.Cancel = func() error { return unix.Kill(-cmd.Process.Pid, unix.SIGTERM) }
	cmd.WaitDelay = farewell
	complaints, err := d.listen(j, &cmd.Stderr)
	if err != nil {
		return Result{}, err
	}
	said := complaints
	if cmd.Stdout = cmd.Stderr; j.Capture {
		if said, err = d.listen(j, &cmd.Stdout); err != nil {
			complaints.close()
			return Result{}, err
		}
		defer said.close()
	}
	defer complaints.close()
	if err := Start(cmd); err != nil {
		return Result{}, err
	}
	spare(cmd.Process.Pid)
	err = cmd.Wait()
	exit := (*exec.ExitError)(nil)
	switch {
	case ctx.Err() != nil && err != nil:
		unix.Kill(-cmd.Process.Pid, unix.SIGKILL) // what has not heeded the first
		return Result{}, Killed(ctx, Reason(complaints.text()))
	case errors.As(err, &exit) && exit.Exited():
	case err != nil:
		return Result{}, err
	}
	r := Result{Code: cmd.ProcessState.ExitCode()}
	if j.Capture {
		r.Output = said.text()
	}
	if !j.IsFine(r.Code) {
		r.Said = Reason(r.Output + "\n" + complaints.text())
	}
	d.note(j, r)
	return r, nil
}

// Killed is the error of a program that did not end in time, and what it said
// last.
func Killed(ctx context.Context, said string) error {
	if said != "" {
		said = ": " + said
	}
	return fmt.Errorf("killed, it did not end in time%s: %w", said, ctx.Err())
}

// spare has a program killed no later than others when memory runs out, as this
// daemon is. The program may be gone already.
func spare(pid int) {
	os.WriteFile(fmt.Sprintf("/proc/%d/oom_score_adj", pid), []byte("0"), 0)
}

func (d *Direct) note(j Job, r Result) {
	if !j.Keep || r.Code != 0 {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.started == nil {
		d.started = map[string]bool{}
	}
	d.started[j.Resource] = true
}

// Started knows only of this process.
func (d *Direct) Started(_ context.Context, resource string) (bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.started[resource], nil
}

// Forget makes Started say no.
func (d *Direct) Forget(_ context.Context, resource string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.started, resource)
	return nil
}

// A listener takes what a program writes to a pipe, for as long as anything of it
// runs.
type listener struct {
	mu    sync.Mutex
	kept  Output
	ended chan struct{}
	write *os.File // the program's end
}

// listen makes a pipe, and has the program write to it.
func (d *Direct) listen(j Job, to *io.Writer) (*listener, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	l := &listener{ended: make(chan struct{}), write: write}
	*to = write
	go func() {
		defer close(l.ended)
		defer read.Close()
		l.copy(read, d.Log, j)
	}()
	return l, nil
}

func (l *listener) copy(from io.Reader, log io.Writer, j Job) {
	buffer := make([]byte, 4096)
	for {
		n, err := from.Read(buffer)
		l.mu.Lock()
		l.kept.Write(buffer[:n])
		l.mu.Unlock()
		if log != nil && n > 0 {
			for line := range bytes.Lines(buffer[:n]) {
				fmt.Fprintf(log, "%s %s: %s\n", j.Resource, j.Operation, strings.TrimRight(string(line), "\n"))
			}
		}
		if err != nil {
			return
		}
	}
}

// text is what was written so far, when the program itself has ended.
func (l *listener) text() string {
	l.close()
	select {
	case <-l.ended:
	case <-time.After(linger):
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.kept.String()
}

// close gives up this process' copy of the program's end.
func (l *listener) close() { l.write.Close() }
