package worker

import (
	"os"
	"runtime"
	"strconv"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Priorities of the workers, of 1 to 99. What plays hardware is above every
// daemon under test (heartbeat runs at 1, corosync, the highest, at 99 and
// with nothing to do but its work); the prober is below them all.
const (
	PriorityProbe = 1
	PriorityCable = 50
	PriorityWatch = 60
)

// realtime puts every thread of this process under SCHED_FIFO at the given
// priority and says whether the system let it. Threads born later inherit it
// from those that are there now.
func realtime(priority int) bool {
	for {
		before := threads()
		for _, tid := range before {
			if setFIFO(tid, priority) != nil {
				return false
			}
		}
		if len(threads()) == len(before) {
			return true
		}
	}
}

func threads() []int {
	entries, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return nil
	}
	tids := make([]int, 0, len(entries))
	for _, entry := range entries {
		if tid, err := strconv.Atoi(entry.Name()); err == nil {
			tids = append(tids, tid)
		}
	}
	return tids
}

// setFIFO is sched_setscheduler(2). A thread that has just ended is no error.
func setFIFO(tid, priority int) error {
	param := struct{ priority int32 }{int32(priority)}
	_, _, errno := unix.Syscall(unix.SYS_SCHED_SETSCHEDULER, uintptr(tid), unix.SCHED_FIFO, uintptr(unsafe.Pointer(&param)))
	if errno != 0 && errno != unix.ESRCH {
		return errno
	}
	return nil
}

// Now is the monotonic clock, the same for all processes of the machine.
func Now() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		panic(err) // the clock is always there
	}
	return time.Duration(ts.Nano())
}

// sleepUntil returns at that instant of the monotonic clock or as soon after it
// as the kernel wakes the thread. A timer of the Go runtime would come 0.5 ms
// late on average, since the runtime waits in whole milliseconds.
func sleepUntil(at time.Duration) {
	ts := unix.NsecToTimespec(int64(at))
	for unix.ClockNanosleep(unix.CLOCK_MONOTONIC, unix.TIMER_ABSTIME, &ts, nil) == unix.EINTR {
	}
}

// onTime prepares the calling goroutine for sleepUntil: a thread of its own.
func onTime() { runtime.LockOSThread() }
