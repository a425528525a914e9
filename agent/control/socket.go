package control

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/systole-ha/systole/agent/config"
)

// DefaultSocket is where the daemon listens unless it is configured otherwise.
const DefaultSocket = config.DefaultControlSocket

// Environment names the variable that tells clients of another socket.
const Environment = "SYSTOLE_CONTROL"

// SocketFromEnvironment is the socket that the commands ask: $SYSTOLE_CONTROL,
// else the default.
func SocketFromEnvironment() string {
	if path := os.Getenv(Environment); path != "" {
		return path
	}
	return DefaultSocket
}

// ErrRunning says that another daemon has the socket.
var ErrRunning = errors.New("systole is already running")

// The modes of the socket and, where it has to be made, of its folder.
const (
	socketMode = 0o660
	folderMode = 0o755
)

// listen opens the socket. A lock beside it, held for as long as the process
// lives, keeps two daemons apart: with it, whatever is at path was left behind
// and is removed.
func listen(path string) (net.Listener, *os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), folderMode); err != nil {
		return nil, nil, err
	}
	lock, err := lockFile(path + ".lock")
	if err != nil {
		return nil, nil, err
	}
	l, err := bind(path)
	if err != nil {
		lock.Close()
		return nil, nil, err
	}
	return l, lock, nil
}

// Lock takes the lock that a running daemon has, until the file is closed or
// this process ends: no daemon runs, and none can be started. It fails with
// ErrRunning where one does.
func Lock(socket string) (*os.File, error) { return lockFile(socket + ".lock") }

func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("%w: %s is locked", ErrRunning, path)
		}
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return f, nil
}

func bind(path string) (net.Listener, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	// The file gets the mode of the socket it is bound to, so that there is no
	// instant at which it is open to others; then the umask is made up for.
	config := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		if e := c.Control(func(fd uintptr) { err = unix.Fchmod(int(fd), socketMode) }); e != nil {
			return e
		}
		return err
	}}
	l, err := config.Listen(context.Background(), "unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, socketMode); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// peerUID is the user whose process opened the connection; -1 where the kernel
// does not tell.
func peerUID(c net.Conn) int {
	sc, ok := c.(syscall.Conn)
	if !ok {
		return -1
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return -1
	}
	uid := -1
	if err := raw.Control(func(fd uintptr) {
		if cred, err := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED); err == nil {
			uid = int(cred.Uid)
		}
	}); err != nil {
		return -1
	}
	return uid
}
