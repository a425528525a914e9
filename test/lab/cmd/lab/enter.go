package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

// shell is an interactive shell in a node.
func shell(ctx context.Context, s *session, args []string) error {
	if len(args) != 1 {
		return errUsage("want sh NODE")
	}
	return s.enter(ctx, args[0], "bash", "--login")
}

// runIn runs a command in a node and exits as it does.
func runIn(ctx context.Context, s *session, args []string) error {
	if len(args) > 1 && args[1] == "--" {
		args = append(args[:1:1], args[2:]...)
	}
	if len(args) < 2 {
		return errUsage("want run NODE -- COMMAND ...")
	}
	return s.enter(ctx, args[0], args[1:]...)
}

// enter runs a command in a node with this process's own files, so that a
// terminal works. The terminal's signals are for the command.
func (s *session) enter(ctx context.Context, node string, args ...string) error {
	var entry bytes.Buffer
	asking := &session{stdout: &entry, lab: s.lab}
	if err := asking.call(ctx, append([]string{"entry", node}, args...)); err != nil {
		return err
	}
	var command []string
	if err := json.Unmarshal(entry.Bytes(), &command); err != nil {
		return err
	}
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = s.stdin, s.stdout, s.stderr
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt)
	defer signal.Stop(signals)
	err := cmd.Run()
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return err
	}
	if status := exit.Sys().(syscall.WaitStatus); status.Signaled() {
		return errExit(128 + int(status.Signal())) // as a shell says it
	}
	return errExit(exit.ExitCode())
}
