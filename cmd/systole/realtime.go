package main

import (
	"fmt"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// lockMemory keeps what is in memory there. MCL_ONFAULT locks pages when they
// are touched: without it the whole reserve of the Go runtime would be, some
// 80 MB.
func lockMemory() error {
	if err := unix.Mlockall(unix.MCL_CURRENT | unix.MCL_FUTURE | unix.MCL_ONFAULT); err != nil {
		return fmt.Errorf("mlockall: %w", err)
	}
	return nil
}

// scheduleRealtime has this process run under SCHED_RR, every thread of it: a
// sender or a receiver alone gains nothing, the other waits as before.
//
// Threads of one priority take turns. Under SCHED_FIFO they do not, and that two
// daemons share a machine, as in the lab or in containers, is then enough to stop
// both for good: while it waits for another of its threads, Go's runtime may go
// round in circles (bgsweep does, until the other has swept its span), and the
// two that go round each keep a processor that the other's missing thread needs.
//
// It starts the program anew, in the same process, from a thread that is
// scheduled so: from the first one on, all threads inherit it. Changing them one
// by one could miss one that is being made, and a thread that is not in real
// time, with a lock of Go's runtime in its hands, may never get a processor on
// which others wait for that lock in real time.
//
// It returns nil in a process that is scheduled so already, and an error where
// the machine does not allow it: no CAP_SYS_NICE, or a control group without a
// real-time budget (cpu.rt_runtime_us).
func scheduleRealtime(priority int) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	policy, _, errno := unix.Syscall(unix.SYS_SCHED_GETSCHEDULER, 0, 0, 0)
	if errno != 0 || policy == unix.SCHED_RR {
		return ifAny("sched_getscheduler", errno)
	}
	param := struct{ priority int32 }{int32(priority)}
	_, _, errno = unix.Syscall(unix.SYS_SCHED_SETSCHEDULER, 0, unix.SCHED_RR, uintptr(unsafe.Pointer(&param)))
	if errno != 0 {
		return ifAny("sched_setscheduler", errno)
	}
	return fmt.Errorf("start anew: %w", unix.Exec("/proc/self/exe", os.Args, os.Environ()))
}

func ifAny(call string, errno unix.Errno) error {
	if errno == 0 {
		return nil
	}
	return fmt.Errorf("%s: %w", call, errno)
}
