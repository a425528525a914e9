package link

import (
	"errors"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A source is an open descriptor that things of type T are read from, one at a
// time: packets, or replies to a ping. The
// reader and whoever drains take turns in holding it. Nobody holds it while
// waiting for something to arrive, or for the handler.
type source[T any] struct {
	file   *os.File
	raw    syscall.RawConn
	held   chan struct{} // has an element while somebody holds the source
	inHand chan struct{} // has one while the reader hands a packet over

	// What makes one kind of source. All are called by its holder.
	try    func(fd uintptr) unix.Errno          // takes a message from the kernel; EAGAIN if there is none
	take   func() (T, bool)                     // makes a T of it; false if it is not authentic
	report func(now time.Time) (next time.Time) // reports rejections that are due, says when the next are

	errno    unix.Errno
	at, read time.Time // when the last message arrived and was read
	empty    time.Time // when the source was last seen with nothing in it
	armed    time.Time // when the reader is to be woken though nothing arrived

	parking func(fd uintptr) bool // made once: closures would be allocated
	taking  func(fd uintptr)
}

// open takes over a descriptor in nonblocking mode.
func (s *source[T]) open(fd int, name string) error {
	s.file = os.NewFile(uintptr(fd), name) // joins the poller
	raw, err := s.file.SyscallConn()
	if err != nil {
		s.file.Close()
		return err
	}
	s.raw = raw
	s.held, s.inHand = make(chan struct{}, 1), make(chan struct{}, 1)
	s.parking, s.taking = s.tryOrPark, s.tryNow
	return nil
}

// run hands what arrives to received until the source is closed, which is
// os.ErrClosed, or fails.
func (s *source[T]) run(received func(T)) error {
	for {
		var thing T
		var ok bool
		err := s.wait()
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			s.hold()
			s.read = time.Now()
		case err != nil:
			return err
		default:
			thing, ok = s.take()
		}
		s.remind(s.report(s.read))
		if !ok {
			s.release()
			continue
		}
		s.inHand <- struct{}{}
		s.release()
		received(thing)
		<-s.inHand
	}
}

// drain is Link.Drain. It ends with the first message that arrived after it
// began, so that a flood cannot keep it.
func (s *source[T]) drain(received func(T)) {
	s.hold()
	began := time.Now()
	for range maxDrained {
		if s.raw.Control(s.taking) != nil || s.errno != 0 {
			break
		}
		if thing, ok := s.take(); ok {
			received(thing)
		}
		s.remind(s.report(s.read))
		if s.at.After(began) {
			break
		}
	}
	s.release()
	s.awaitHandOver(drainPatience)
}

const (
	// drainPatience is how long Drain waits for the reader to hand over what it
	// took before. Only a handler that does not take it makes the reader slower
	// than microseconds, and then it has enough to look at first.
	drainPatience = 5 * time.Millisecond

	// maxDrained ends a drain whatever the clocks say: more datagrams than fit
	// into twice receiveBuffer, which the kernel doubles for its bookkeeping,
	// at the least it counts for one (768 bytes).
	maxDrained = 2 * receiveBuffer / 768
)

// tryNow takes one message, or learns that there is none.
func (s *source[T]) tryNow(fd uintptr) {
	before := time.Now()
	if s.errno = s.try(fd); s.errno == unix.EAGAIN {
		s.empty = before
	}
}

// tryOrPark is tryNow for the reader: it returns holding s if it has something,
// and tells the poller to wait, holding nothing, if not.
func (s *source[T]) tryOrPark(fd uintptr) bool {
	s.hold()
	s.tryNow(fd)
	if s.errno == unix.EAGAIN {
		s.release()
		return false
	}
	return true
}

// wait waits for a message and returns holding s. On an error it is not held.
func (s *source[T]) wait() error {
	if err := s.raw.Read(s.parking); err != nil {
		return err
	}
	if err := s.errno; err != 0 {
		s.release()
		return err
	}
	return nil
}

func (s *source[T]) hold()    { s.held <- struct{}{} }
func (s *source[T]) release() { <-s.held }

// awaitHandOver waits until the reader has handed over what it took, but not
// longer than the patience given.
func (s *source[T]) awaitHandOver(patience time.Duration) {
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

// remind has the reader woken at an instant, or not at all if that is zero.
func (s *source[T]) remind(at time.Time) {
	if !at.Equal(s.armed) {
		s.armed = at
		s.file.SetReadDeadline(at)
	}
}
