package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// legacyMemory is where the memory controller of version 1 is mounted, on a
// machine that has it there.
const legacyMemory = "/sys/fs/cgroup/memory"

// starvedBytes is what the processes of a starved unit may still take: less than
// any does before it has answered a question.
const starvedBytes = "65536"

// Starve has the kernel's out-of-memory killer take the processes of a unit: they
// come into a memory group of their own that is all but full. poke is a command in
// the node that makes the unit's process take memory; it is called until no
// process of before is left. What systemd starts afterwards is not starved.
func (n *Node) Starve(ctx context.Context, unit string, poke ...string) error {
	c := n.running()
	if c == nil {
		return fmt.Errorf("starve %s of %s: it is off", unit, n.name)
	}
	n.lab.logf("%s: %s starves", n.name, unit)
	procs := filepath.Join(c.group.Path(), "payload", "system.slice", unit, "cgroup.procs")
	text, err := os.ReadFile(procs)
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
	err = WaitFor(ctx, fmt.Sprintf("the end of %s on %s", unit, n.name), func(ctx context.Context) error {
		_, _ = n.Run(ctx, poke[0], poke[1:]...) // who asks may not get an answer
		text, err := os.ReadFile(filepath.Join(group, "cgroup.procs"))
		if err == nil && len(text) > 0 {
			err = fmt.Errorf("it lives as %s", strings.Fields(string(text)))
		}
		return err
	})
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
		err = errors.Join(err, os.WriteFile(filepath.Join(group, "cgroup.procs"), []byte(pid), 0))
	}
	if err != nil {
		_ = unix.Rmdir(group)
	}
	return group, err
}
