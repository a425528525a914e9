package main

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/systole-ha/systole/agent/control"
)

// A socket that takes connections and never answers, as a stopped process has.
func TestASilentSocketIsNotWaitedFor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	t.Setenv(control.Environment, path)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	var out, errors strings.Builder
	if code := run(ctx, []string{"hbstatus"}, &out, &errors); code != timedOut || out.String() != "" {
		t.Errorf("exits %d, says %q, want 12 and nothing", code, out.String())
	}
	if !strings.Contains(errors.String(), "ERROR: systole does not answer") {
		t.Errorf("stderr: %q", errors.String())
	}
}

func TestHbstatusWithoutAnAnswer(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  error
		code int
		want string
	}{
		{
			name: "a daemon that is not there has stopped", err: fmt.Errorf("%w (no socket)", control.ErrNotRunning), code: 1,
			want: "Heartbeat is stopped on this machine.\n(hb_api_signon: Can't initiate connection to heartbeat)\n",
		},
		{
			name: "one that lets only root in is running", err: fmt.Errorf("%w: /run/s is root's", control.ErrPermission), code: 0,
			want: "Heartbeat is apparently running on this machine, but refuses my connection\n(permission denied: /run/s is root's)\n",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			q := &query{stdout: &out, verbose: true}
			if code := q.stopped(tt.err); code != tt.code || out.String() != tt.want {
				t.Errorf("exits %d, says\n%swant %d,\n%s", code, out.String(), tt.code, tt.want)
			}
		})
	}
}
