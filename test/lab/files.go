package lab

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// ReadFile reads a file of the node. All functions for files work while the
// node is off, too, on its disk.
func (n *Node) ReadFile(name string) ([]byte, error) {
	file, err := n.open(name, unix.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(file)
}

// WriteFile writes a file of the node and makes the directories it needs. The
// mode is set whatever the umask is and whether or not the file was there.
func (n *Node) WriteFile(name string, content []byte, mode fs.FileMode) error {
	if err := n.mkdirAll(path.Dir(name)); err != nil {
		return err
	}
	// A program that is being run cannot be written to (ETXTBSY), but replaced.
	if err := n.remove(name); err != nil {
		return err
	}
	file, err := n.open(name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL, uint32(mode.Perm()))
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	return errors.Join(err, file.Chmod(mode.Perm()), file.Close())
}

// CopyFile copies a file of this machine to the node, with its permissions.
func (n *Node) CopyFile(from, to string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	return n.WriteFile(to, content, info.Mode())
}

// Install copies everything below a directory of this machine to the node, as
// `make install DESTDIR=dir` leaves it: dir/usr/sbin/x becomes /usr/sbin/x.
// With a prefix such as /usr/local/sbin it is put below that instead. A node that
// is on learns of new units by Reload.
func (n *Node) Install(dir, prefix string) error {
	err := filepath.WalkDir(dir, func(from string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		below, err := filepath.Rel(dir, from)
		if err != nil {
			return err
		}
		to := path.Join("/", prefix, filepath.ToSlash(below))
		if entry.IsDir() {
			return n.mkdirAll(to)
		}
		return n.CopyFile(from, to)
	})
	if err != nil {
		return fmt.Errorf("install %s on %s: %w", dir, n.name, err)
	}
	return nil
}

// Files are the contents of files by name.
type Files map[string]string

// Configure writes files into a directory of the node. A file called authkeys
// gets mode 600, as heartbeat demands, every other 644.
func (n *Node) Configure(dir string, files Files) error {
	for _, name := range slices.Sorted(maps.Keys(files)) {
		mode := fs.FileMode(0o644)
		if name == "authkeys" {
			mode = 0o600
		}
		if err := n.WriteFile(path.Join(dir, name), []byte(files[name]), mode); err != nil {
			return fmt.Errorf("configure %s: %w", n.name, err)
		}
	}
	return nil
}

// root is the node's root directory, as its own processes see it or, while it
// is off, on its disk.
func (n *Node) root() (*os.File, error) {
	dir := n.disk.root()
	if c := n.running(); c != nil {
		dir = filepath.Join("/proc", strconv.Itoa(c.leader), "root")
	}
	return os.OpenFile(dir, unix.O_PATH|unix.O_DIRECTORY, 0)
}

// open opens a file as a process of the node would: links that begin with a
// slash stay in the node (openat2(2), RESOLVE_IN_ROOT).
func (n *Node) open(name string, flags int, mode uint32) (*os.File, error) {
	root, err := n.root()
	if err != nil {
		return nil, err
	}
	defer root.Close()
	how := unix.OpenHow{Flags: uint64(flags | unix.O_CLOEXEC), Mode: uint64(mode), Resolve: unix.RESOLVE_IN_ROOT}
	fd, err := unix.Openat2(int(root.Fd()), name, &how)
	for err == unix.EAGAIN || err == unix.EINTR { // something was renamed meanwhile
		fd, err = unix.Openat2(int(root.Fd()), name, &how)
	}
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: n.name + ":" + name, Err: err}
	}
	return os.NewFile(uintptr(fd), n.name+":"+name), nil
}

// at calls fn with the directory of a file and the file's name in it.
func (n *Node) at(name string, fn func(dir int, base string) error) error {
	dir, err := n.open(path.Dir(name), unix.O_PATH|unix.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	defer dir.Close()
	return fn(int(dir.Fd()), path.Base(name))
}

func (n *Node) remove(name string) error {
	return n.at(name, func(dir int, base string) error {
		if err := unix.Unlinkat(dir, base, 0); err != nil && err != unix.ENOENT {
			return &fs.PathError{Op: "remove", Path: n.name + ":" + name, Err: err}
		}
		return nil
	})
}

func (n *Node) mkdirAll(name string) error {
	there, err := n.open(name, unix.O_PATH|unix.O_DIRECTORY, 0)
	if err == nil {
		return there.Close()
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := n.mkdirAll(path.Dir(name)); err != nil {
		return err
	}
	return n.at(name, func(dir int, base string) error { return unix.Mkdirat(dir, base, 0o755) })
}
