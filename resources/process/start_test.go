package process

import (
	"bytes"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// TestProgramsAreNotInRealTime starts one from a thread that is.
func TestProgramsAreNotInRealTime(t *testing.T) {
	cmd := exec.Command("grep", "-E", "^policy", "/proc/self/sched")
	var out bytes.Buffer
	cmd.Stdout = &out
	ended := make(chan error)
	go func() {
		runtime.LockOSThread() // it ends with this goroutine: nobody inherits what it is now
		param := struct{ priority int32 }{1}
		_, _, errno := unix.Syscall(unix.SYS_SCHED_SETSCHEDULER, 0, unix.SCHED_RR, uintptr(unsafe.Pointer(&param)))
		if errno != 0 {
			ended <- errno
			return
		}
		resetOnFork()
		ended <- cmd.Run()
	}()
	err := <-ended
	if _, policy, _ := strings.Cut(out.String(), ":"); err != nil || strings.TrimSpace(policy) != "0" {
		t.Errorf("the program runs under policy %q (%v), want 0, SCHED_OTHER", policy, err)
	}
}
