package fence

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/systole-ha/systole/resources/process"
)

// farewell is how long a program may take to end when it is told to: many
// devices take one session at a time, and want it closed.
const farewell = time.Second

// run runs the program in a process group of its own and returns what it wrote
// to its standard output. Nothing of the group outlives the call.
func (p program) run(ctx context.Context) (string, error) {
	path, err := exec.LookPath(p.name)
	if err != nil {
		return "", fmt.Errorf("not installed: %w", err)
	}
	var out, complaints process.Output
	cmd := exec.CommandContext(ctx, path, p.args...)
	cmd.Env = append(os.Environ(), append(p.env, "LC_ALL=C")...)
	cmd.Stdin = strings.NewReader(p.stdin)
	cmd.Stdout, cmd.Stderr = &out, &complaints
	cmd.SysProcAttr = &unix.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return unix.Kill(-cmd.Process.Pid, unix.SIGTERM) }
	cmd.WaitDelay = farewell
	if err := process.Start(cmd); err != nil {
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

// said is the last that a program had to say, behind a colon.
func said(places ...*process.Output) string {
	for _, o := range places {
		if line := process.LastLine(o.String()); line != "" {
			return ": " + line
		}
	}
	return ""
}
