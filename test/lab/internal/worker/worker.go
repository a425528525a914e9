// Package worker runs the parts of the lab that must be on time in processes
// of their own, at real-time priority and in the network namespace they
// measure: the prober, the watch of addresses, the delayed and the serial
// cable. Inside the lab's program they would wait for its garbage collector
// and its other goroutines, and take their lateness for the network's.
//
// A worker is the lab's own program started again, with the kind of worker in
// its environment. It reads one JSON value a line from its standard input,
// the first being its parameters, and writes one a line to its output. It ends
// when its input does, so no worker survives its lab.
package worker

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"github.com/systole-ha/systole/test/lab/internal/netns"
)

const environment = "SYSTOLE_LAB_WORKER"

// A Func is the body of a worker.
type Func func(*Pipe) error

// Main turns this process into a worker if it was started as one, and then
// does not return. Otherwise it does nothing.
func Main(kinds map[string]Func) {
	kind, ok := os.LookupEnv(environment)
	if !ok {
		return
	}
	os.Unsetenv(environment)
	body, ok := kinds[kind]
	if !ok {
		fmt.Fprintf(os.Stderr, "no worker is called %q\n", kind)
		os.Exit(2)
	}
	pipe := &Pipe{in: json.NewDecoder(os.Stdin), out: bufio.NewWriter(os.Stdout)}
	if err := errors.Join(body(pipe), pipe.Flush()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// A Pipe is a worker's side of the conversation with its lab. One goroutine
// may receive while another sends.
type Pipe struct {
	in  *json.Decoder
	out *bufio.Writer
}

// Receive reads the next value, or io.EOF when the lab has no more to say.
func (p *Pipe) Receive(v any) error { return p.in.Decode(v) }

// Send writes a value into a buffer.
func (p *Pipe) Send(v any) error {
	line, err := json.Marshal(v)
	if err == nil {
		_, err = p.out.Write(append(line, '\n'))
	}
	return err
}

// Flush hands the lab what was sent.
func (p *Pipe) Flush() error { return p.out.Flush() }

// A Spec says what to start.
type Spec struct {
	Kind      string
	Namespace *netns.Namespace // nil: that of the lab's program
	Cgroup    *os.File         // nil: that of the lab's program
	Files     []*os.File       // the worker's files from 3 on
	Params    any              // the first value on its input
	Session   bool             // a session of its own, deaf to the terminal's signals
}

// A Process is the lab's side: a worker that was started.
type Process struct {
	kind   string
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *json.Decoder
	stderr bytes.Buffer
}

// Start starts a worker and gives it its parameters.
func Start(spec Spec) (*Process, error) {
	p := &Process{kind: spec.Kind, cmd: exec.Command("/proc/self/exe")}
	p.cmd.Args[0] = "systole-lab-" + spec.Kind
	p.cmd.Env = append(os.Environ(), environment+"="+spec.Kind)
	p.cmd.ExtraFiles = spec.Files
	p.cmd.Stderr = &p.stderr
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: spec.Session}
	if spec.Cgroup != nil {
		p.cmd.SysProcAttr.UseCgroupFD, p.cmd.SysProcAttr.CgroupFD = true, int(spec.Cgroup.Fd())
	}
	in, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.in, p.out = in, json.NewDecoder(out)
	start := p.cmd.Start
	if spec.Namespace != nil {
		start = func() error { return spec.Namespace.Do(p.cmd.Start) }
	}
	if err := start(); err != nil {
		return nil, fmt.Errorf("start worker %s: %w", spec.Kind, err)
	}
	if err := p.Send(spec.Params); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// Pid is the worker's process.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Send gives the worker a value.
func (p *Process) Send(v any) error {
	line, err := json.Marshal(v)
	if err == nil {
		_, err = p.in.Write(append(line, '\n'))
	}
	if err != nil {
		return fmt.Errorf("tell worker %s: %w", p.kind, err)
	}
	return nil
}

// Receive reads the worker's next value, or io.EOF when it has ended.
func (p *Process) Receive(v any) error { return p.out.Decode(v) }

// End ends the worker's input, upon which it finishes what it has begun.
// Receive goes on until io.EOF, then Close.
func (p *Process) End() error { return p.in.Close() }

// Close ends the worker and waits for it. Nothing may be receiving.
func (p *Process) Close() error {
	p.in.Close()
	if err := p.cmd.Wait(); err != nil {
		return fmt.Errorf("worker %s: %w: %s", p.kind, err, strings.TrimSpace(p.stderr.String()))
	}
	return nil
}
