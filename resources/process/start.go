package process

import (
	"os/exec"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Start starts a program without the real-time scheduling that this daemon has
// and children inherit: one that goes round in circles would keep a processor
// from everybody. The thread that carries the mark ends with its goroutine.
func Start(cmd *exec.Cmd) error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked
		resetOnFork()
		started <- cmd.Start()
	}()
	return <-started
}

// resetOnFork has what this thread starts begin with ordinary scheduling; see
// sched(7). Where that is refused, real time is what it begins with.
func resetOnFork() {
	const resetOnFork = 0x40000000 // SCHED_RESET_ON_FORK
	policy, _, errno := unix.Syscall(unix.SYS_SCHED_GETSCHEDULER, 0, 0, 0)
	if errno != 0 || policy != unix.SCHED_RR && policy != unix.SCHED_FIFO {
		return
	}
	var param struct{ priority int32 }
	if _, _, errno = unix.Syscall(unix.SYS_SCHED_GETPARAM, 0, uintptr(unsafe.Pointer(&param)), 0); errno == 0 {
		unix.Syscall(unix.SYS_SCHED_SETSCHEDULER, 0, policy|resetOnFork, uintptr(unsafe.Pointer(&param)))
	}
}
