package fence

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// farewell is how long a program may take to end when it is told to: many
	// devices take one session at a time, and want it closed.
	farewell = time.Second
	// mostOutput bounds what is kept of what a program says, in bytes. The
	// longest metadata of an agent of Debian 12 has 11 KB.
	mostOutput = 64 << 10
	// mostSaid bounds what of that goes into an error.
	mostSaid = 200
)

// run runs the program in a process group of its own and returns what it wrote
// to its standard output. Nothing of the group outlives the call.
func (p program) run(ctx context.Context) (string, error) {
	path, err := exec.LookPath(p.name)
	if err != nil {
		return "", fmt.Errorf("not installed: %w", err)
	}
	var out, complaints bounded
	cmd := exec.CommandContext(ctx, path, p.args...)
	cmd.Env = append(os.Environ(), append(p.env, "LC_ALL=C")...)
	cmd.Stdin = strings.NewReader(p.stdin)
	cmd.Stdout, cmd.Stderr = &out, &complaints
	cmd.SysProcAttr = &unix.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return unix.Kill(-cmd.Process.Pid, unix.SIGTERM) }
	cmd.WaitDelay = farewell
	if err := startPlainly(cmd); err != nil {
		return "", err
	}
	err = cmd.Wait()
	unix.Kill(-cmd.Process.Pid, unix.SIGKILL) // what it left behind; usually nothing
	switch {
	case ctx.Err() != nil && err != nil:
		return "", fmt.Errorf("no answer in time%s: %w", said(&complaints, &out), ctx.Err())
	case errors.Is(err, exec.ErrWaitDelay):
		return out.String(), nil // it is done, and has left something running
	case err != nil:
		return out.String(), fmt.Errorf("%w%s", err, said(&complaints, &out))
	}
	return out.String(), nil
}

// said is the last that a program had to say.
func said(places ...*bounded) string {
	for _, b := range places {
		if line := b.lastLine(); line != "" {
			return line
		}
	}
	return ""
}

// startPlainly starts the program without the real-time scheduling that this
// daemon has and children inherit: an agent that goes round in circles would
// keep a processor from everybody. The thread that carries the mark ends with
// its goroutine.
func startPlainly(cmd *exec.Cmd) error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked
		resetOnFork()
		started <- cmd.Start()
	}()
	return <-started
}

// resetOnFork has what this thread starts begin with ordinary scheduling; see
// sched(7). Where that is refused, real time is what it begins with.
func resetOnFork() {
	const resetOnFork = 0x40000000 // SCHED_RESET_ON_FORK
	policy, _, errno := unix.Syscall(unix.SYS_SCHED_GETSCHEDULER, 0, 0, 0)
	if errno != 0 || policy != unix.SCHED_RR && policy != unix.SCHED_FIFO {
		return
	}
	var param struct{ priority int32 }
	if _, _, errno = unix.Syscall(unix.SYS_SCHED_GETPARAM, 0, uintptr(unsafe.Pointer(&param)), 0); errno == 0 {
		unix.Syscall(unix.SYS_SCHED_SETSCHEDULER, 0, policy|resetOnFork, uintptr(unsafe.Pointer(&param)))
	}
}

// A bounded keeps the beginning of what is written to it.
type bounded struct{ bytes.Buffer }

func (b *bounded) Write(p []byte) (int, error) {
	b.Buffer.Write(p[:min(len(p), max(0, mostOutput-b.Len()))])
	return len(p), nil
}

// lastLine is the last line that says something, behind a colon, and shortened.
func (b *bounded) lastLine() string {
	for _, line := range slices.Backward(strings.Split(b.String(), "\n")) {
		line = strings.ToValidUTF8(strings.TrimSpace(line), "?")
		if line == "" {
			continue
		}
		if len(line) > mostSaid {
			line = line[:mostSaid] + "…"
		}
		return ": " + line
	}
	return ""
}
