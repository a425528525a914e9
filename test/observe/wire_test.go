package observe

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/systole-ha/systole/test/lab"
)

// A wire is what a third machine on the service network hears of the cluster's
// broadcasts, stamped by its kernel.
type wire struct {
	site *site
	mu   sync.Mutex
	all  []letter
}

type letter struct {
	at   time.Time
	from *lab.Node
	asks bool // it is part of the talk about a move
}

// listen records until the test ends.
func (s *site) listen() *wire {
	s.t.Helper()
	packets, err := s.lab.Client().ListenPacket(s.t.Context(), "udp4", ":694")
	must(s.t, err)
	conn := packets.(*net.UDPConn)
	raw, err := conn.SyscallConn()
	must(s.t, err)
	var failed error
	must(s.t, raw.Control(func(fd uintptr) { failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1) }))
	must(s.t, failed)
	w := &wire{site: s}
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.record(conn)
	}()
	s.t.Cleanup(func() {
		conn.Close()
		<-done
	})
	for _, n := range s.nodes() {
		s.eventually("a heartbeat of "+n.Name(), func() error {
			if w.lastBefore(n, time.Now()).IsZero() {
				return errors.New("none was heard")
			}
			return nil
		})
	}
	return w
}

func (w *wire) record(conn *net.UDPConn) {
	text, control := make([]byte, 64<<10), make([]byte, 256)
	for {
		n, size, _, from, err := conn.ReadMsgUDP(text, control)
		if err != nil {
			return // closed
		}
		l := letter{at: stamp(control[:size]), asks: bytes.Contains(text[:n], []byte("ask_resources"))}
		for _, node := range w.site.nodes() {
			if from.IP.Equal(node.Host(lab.Service).AsSlice()) {
				l.from = node
			}
		}
		w.mu.Lock()
		w.all = append(w.all, l)
		w.mu.Unlock()
	}
}

// stamp is the kernel's of SO_TIMESTAMPNS, socket(7).
func stamp(control []byte) time.Time {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil || len(messages) == 0 || len(messages[0].Data) < 16 {
		return time.Time{}
	}
	data := messages[0].Data
	return time.Unix(int64(binary.NativeEndian.Uint64(data)), int64(binary.NativeEndian.Uint64(data[8:])))
}

// lastBefore is when a node was last heard before an instant.
func (w *wire) lastBefore(n *lab.Node, before time.Time) (at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range w.all {
		if l.from == n && l.at.Before(before) {
			at = l.at
		}
	}
	return at
}

// asked is when anybody first spoke of a move after an instant.
func (w *wire) asked(after time.Time) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range w.all {
		if l.asks && l.at.After(after) {
			return l.at
		}
	}
	return time.Time{}
}
