package link

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// A tty is one end of a serial cable: a device for the link and, behind it,
// what the test does to the cable.
type tty struct {
	device string   // a name that stays when the line is plugged in anew
	master *os.File // the far side of the device
}

func newTTY(t *testing.T) *tty {
	t.Helper()
	p := &tty{device: filepath.Join(t.TempDir(), "ttyS0")}
	p.plug(t)
	return p
}

// plug makes the device, in place of one that was unplugged.
func (p *tty) plug(t *testing.T) {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	// Package pty leaves it in blocking mode, in which Close does not end a Read.
	fd, err := unix.Dup(int(master.Fd()))
	must(t, err)
	must(t, master.Close())
	must(t, unix.SetNonblock(fd, true))
	p.master = os.NewFile(uintptr(fd), "pty")
	t.Cleanup(func() { p.master.Close() })
	// A master whose slave nobody has open reads EIO, so ours stays open.
	t.Cleanup(func() { slave.Close() })
	os.Remove(p.device)
	must(t, os.Symlink(slave.Name(), p.device))
}

func (p *tty) medium(baud int) Serial { return Serial{Device: p.device, Baud: baud} }

// cable carries bytes from one end to the other at the pace of a serial line,
// which a pseudo-terminal has not, until one of them is unplugged.
func cable(t *testing.T, from, to *tty, baud int) {
	t.Helper()
	source, target := from.master, to.master
	done := make(chan struct{})
	t.Cleanup(func() {
		source.Close()
		<-done
	})
	go func() {
		defer close(done)
		tick := time.NewTicker(lineTime(16, baud))
		defer tick.Stop()
		var some [16]byte
		for {
			n, err := source.Read(some[:])
			if err != nil {
				return
			}
			if _, err := target.Write(some[:n]); err != nil {
				return
			}
			<-tick.C
		}
	}()
}

// serialPair joins two nodes by a serial line.
func serialPair(t *testing.T, baud int) (left, right *node) {
	t.Helper()
	a, b := newTTY(t), newTTY(t)
	left, right = start(t, nil, a.medium(baud)), start(t, nil, b.medium(baud))
	left.awaitOpen()
	right.awaitOpen()
	cable(t, a, b, baud)
	cable(t, b, a, baud)
	return left, right
}
