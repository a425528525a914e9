package link

import (
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// receiveBuffer holds some 5,000 datagrams of 300 bytes, each of which the
	// kernel counts with its bookkeeping: 0.1 s of a flood of 50,000 a second.
	receiveBuffer = 4 << 20

	// sendBuffer bounds what can wait in a device that has stopped sending: some
	// tens of small packets, but any single one up to the largest datagram.
	sendBuffer = 32 << 10

	// priority is the highest a socket may ask for without CAP_NET_ADMIN; the
	// default queueing discipline sends it first. See SO_PRIORITY in socket(7).
	priority = 6

	// trafficClass is DSCP CS6, network control (RFC 4594 section 3.2).
	trafficClass = 0xc0
)

// A socket is an open datagram socket, which things of type T are read from.
type socket[T any] struct {
	source[T]
	receiver
	fd      int
	last    time.Time // the previous reading of the clocks
	got     datagram  // what was read last
	dropped uint32    // the kernel's count when last seen
}

func newSocket[T any](fd int) (*socket[T], error) {
	s := &socket[T]{fd: fd}
	s.try = s.tryDatagram
	return s, s.open(fd, "socket")
}

// tryDatagram is source.try.
func (s *socket[T]) tryDatagram(fd uintptr) (errno unix.Errno) {
	if s.got, errno = s.next(fd); errno != 0 {
		return errno
	}
	s.read = time.Now()
	s.at = arrival(s.got.stamp, s.read, s.empty, wallStep(s.last, s.read))
	s.last = s.read
	return 0
}

// newlyDropped is how many datagrams the kernel threw away since last asked.
// Its count is of 32 bits, comes with a packet only, and is absent while 0.
func (s *socket[T]) newlyDropped() uint32 {
	if s.got.dropped == 0 {
		return 0
	}
	n := s.got.dropped - s.dropped
	s.dropped = s.got.dropped
	return n
}

// options sets what all heartbeat sockets have and binds to a device.
func options(fd, family int, device string) error {
	set := func(level, option, value int) error {
		return os.NewSyscallError("setsockopt", unix.SetsockoptInt(fd, level, option, value))
	}
	err := errors.Join(
		os.NewSyscallError("bind to "+device, unix.BindToDevice(fd, device)),
		set(unix.SOL_SOCKET, unix.SO_REUSEADDR, 1),
		set(unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1),
		set(unix.SOL_SOCKET, unix.SO_RXQ_OVFL, 1),
		set(unix.SOL_SOCKET, unix.SO_SNDBUF, sendBuffer),
	)
	if family == unix.AF_INET6 {
		err = errors.Join(err,
			set(unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1),
			set(unix.IPPROTO_IPV6, unix.IPV6_TCLASS, trafficClass),
			set(unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_ALL, 0),
		)
	} else {
		err = errors.Join(err,
			set(unix.IPPROTO_IP, unix.IP_PKTINFO, 1),
			set(unix.IPPROTO_IP, unix.IP_TOS, trafficClass), // sets the priority too: before it
			set(unix.IPPROTO_IP, unix.IP_MULTICAST_ALL, 0),
		)
	}
	return errors.Join(err,
		set(unix.SOL_SOCKET, unix.SO_PRIORITY, priority),
		growBuffer(fd),
	)
}

// growBuffer asks for the receive buffer past the system's limit, which needs
// CAP_NET_ADMIN, and otherwise for as much as the limit allows.
func growBuffer(fd int) error {
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, receiveBuffer) == nil {
		return nil
	}
	return os.NewSyscallError("setsockopt", unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, receiveBuffer))
}
