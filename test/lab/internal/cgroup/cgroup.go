// Package cgroup makes control groups in the version 2 tree, and freezes and
// kills what is in them. See cgroups(7) and the kernel's
// Documentation/admin-guide/cgroup-v2.rst.
package cgroup

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A Group is one directory of the version 2 tree.
type Group struct{ path string }

// Create makes the group of that name at the root of the tree, or opens the
// one that is there. A name with a slash makes the groups above it too.
func Create(name string) (Group, error) {
	root, err := Root()
	if err != nil {
		return Group{}, err
	}
	return Group{root}.Create(name)
}

// Create makes a group inside g.
func (g Group) Create(name string) (Group, error) {
	sub := Group{filepath.Join(g.path, name)}
	return sub, os.MkdirAll(sub.path, 0o755)
}

// List gives the groups at the root of the tree whose name begins with prefix.
func List(prefix string) ([]string, error) {
	root, err := Root()
	if err != nil {
		return nil, err
	}
	paths, err := filepath.Glob(filepath.Join(root, prefix+"*"))
	for i := range paths {
		paths[i] = filepath.Base(paths[i])
	}
	return paths, err
}

// Path is the group's directory.
func (g Group) Path() string { return g.path }

// Open gives the file that syscall.SysProcAttr.CgroupFD wants: a process
// started with it is born in the group.
func (g Group) Open() (*os.File, error) {
	return os.OpenFile(g.path, unix.O_PATH|unix.O_DIRECTORY, 0)
}

// Freeze stops every process in the group and below it, and returns when the
// last one has stopped.
func (g Group) Freeze(within time.Duration) error {
	return g.set("cgroup.freeze", "1", "frozen 1", within)
}

// Thaw undoes Freeze.
func (g Group) Thaw(within time.Duration) error {
	return g.set("cgroup.freeze", "0", "frozen 0", within)
}

// Kill sends SIGKILL to every process in the group and below it, frozen ones
// included, and returns when the last one is gone. Killing an empty group or
// one that does not exist is no error.
func (g Group) Kill(within time.Duration) error {
	err := g.set("cgroup.kill", "1", "populated 0", within)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Remove removes the group and those below it. They must be empty of
// processes. Removing what is not there is no error.
func (g Group) Remove() error {
	var groups []string
	err := filepath.WalkDir(g.path, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			groups = append(groups, path)
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for i := len(groups) - 1; i >= 0; i-- { // children were walked after their parents
		if err := unix.Rmdir(groups[i]); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove control group %s: %w", groups[i], err)
		}
	}
	return nil
}

// set writes value to one of the group's files and waits until cgroup.events
// has the line want.
func (g Group) set(file, value, want string, within time.Duration) error {
	if err := os.WriteFile(filepath.Join(g.path, file), []byte(value), 0); err != nil {
		return err
	}
	events, err := os.Open(filepath.Join(g.path, "cgroup.events"))
	if err != nil {
		return err
	}
	defer events.Close()
	deadline := time.Now().Add(within)
	for {
		got, err := os.ReadFile(events.Name())
		if err != nil || hasLine(string(got), want) {
			return err
		}
		left := time.Until(deadline)
		if left <= 0 {
			return fmt.Errorf("control group %s: not %q within %v of writing %s to %s", g.path, want, within, value, file)
		}
		awaitChange(events, left)
	}
}

// awaitChange returns when the kernel says that the file changed, and after
// 20 ms in any case: a change between the caller's look and ours is not told.
func awaitChange(events *os.File, left time.Duration) {
	poll := []unix.PollFd{{Fd: int32(events.Fd()), Events: unix.POLLPRI}}
	_, _ = unix.Poll(poll, int(min(left, 20*time.Millisecond)/time.Millisecond)+1)
}

func hasLine(text, want string) bool {
	scanner := bufio.NewScanner(strings.NewReader(text))
	for scanner.Scan() {
		if scanner.Text() == want {
			return true
		}
	}
	return false
}
