package link

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/systole-ha/systole/agent/wire"
)

// Serial is a serial device.
type Serial struct {
	Device string // full path
	Baud   int    // 9600, 19200, 38400, 57600, 115200, 230400 or 460800 bit/s
}

func (s Serial) open(o *opener, index int) (Link, error) {
	if s.Device == "" || s.Device[0] != '/' {
		return nil, fmt.Errorf("%q is not the full path of a serial device", s.Device)
	}
	if rates[s.Baud] == 0 {
		return nil, fmt.Errorf("%d is not the speed of a serial line", s.Baud)
	}
	l := &serial{baud: s.Baud, out: newOutbox()}
	l.init(s.Device, serialLine, index, o.ring, o.handler)
	return l, nil
}

// A serial is a link by a serial line. Packets stand on it one behind the
// other, in classic form; what is between them is noise.
//
// Copying the messages of a third node from one line to the next, which makes
// a ring of serial lines, is not there: two nodes need none.
type serial struct {
	base
	baud int
	out  *outbox

	mu   sync.Mutex
	line *line // nil while not open
}

// A line is an open serial device.
type line struct {
	source[*Packet]
	framer
	baud    int
	chunk   [4096]byte // what the kernel's line discipline holds at most
	message []byte     // the last frame
	found   finding
}

func (l *serial) Format() wire.Format { return wire.Classic }

// Send queues a packet for the line. See outbox for what becomes of it.
func (l *serial) Send(packet []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.line == nil || l.life.Err() != nil {
		return l.count(0, &SendError{Link: l.name, Reason: SendNoDevice, Err: ErrNotOpen})
	}
	if !l.out.push(packet) {
		return l.count(0, &SendError{Link: l.name, Reason: SendBusy, Err: ErrBusy})
	}
	return nil
}

func (l *serial) Drain(received func(*Packet)) {
	l.mu.Lock()
	line := l.line
	l.mu.Unlock()
	if line != nil {
		line.drain(received)
	}
}

func (l *serial) Run(ctx context.Context) error {
	ctx, cancel := l.untilClosed(ctx)
	defer cancel()
	for ctx.Err() == nil {
		line, err := l.openLine()
		if err != nil {
			l.set(StateWaiting, waitReason(err), err)
		} else if err = l.serve(ctx, line); err != nil {
			l.set(StateWaiting, HungUp, err)
		}
		pause(ctx, lookInterval)
	}
	return nil
}

func (l *serial) openLine() (*line, error) {
	fd, err := openTTY(l.name, rates[l.baud])
	if err != nil {
		return nil, err
	}
	s := &line{baud: l.baud}
	s.try = s.tryFrame
	s.take = func() (*Packet, bool) { return l.take(s) }
	s.report = func(now time.Time) time.Time { return l.rejected.report(now, &l.base) }
	return s, s.source.open(fd, l.name)
}

// serve reads and writes an open line until ctx ends, which is no error, or
// the line fails.
func (l *serial) serve(ctx context.Context, s *line) error {
	ctx, cancel := context.WithCancel(ctx)
	closeLine := sync.OnceFunc(func() {
		l.use(nil)
		s.file.Close()
	})
	context.AfterFunc(ctx, closeLine)
	l.use(s)
	l.set(StateOpen, "", nil)

	written := make(chan error)
	go func() {
		err := l.write(ctx, s)
		cancel()
		written <- err
	}()
	err := s.run(l.handler.Received)
	cancel()
	if writeError := <-written; errors.Is(err, os.ErrClosed) {
		err = writeError
	}
	closeLine()
	return err
}

// use makes a line, or none, the one to send and drain by. What waited for the
// line before is stale.
func (l *serial) use(s *line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.line = s
	l.out.clear()
}

// tryFrame is source.try: the next frame, or what is left of one.
func (s *line) tryFrame(fd uintptr) unix.Errno {
	for {
		if s.found, s.message = s.next(); s.found != nothing {
			s.stamp()
			return 0
		}
		n, err := unix.Read(int(fd), s.chunk[:])
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return err.(unix.Errno)
		case n == 0:
			return unix.EIO // hung up
		}
		s.read = time.Now()
		s.write(s.chunk[:n])
	}
}

// stamp says when the frame arrived: when its last byte did, as a datagram has
// arrived when all of it has. No kernel stamp tells, but the line does: a byte
// came no later than the time the line needed for those that came behind it,
// before we read them. So a reader that was held up does not take old
// heartbeats for new. And it came no earlier than we last found the line empty.
func (s *line) stamp() {
	s.at = s.read.Add(-lineTime(s.behind(), s.baud))
	if s.at.Before(s.empty) {
		s.at = s.empty
	}
}

// take is source.take of the line.
func (l *serial) take(s *line) (*Packet, bool) {
	switch s.found {
	case broken:
		l.rejected.add(wire.Malformed, netip.AddrPort{}, s.at)
		return nil, false
	case tooLong:
		l.rejected.add(wire.Oversize, netip.AddrPort{}, s.at)
		return nil, false
	}
	return l.base.take(s.message, netip.AddrPort{}, s.at, s.read)
}

// writeTimeout is how long a packet may take beyond the time the line needs for
// it (setmsalarm in heartbeat's serial.c).
const writeTimeout = 500 * time.Millisecond

// write writes what waits, at the pace of the line, until ctx ends or the line
// fails. It does not leave the pace to the kernel, which would take some 4 KB
// at once: packets would lie there and grow old.
func (l *serial) write(ctx context.Context, s *line) error {
	var packet []byte
	for {
		select {
		case <-l.out.wake:
		case <-ctx.Done():
			return nil
		}
		for ctx.Err() == nil {
			var ok bool
			if packet, ok = l.out.pop(packet[:0]); !ok {
				break
			}
			if err := l.writePacket(s, packet); err != nil {
				return err
			}
			pause(ctx, lineTime(len(packet), l.baud))
		}
	}
}

// writePacket writes one packet. A line that does not take it in time is
// flushed, so that it will not carry old heartbeats when it moves again.
func (l *serial) writePacket(s *line, packet []byte) error {
	s.file.SetWriteDeadline(time.Now().Add(lineTime(len(packet), l.baud) + writeTimeout))
	_, err := s.file.Write(packet)
	switch {
	case err == nil:
		l.count(len(packet), nil)
		l.set(StateOpen, "", nil)
	case errors.Is(err, os.ErrDeadlineExceeded):
		s.raw.Control(func(fd uintptr) { unix.IoctlSetInt(int(fd), unix.TCFLSH, unix.TCOFLUSH) })
		l.sendErrors.Add(1)
		l.set(StateWaiting, Stuck, err)
	case errors.Is(err, os.ErrClosed):
	default:
		l.sendErrors.Add(1)
		return err
	}
	return nil
}
