// Package netns makes network namespaces with a name, as `ip netns` does, and
// runs functions and commands in them.
package netns

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

const dir = "/run/netns"

// A Namespace is one network namespace and its name.
type Namespace struct {
	name string
	file *os.File
}

// Create makes a namespace. Its loopback device is down, as the kernel makes it.
func Create(name string) (*Namespace, error) {
	if out, err := exec.Command("ip", "netns", "add", name).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("make network namespace %s: %w: %s", name, err, strings.TrimSpace(string(out)))
	}
	return Open(name)
}

// Open opens a namespace that somebody made.
func Open(name string) (*Namespace, error) {
	file, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		return nil, err
	}
	return &Namespace{name: name, file: file}, nil
}

// List gives the names that begin with prefix.
func List(prefix string) ([]string, error) {
	paths, err := filepath.Glob(filepath.Join(dir, prefix+"*"))
	for i := range paths {
		paths[i] = filepath.Base(paths[i])
	}
	return paths, err
}

// Delete removes the name, and with it the namespace once nothing is in it any
// more. Deleting what is not there is no error.
func Delete(name string) error {
	path := filepath.Join(dir, name)
	if err := unix.Unmount(path, unix.MNT_DETACH); err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("unmount network namespace %s: %w", name, err)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Name is the name, as `ip netns` shows it.
func (n *Namespace) Name() string { return n.name }

// Path is a file that stands for the namespace.
func (n *Namespace) Path() string { return n.file.Name() }

// Fd is the open namespace; it is valid until Close.
func (n *Namespace) Fd() int { return int(n.file.Fd()) }

// Close lets go of the namespace and leaves it in place.
func (n *Namespace) Close() error { return n.file.Close() }

// Delete closes the namespace and removes it.
func (n *Namespace) Delete() error {
	return errors.Join(n.Close(), Delete(n.name))
}

// Do calls fn on a thread that is in the namespace. Sockets fn opens, files of
// /proc/sys/net it writes and commands it starts belong to the namespace;
// goroutines it starts do not.
func (n *Namespace) Do(fn func() error) error {
	runtime.LockOSThread()
	home, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		runtime.UnlockOSThread()
		return err
	}
	defer home.Close()
	if err := unix.Setns(n.Fd(), unix.CLONE_NEWNET); err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("enter network namespace %s: %w", n.name, err)
	}
	defer func() {
		// A thread that cannot go home stays locked and ends with its goroutine.
		if unix.Setns(int(home.Fd()), unix.CLONE_NEWNET) == nil {
			runtime.UnlockOSThread()
		}
	}()
	return fn()
}
