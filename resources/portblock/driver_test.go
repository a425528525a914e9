package portblock

import (
	"errors"
	"net"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/google/nftables"
	"golang.org/x/sys/unix"

	"github.com/systole-ha/systole/resources"
	"github.com/systole-ha/systole/resources/mark"
	"github.com/systole-ha/systole/resources/nstest"
)

// A bench is a node with a driver, and a client that tries its ports.
type bench struct {
	t            *testing.T
	node, client *nstest.Namespace
	driver       *Driver
}

func newBench(t *testing.T) *bench {
	node, client := nstest.Pair(t)
	return &bench{t, node, client, New(mark.In(t.TempDir()))}
}

// do carries out operations on the node, one after the other: "start", "stop".
func (b *bench) do(word string, operations ...string) {
	b.t.Helper()
	s := spec(b.t, word)
	b.node.Do(b.t, func() {
		for _, op := range operations {
			run := b.driver.Start
			if op == "stop" {
				run = b.driver.Stop
			}
			if err := run(b.t.Context(), s); err != nil {
				b.t.Fatal(err)
			}
		}
	})
}

func (b *bench) status(word string, want resources.Status) {
	b.t.Helper()
	s := spec(b.t, word)
	b.node.Do(b.t, func() {
		if got, err := b.driver.Status(b.t.Context(), s); got != want || err != nil {
			b.t.Errorf("status of %s: got %v, %v; want %v", word, got, err, want)
		}
	})
}

// open reports whether a connection to the node is at least refused. One that
// is dropped runs into the time limit, the one thing that a test can do about
// silence.
func (b *bench) open(address string) (open bool) {
	b.t.Helper()
	b.client.Do(b.t, func() {
		c, err := net.DialTimeout("tcp", address, 300*time.Millisecond)
		switch {
		case err == nil:
			c.Close()
			open = true
		case errors.Is(err, unix.ECONNREFUSED):
			open = true
		case !errors.Is(err, os.ErrDeadlineExceeded) && !isTimeout(err):
			b.t.Fatal(err)
		}
	})
	return open
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

func (b *bench) wants(open bool, addresses ...string) {
	b.t.Helper()
	for _, a := range addresses {
		if got := b.open(a); got != open {
			b.t.Errorf("%s is open: got %v, want %v", a, got, open)
		}
	}
}

// tables are those of the node.
func (b *bench) tables() (names []string) {
	b.t.Helper()
	b.node.Do(b.t, func() {
		c, err := nftables.New()
		if err != nil {
			b.t.Fatal(err)
		}
		list, err := c.ListTables()
		if err != nil {
			b.t.Fatal(err)
		}
		for _, table := range list {
			names = append(names, table.Name)
		}
	})
	return names
}

// TestGroup goes through what a group with both of them does to a port.
func TestGroup(t *testing.T) {
	b := newBench(t)
	const block, unblock, web = "portblock::tcp::80::block", "portblock::tcp::80::unblock", "192.0.2.1:80"
	b.status(block, resources.Stopped)
	b.status(unblock, resources.Stopped)
	b.wants(true, web)

	b.do(block, "start", "start")
	b.status(block, resources.Running)
	b.status(unblock, resources.Stopped)
	b.wants(false, web, "[2001:db8::1]:80")
	b.wants(true, "192.0.2.1:81")

	b.do(unblock, "start", "start")
	b.status(block, resources.Running) // it was, and must not be started again
	b.status(unblock, resources.Running)
	b.wants(true, web, "[2001:db8::1]:80")

	b.do(block, "start") // which changes nothing
	b.wants(true, web)

	b.do(unblock, "stop", "stop")
	b.status(unblock, resources.Stopped)
	b.status(block, resources.Running)
	b.wants(false, web)

	b.do(block, "stop", "stop")
	b.status(block, resources.Stopped)
	b.wants(true, web)
	if got := b.tables(); len(got) > 0 {
		t.Errorf("tables that are left: %q", got)
	}
}

// TestStopOfWhatIsNotStarted leaves a port as it is: on a node that never had
// the group, a stop must not shut anything.
func TestStopOfWhatIsNotStarted(t *testing.T) {
	b := newBench(t)
	b.do("portblock::tcp::80::unblock", "stop")
	b.wants(true, "192.0.2.1:80")
}

func TestBlocksOfSeveralResources(t *testing.T) {
	b := newBench(t)
	b.node.AddAddress(t, "eth0", "192.0.2.10/24")
	const one, other = "portblock::tcp::80,8000:8002::block::192.0.2.10", "portblock::tcp::443::block"
	b.do(one, "start")
	b.do(other, "start")
	b.wants(false, "192.0.2.10:80", "192.0.2.10:8000", "192.0.2.10:8002", "192.0.2.1:443")
	b.wants(true, "192.0.2.1:80", "192.0.2.10:8003", "192.0.2.10:7999")
	b.do(one, "stop")
	b.wants(true, "192.0.2.10:80", "192.0.2.10:8001")
	b.wants(false, "192.0.2.1:443")
	b.status(other, resources.Running)
}

// TestTablesOfOthers stay.
func TestTablesOfOthers(t *testing.T) {
	b := newBench(t)
	b.node.Do(t, func() {
		c, err := nftables.New()
		if err != nil {
			t.Fatal(err)
		}
		c.AddTable(&nftables.Table{Name: "filter", Family: nftables.TableFamilyINet})
		if err := c.Flush(); err != nil {
			t.Fatal(err)
		}
	})
	b.do("portblock::tcp::80::block", "start")
	if got, want := b.tables(), []string{"filter", "systole_portblock"}; !slices.Equal(got, want) {
		t.Errorf("while a port is shut:\n got %q\nwant %q", got, want)
	}
	b.do("portblock::tcp::80::block", "stop")
	if got, want := b.tables(), []string{"filter"}; !slices.Equal(got, want) {
		t.Errorf("afterwards:\n got %q\nwant %q", got, want)
	}
}

// TestDaemonThatDied has a driver look that knows only what is in the world.
func TestDaemonThatDied(t *testing.T) {
	b := newBench(t)
	const block = "portblock::tcp::80,81::block"
	b.do(block, "start")
	b.driver = New(mark.In(t.TempDir())) // its marks were lost
	b.status(block, resources.Running)
	b.do("portblock::tcp::81::block", "stop")
	b.status(block, resources.Failed) // half of its ports are open
	b.do(block, "start")
	b.wants(false, "192.0.2.1:80", "192.0.2.1:81")
	b.do(block, "stop")
	b.wants(true, "192.0.2.1:80", "192.0.2.1:81")
}
