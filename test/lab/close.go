package lab

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/systole-ha/systole/test/lab/internal/cgroup"
	"github.com/systole-ha/systole/test/lab/internal/netns"
	"github.com/systole-ha/systole/test/lab/internal/worker"
)

const (
	base   = "/run/systole-lab" // a directory a lab
	prefix = "systole-lab-"     // of control groups, network namespaces and machines
)

// patience is for what the kernel does at once on a machine that has time.
const patience = 10 * time.Second

// claim makes the lab's directory and locks it. The kernel drops the lock with
// its owner, so a directory that can be locked is that of a dead lab.
func (l *Lab) claim() error {
	return locked(func() error {
		for i := 1; ; i++ {
			l.id = fmt.Sprintf("%d-%d", os.Getpid(), i)
			l.dir = filepath.Join(base, l.id)
			err := os.Mkdir(l.dir, 0o755)
			if errors.Is(err, fs.ErrExist) {
				continue
			}
			if err == nil {
				err = os.Mkdir(l.disks(), 0o755)
			}
			if err == nil {
				l.lock, err = lockDir(l.dir, unix.LOCK_EX)
			}
			return err
		}
	})
}

// Close ends every process of the lab and removes everything it made. Later
// calls do nothing and return what the first did.
func (l *Lab) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.dir == "" {
		return l.closing
	}
	l.closed = true
	l.closing = errors.Join(destroy(l.id), tidy())
	for _, n := range l.nodes {
		if c := n.replace(nil); c != nil {
			c.wait()
			c.close()
		}
	}
	l.client.close()
	l.fabric.close()
	l.line.close()
	if l.workers != nil {
		l.workers.Close()
	}
	if l.lock != nil {
		l.lock.Close()
	}
	if l.guard != nil {
		l.closing = errors.Join(l.closing, l.guard.Close())
	}
	return l.closing
}

// startGuard starts the process that cleans up if this one is killed. It is in
// no control group of the lab's and in a session of its own, so that what
// kills the lab spares it.
func (l *Lab) startGuard() (err error) {
	l.guard, err = worker.Start(worker.Spec{Kind: "guard", Params: l.id, Session: true})
	return err
}

// guard waits until its lab's program closes its input, by intention or by
// dying, and then destroys what is left.
func guard(pipe *worker.Pipe) error {
	var id string
	if err := pipe.Receive(&id); err != nil {
		return err
	}
	var none struct{}
	if err := pipe.Receive(&none); !errors.Is(err, io.EOF) {
		return fmt.Errorf("the guard is told nothing but the lab's name: %w", err)
	}
	lock, err := lockDir(filepath.Join(base, id), unix.LOCK_EX)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer lock.Close()
	return errors.Join(destroy(id), tidy())
}

// Sweep destroys the labs whose owners are dead. Open does it first.
func Sweep() error {
	var errs []error
	err := locked(func() error {
		entries, err := os.ReadDir(base)
		for _, entry := range entries {
			errs = append(errs, sweep(entry.Name()))
		}
		_ = os.Remove(base) // fails while there are labs
		return err
	})
	return errors.Join(append(errs, err)...)
}

func sweep(id string) error {
	lock, err := lockDir(filepath.Join(base, id), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer lock.Close()
	return destroy(id)
}

// destroy removes all traces of a lab, whatever state it is in. What is not
// there is no error, so that it may be called again.
func destroy(id string) error {
	name := prefix + id
	group, err := cgroup.Create(name) // that it exists makes the rest simple
	if err != nil {
		return err
	}
	errs := []error{group.Kill(patience), group.Remove()}
	spaces, err := netns.List(name + "-")
	errs = append(errs, err)
	for _, space := range spaces {
		errs = append(errs, netns.Delete(space))
	}
	for _, dir := range []string{"propagate", "unix-export"} { // see systemd's src/nspawn/nspawn.c
		errs = append(errs, removeGlob(filepath.Join("/run/systemd/nspawn", dir, name+"-*")))
	}
	dir := filepath.Join(base, id)
	if err := unmountBelow(dir); err != nil {
		return errors.Join(append(errs, err)...) // removing dir would reach into what is mounted
	}
	return errors.Join(append(errs, os.RemoveAll(dir))...)
}

func removeGlob(pattern string) error {
	paths, err := filepath.Glob(pattern)
	errs := []error{err}
	for _, path := range paths {
		_ = unix.Unmount(path, unix.MNT_DETACH) // nspawn mounts what it shares there
		errs = append(errs, os.RemoveAll(path))
	}
	return errors.Join(errs...)
}

// tidy removes the directory of all labs if there are none.
func tidy() error {
	return locked(func() error {
		_ = os.Remove(base) // fails while there are labs
		return nil
	})
}

// Leftovers lists what is on this machine of the lab of that name: control
// groups, network namespaces, mounts and directories. After Close it is empty.
func Leftovers(id string) ([]string, error) {
	name, dir := prefix+id, filepath.Join(base, id)
	groups, err := cgroup.List(name)
	errs := []error{err}
	spaces, err := netns.List(name + "-")
	errs = append(errs, err)
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	errs = append(errs, err)
	left := append(groups, spaces...)
	for line := range strings.Lines(string(mounts)) {
		if strings.Contains(line, dir+"/") || strings.Contains(line, name+"-") {
			left = append(left, strings.TrimSpace(line))
		}
	}
	for _, pattern := range []string{dir, "/run/systemd/nspawn/*/" + name + "-*"} {
		paths, err := filepath.Glob(pattern)
		left, errs = append(left, paths...), append(errs, err)
	}
	return left, errors.Join(errs...)
}

// locked calls fn while no other lab is being made or swept. The lock is on
// the directory of all labs, which goes away with the last of them: a lock on
// one that is gone is worth nothing and is taken again.
func locked(fn func() error) error {
	for {
		if err := os.MkdirAll(base, 0o755); err != nil {
			return err
		}
		lock, err := lockDir(base, unix.LOCK_EX)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		defer lock.Close()
		return fn()
	}
}

// lockDir opens a directory and takes flock(2) on it, and fails with
// fs.ErrNotExist if somebody has removed it meanwhile.
func lockDir(path string, how int) (*os.File, error) {
	dir, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	for err = unix.EINTR; err == unix.EINTR; {
		err = unix.Flock(int(dir.Fd()), how)
	}
	var held, there os.FileInfo
	if err == nil {
		held, err = dir.Stat()
	}
	if err == nil {
		there, err = os.Stat(path)
	}
	if err == nil && !os.SameFile(held, there) {
		err = fs.ErrNotExist
	}
	if err != nil {
		dir.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return dir, nil
}
