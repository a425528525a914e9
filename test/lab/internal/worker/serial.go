package worker

import (
	"errors"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// A SerialSpec describes a serial line. Its two ends are the masters of two
// pseudoterminals, files 3 and 4 of the worker.
type SerialSpec struct {
	Baud int     // bits a second; a byte is ten of them: 8 data bits, no parity, 1 stop bit
	Cut  [2]bool // what comes from this end is lost
}

// Serial carries bytes between two pseudoterminals as fast as a line of that
// speed would. Later SerialSpecs on its input cut and heal it.
func Serial(pipe *Pipe) error {
	var spec SerialSpec
	if err := pipe.Receive(&spec); err != nil {
		return err
	}
	ready := CableReady{Realtime: realtime(PriorityCable)}
	var cut [2]atomic.Bool
	failed := make(chan error, 2)
	go func() { failed <- carryBytes(3, 4, spec.Baud, &cut[0]) }()
	go func() { failed <- carryBytes(4, 3, spec.Baud, &cut[1]) }()
	if err := errors.Join(pipe.Send(ready), pipe.Flush()); err != nil {
		return err
	}
	go func() {
		for {
			cut[0].Store(spec.Cut[0])
			cut[1].Store(spec.Cut[1])
			if err := pipe.Receive(&spec); err != nil {
				failed <- ignoreEOF(err)
				return
			}
		}
	}()
	return <-failed
}

// carryBytes moves at most 16 bytes at a time, what the buffer of a 16550 UART
// holds, and delivers them when the last of them would have arrived. It reads
// no faster than the line, so a sender that is too fast finds its terminal's
// buffer full, as with a real one.
func carryBytes(from, to, baud int, cut *atomic.Bool) error {
	onTime()
	buffer := make([]byte, 16)
	free := Now() // when the line has carried what it was given
	for {
		n, err := unix.Read(from, buffer)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		free = max(free, Now()) + time.Duration(n)*10*time.Second/time.Duration(baud)
		sleepUntil(free)
		if !cut.Load() {
			writeOrLose(to, buffer[:n])
		}
	}
}

// writeOrLose gives the bytes to the terminal, or loses them if nobody reads
// it and it is full, as a UART does.
func writeOrLose(to int, data []byte) {
	poll := []unix.PollFd{{Fd: int32(to), Events: unix.POLLOUT}}
	if n, err := unix.Poll(poll, 0); err == nil && n == 1 {
		_, _ = unix.Write(to, data)
	}
}
