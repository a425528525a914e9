package control_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/systole-ha/systole/agent/control"
)

func TestNotRunning(t *testing.T) {
	_, err := control.At("/run/systole/nowhere.sock").Status(t.Context())
	if want := "systole is not running (no /run/systole/nowhere.sock)"; !errors.Is(err, control.ErrNotRunning) || err.Error() != want {
		t.Errorf("Status:\n got %v\nwant %s", err, want)
	}
	if _, err := control.At("/run/systole/nowhere.sock").Events(t.Context(), control.Filter{}); !errors.Is(err, control.ErrNotRunning) {
		t.Errorf("Events: %v", err)
	}
}

func TestPermission(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can become somebody else")
	}
	d := start(t, pair())
	if err := os.Chmod(filepath.Dir(d.Socket), 0o755); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() {
		// This thread becomes nobody's and dies with its goroutine.
		runtime.LockOSThread()
		const keep, nobody = ^uintptr(0), 65534
		for _, call := range [][4]uintptr{
			{unix.SYS_SETGROUPS, 0, 0, 0}, {unix.SYS_SETRESGID, keep, nobody, keep}, {unix.SYS_SETRESUID, keep, nobody, keep},
		} {
			if _, _, errno := unix.RawSyscall(call[0], call[1], call[2], call[3]); errno != 0 {
				done <- errno
				return
			}
		}
		_, err := control.At(d.Socket).Status(context.Background())
		done <- err
	}()
	err := <-done
	if want := "permission denied: " + d.Socket + " is root's"; !errors.Is(err, control.ErrPermission) || err.Error() != want {
		t.Errorf("Status:\n got %v\nwant %s", err, want)
	}
}

// answering is a socket whose daemon says one thing, whatever it is asked.
func answering(t *testing.T, say string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Write([]byte(say))
			if say != "" {
				c.Close()
			} else {
				defer c.Close()
			}
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-ended
	})
	return path
}

func TestStrangeDaemons(t *testing.T) {
	for _, tt := range []struct {
		name, say string
		is        error
		wrong     string
	}{
		{name: "one that says nothing is not waited for", is: control.ErrTimeout, wrong: "systole does not answer"},
		{name: "one that ends in the middle is gone", say: `{"protocol":1,`, is: control.ErrNotRunning, wrong: "closed the connection"},
		{name: "one that speaks another protocol is named", say: `{"protocol":2}` + "\n", wrong: "speaks protocol 2, this command 1"},
		{name: "one that answers another question is wrong", say: `{"protocol":1,"move":{"accepted":true}}` + "\n", wrong: "answered something else"},
		{name: "one that does not speak JSON is wrong", say: "HTTP/1.1 400 Bad Request\n", wrong: "invalid character"},
		{name: "its errors are passed on", say: `{"protocol":1,"error":{"code":"busy","message":"too many"}}` + "\n", wrong: "too many"},
		{
			name: "one that gave up waiting for its node does not answer",
			say:  `{"protocol":1,"error":{"code":"timed_out","message":"x"}}` + "\n", is: control.ErrTimeout, wrong: "x",
		},
		{name: "what is new in an answer is skipped", say: `{"protocol":1,"new":7,"status":{"node":"alpha","new":[]}}` + "\n"},
		{name: "an endless answer is not", say: strings.Repeat("x", 17<<20), wrong: "more than 16777216 bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond+time.Duration(len(tt.say)))
			if tt.say != "" {
				ctx = t.Context()
			}
			defer cancel()
			_, err := control.At(answering(t, tt.say)).Status(ctx)
			if tt.wrong == "" && err == nil {
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.wrong) || tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("Status: %v, want %q and %v", err, tt.wrong, tt.is)
			}
		})
	}
}

func TestACommandCanBeInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := control.At(answering(t, "")).Status(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Status: %v", err)
	}
}
