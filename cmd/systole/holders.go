package main

import (
	"context"
	"fmt"
	"io"

	"golang.org/x/sys/unix"

	"github.com/systole-ha/systole/resources/filesystem"
)

// endHolders is the command by which the daemon has processes ended that keep a
// file system from being unmounted: it has not the right itself, and systemd runs
// the command outside of its sandbox.
const endHolders = "end-holders"

// runEndHolders is systole end-holders: it prints a line for each process that it
// has sent the signal. The exit code is 0 unless some could not be sent any.
func runEndHolders(signal, place string, stdout, stderr io.Writer) int {
	ended, err := filesystem.End(context.Background(), "/proc", place, unix.SignalNum("SIG"+signal))
	for _, h := range ended {
		fmt.Fprintln(stdout, h)
	}
	if err != nil {
		fmt.Fprintln(stderr, "systole:", err)
		return 1
	}
	return 0
}
