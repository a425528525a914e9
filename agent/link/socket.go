package link

import (
	"errors"
	"os"
	"syscall"
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

// A socket is one open datagram socket and what reading it needs. The reader
// and whoever drains take turns in holding it. Nobody holds it while waiting
// for something to arrive.
type socket struct {
	fd     int
	file   *os.File
	raw    syscall.RawConn
	held   chan struct{} // has an element while somebody holds the socket
	inHand chan struct{} // has one while the reader hands a packet over

	receiver
	clock
	got      datagram // what was read last, if errno is 0
	errno    unix.Errno
	at, read time.Time // when it arrived and was read
	dropped  uint32    // the kernel's count when last seen
	armed    time.Time // when the reader is to be woken though nothing arrived

	parking func(fd uintptr) bool // made once: closures would be allocated
	taking  func(fd uintptr)
}

func newSocket(fd int) (*socket, error) {
	file := os.NewFile(uintptr(fd), "heartbeat") // nonblocking, so it joins the poller
	raw, err := file.SyscallConn()
	if err != nil {
		file.Close()
		return nil, err
	}
	s := &socket{fd: fd, file: file, raw: raw, held: make(chan struct{}, 1), inHand: make(chan struct{}, 1)}
	s.parking = s.tryOrPark
	s.taking = s.try
	return s, nil
}

// try takes one datagram, or learns that there is none. The caller holds s.
func (s *socket) try(fd uintptr) {
	before := time.Now()
	s.got, s.errno = s.next(fd)
	switch s.errno {
	case 0:
		s.read = time.Now()
		s.at = s.arrival(s.got.stamp, s.read)
	case unix.EAGAIN:
		s.empty = before
	}
}

// tryOrPark is try for the reader: it returns holding s if it has something,
// and tells the poller to wait, holding nothing, if not.
func (s *socket) tryOrPark(fd uintptr) bool {
	s.hold()
	s.try(fd)
	if s.errno == unix.EAGAIN {
		s.release()
		return false
	}
	return true
}

// wait waits for a datagram and returns holding s. On an error it is not held.
func (s *socket) wait() error {
	if err := s.raw.Read(s.parking); err != nil {
		return err
	}
	if s.errno != 0 {
		s.release()
		return s.errno
	}
	return nil
}

func (s *socket) hold()    { s.held <- struct{}{} }
func (s *socket) release() { <-s.held }

// awaitHandOver waits until the reader has handed over what it took, but not
// longer than the patience given.
func (s *socket) awaitHandOver(patience time.Duration) {
	select {
	case s.inHand <- struct{}{}:
		<-s.inHand
		return
	default:
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case s.inHand <- struct{}{}:
		<-s.inHand
	case <-timer.C:
	}
}

// remind wakes the reader at an instant, or not at all if that is zero. The
// caller holds s.
func (s *socket) remind(at time.Time) {
	if !at.Equal(s.armed) {
		s.armed = at
		s.file.SetReadDeadline(at)
	}
}

// newlyDropped is how many datagrams the kernel threw away since last asked.
// Its count is of 32 bits, comes with a packet only, and is absent while 0.
func (s *socket) newlyDropped() uint32 {
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
