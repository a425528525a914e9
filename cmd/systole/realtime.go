package main

import (
	"fmt"
	"os"
	"slices"
	"strconv"
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

// scheduleRealtime puts every thread of this process under SCHED_FIFO. Threads
// made later inherit it from the one that makes them. The whole process, since
// a sender or a receiver alone gains nothing: the other waits as before.
//
// It fails where the machine does not allow it: no CAP_SYS_NICE, or a control
// group without a real-time budget (cpu.rt_runtime_us).
func scheduleRealtime(priority int) error {
	param := struct{ priority int32 }{int32(priority)}
	done := map[int]bool{}
	for {
		threads, err := threads()
		if err != nil {
			return err
		}
		fresh := slices.DeleteFunc(threads, func(id int) bool { return done[id] })
		if len(fresh) == 0 {
			return nil
		}
		for _, id := range fresh {
			_, _, errno := unix.Syscall(unix.SYS_SCHED_SETSCHEDULER, uintptr(id), unix.SCHED_FIFO, uintptr(unsafe.Pointer(&param)))
			if errno != 0 && errno != unix.ESRCH { // a thread may have ended
				return fmt.Errorf("sched_setscheduler: %w", errno)
			}
			done[id] = true
		}
	}
}

func threads() ([]int, error) {
	entries, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return nil, err
	}
	var ids []int
	for _, e := range entries {
		if id, err := strconv.Atoi(e.Name()); err == nil {
			ids = append(ids, id)
		}
	}
	return ids, nil
}
