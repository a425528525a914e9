package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// legacyMemory is where the memory controller of version 1 is mounted, on a
// machine that has it there.
const legacyMemory = "/sys/fs/cgroup/memory"

// starvedBytes is what the processes of a starved unit may take between them,
// besides what they have.
const starvedBytes = "65536"

// Starve has the kernel's out-of-memory killer take the processes of a unit: they
// come into a memory group of their own, together with one that asks for more
// than there is and is killed after them all. It returns when no process of
// before is left. What systemd starts afterwards is not starved.
func (n *Node) Starve(ctx context.Context, unit string) error {
	c := n.running()
	if c == nil {
		return fmt.Errorf("starve %s of %s: it is off", unit, n.name)
	}
	n.lab.logf("%s: %s starves", n.name, unit)
	text, err := os.ReadFile(filepath.Join(c.group.Path(), "payload", "system.slice", unit, "cgroup.procs"))
	if err != nil {
		return err
	}
	pids := strings.Fields(string(text))
	if len(pids) == 0 {
		return fmt.Errorf("starve %s of %s: it has no process", unit, n.name)
	}
	group, err := n.starvedGroup(pids)
	if err != nil {
		return err
	}
	const greedy = `echo $$ >"$0/cgroup.procs" && exec dd if=/dev/zero of=/dev/null bs=8M`
	eater := exec.CommandContext(ctx, "/bin/sh", "-c", greedy, group)
	if err := eater.Start(); err != nil {
		return errors.Join(err, unix.Rmdir(group))
	}
	err = WaitFor(ctx, fmt.Sprintf("the end of %s on %s", unit, n.name), func(context.Context) error {
		for _, pid := range pids {
			if _, err := os.Stat(filepath.Join("/proc", pid)); err == nil {
				return fmt.Errorf("process %s lives", pid)
			}
		}
		return nil
	})
	_ = eater.Process.Kill()
	_ = eater.Wait()
	return errors.Join(err, unix.Rmdir(group))
}

// starvedGroup makes a memory group with hardly any memory and puts processes
// into it. What they have already is not counted.
func (n *Node) starvedGroup(pids []string) (string, error) {
	if _, err := os.Stat(filepath.Join(legacyMemory, "memory.limit_in_bytes")); err != nil {
		return "", fmt.Errorf("starve a unit: the memory controller of control groups version 1: %w", err)
	}
	group := filepath.Join(legacyMemory, n.space())
	if err := os.Mkdir(group, 0o755); err != nil {
		return "", err
	}
	err := os.WriteFile(filepath.Join(group, "memory.limit_in_bytes"), []byte(starvedBytes), 0)
	for _, pid := range pids {
		err = errors.Join(err,
			os.WriteFile(filepath.Join("/proc", pid, "oom_score_adj"), []byte("1000"), 0),
			os.WriteFile(filepath.Join(group, "cgroup.procs"), []byte(pid), 0))
	}
	if err != nil {
		_ = unix.Rmdir(group)
	}
	return group, err
}
