package lab

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A RunError is a command that failed, with what it wrote.
type RunError struct {
	Host   string // where
	Args   []string
	Output string // standard output and error, as they came
	Err    error  // *exec.ExitError, or the context's if it ended first
}

func (e *RunError) Error() string {
	text := fmt.Sprintf("%s: %s: %v", e.Host, strings.Join(e.Args, " "), e.Err)
	if out := tail(e.Output, 30); out != "" {
		text += "\n" + out
	}
	return text
}

func (e *RunError) Unwrap() error { return e.Err }

// Run runs a command in the node as root and gives its standard output and
// error. It is no shell; for one, run "sh", "-c". An error is a *RunError. When
// ctx ends the command is killed with all of its process group.
func (n *Node) Run(ctx context.Context, command string, args ...string) (string, error) {
	cmd, err := n.Command(ctx, command, args...)
	if err != nil {
		return "", &RunError{Host: n.name, Args: append([]string{command}, args...), Err: err}
	}
	return run(ctx, n.name, cmd, append([]string{command}, args...))
}

// Command prepares a command in the node for a caller who wants to connect its
// files or start it in the background. It dies with the node, is frozen with
// it, and is killed with its process group when ctx ends.
func (n *Node) Command(ctx context.Context, command string, args ...string) (*exec.Cmd, error) {
	entry, err := n.Entry(command, args...)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, entry[0], entry[1:]...)
	cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return unix.Kill(-cmd.Process.Pid, unix.SIGKILL) }
	cmd.WaitDelay = time.Second // for output that a process of another group holds open
	return cmd, nil
}

// Entry gives the command of this machine that runs a command in the node. The
// shell in it joins the node's control group, which a process can also do at
// its birth (clone3(2)), but not if somebody else starts it, as `lab sh` does.
func (n *Node) Entry(command string, args ...string) ([]string, error) {
	c := n.running()
	if c == nil {
		return nil, fmt.Errorf("%s is off", n.name)
	}
	group, err := c.group.Create("exec")
	if err != nil {
		return nil, err
	}
	const script = `echo $$ >"$0/cgroup.procs" && exec nsenter --all --target "$@"`
	entry := []string{"/bin/sh", "-c", script, group.Path(), strconv.Itoa(c.leader), "--", command}
	return append(entry, args...), nil
}

func run(ctx context.Context, host string, cmd *exec.Cmd, args []string) (string, error) {
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if err == nil {
		return out.String(), nil
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return out.String(), &RunError{Host: host, Args: args, Output: out.String(), Err: err}
}
