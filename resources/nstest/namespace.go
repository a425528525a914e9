// Package nstest gives a test network namespaces of its own: two nodes and the
// cables between them, in a kernel that is real.
//
// The namespaces have no name in the file system. The kernel frees one when
// the last descriptor of it is closed, so nothing is left behind however the
// test ends, and tests that run at the same time cannot meet.
//
// Making one needs root (CAP_SYS_ADMIN); without it the test is skipped.
package nstest

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// A Namespace is a network namespace that lives as long as its test.
type Namespace struct {
	Name string // for messages: the test's name and the side

	fd     int
	handle *netlink.Handle
}

// New makes an empty namespace in which only the loopback interface is up.
func New(t testing.TB, name string) *Namespace {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("a network namespace needs root")
	}
	n := &Namespace{Name: t.Name() + "/" + name}
	if err := onThread(unshare, n.open); err != nil {
		t.Fatalf("make namespace %s: %v", n.Name, err)
	}
	t.Cleanup(n.close)
	lo := n.Link(t, "lo")
	if err := n.handle.LinkSetUp(lo); err != nil {
		t.Fatalf("%s: bring up lo: %v", n.Name, err)
	}
	return n
}

// Do runs fn in the namespace, on a thread of its own. What fn opens stays in
// the namespace afterwards; a goroutine that fn starts is not in it. fn may
// end the test by t.Fatal.
func (n *Namespace) Do(t testing.TB, fn func()) {
	t.Helper()
	enter := func() error { return unix.Setns(n.fd, unix.CLONE_NEWNET) }
	if err := onThread(enter, func() error { fn(); return nil }); err != nil {
		t.Fatalf("enter namespace %s: %v", n.Name, err)
	}
}

// Netlink returns a handle on the namespace that may be used anywhere.
func (n *Namespace) Netlink() *netlink.Handle { return n.handle }

// Path is a file by which other programs find the namespace while the test
// runs: "nsenter --net=" and this path.
func (n *Namespace) Path() string { return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), n.fd) }

// Sysctl writes one setting of the namespace; key is its path below
// /proc/sys/net, as in "ipv4/conf/eth0/promote_secondaries".
func (n *Namespace) Sysctl(t testing.TB, key, value string) {
	t.Helper()
	var err error
	n.Do(t, func() {
		err = os.WriteFile(filepath.Join("/proc/sys/net", key), []byte(value), 0)
	})
	if err != nil {
		t.Fatalf("%s: %v", n.Name, err)
	}
}

// ReadSysctl reads what Sysctl writes, with the line's end.
func (n *Namespace) ReadSysctl(t testing.TB, key string) string {
	t.Helper()
	var value []byte
	var err error
	n.Do(t, func() { value, err = os.ReadFile(filepath.Join("/proc/sys/net", key)) })
	if err != nil {
		t.Fatalf("%s: %v", n.Name, err)
	}
	return string(value)
}

func (n *Namespace) open() (err error) {
	if n.fd, err = openCurrent(); err != nil {
		return err
	}
	n.handle, err = netlink.NewHandle(unix.NETLINK_ROUTE)
	return err
}

func (n *Namespace) close() {
	n.handle.Close()
	unix.Close(n.fd)
}

func unshare() error { return unix.Unshare(unix.CLONE_NEWNET) }

func openCurrent() (int, error) {
	return unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
}

// onThread runs enter, which changes the thread's namespace, then fn, and
// brings the thread home again. A thread that cannot be brought home stays
// locked, so that it ends with its goroutine and serves no other.
func onThread(enter, fn func() error) error {
	runtime.LockOSThread()
	home, err := openCurrent()
	if err != nil {
		runtime.UnlockOSThread()
		return err
	}
	defer func() {
		if unix.Setns(home, unix.CLONE_NEWNET) == nil {
			runtime.UnlockOSThread()
		}
		unix.Close(home)
	}()
	if err := enter(); err != nil {
		return err
	}
	return fn()
}
