package lab

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestNode(t *testing.T) {
	t.Parallel()
	l := New(t)
	alpha, beta := l.Node("alpha"), l.Node("beta")

	t.Run("is called as in the lab and reaches the others by name and address", func(t *testing.T) {
		if got := strings.TrimSpace(succeeds(t, alpha, "uname", "-n")); got != "alpha" {
			t.Errorf("uname -n: got %q", got)
		}
		for _, to := range []string{"beta", "192.0.2.2", "198.51.100.2", "2001:db8::2", "2001:db8:1::2", "192.0.2.100", linkLocal(Private.hardware(2)).Addr().String() + "%eth1"} {
			succeeds(t, alpha, "ping", "-c1", "-W1", to)
		}
	})
	t.Run("starts nothing at boot that this machine would", func(t *testing.T) {
		out := succeeds(t, alpha, "systemctl", "list-units", "--no-legend", "--plain", "--type=service", "--state=running")
		for line := range strings.Lines(out) {
			switch unit := strings.Fields(line)[0]; unit {
			case "dbus.service", "systemd-journald.service", "systemd-logind.service":
			default:
				t.Errorf("runs: %s", unit)
			}
		}
		if got := strings.TrimSpace(succeeds(t, alpha, "systemctl", "is-system-running")); got != "running" {
			t.Errorf("is-system-running: got %q", got)
		}
	})
	t.Run("starts units over D-Bus, each node its own", func(t *testing.T) {
		for _, n := range l.Nodes() {
			must(t, Nginx(n))
			succeeds(t, n, "busctl", "call", "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
				"org.freedesktop.systemd1.Manager", "StartUnit", "ss", "nginx.service", "replace")
			must(t, n.WaitActive(deadline(t, patience), "nginx"))
		}
		must(t, alpha.Signal(t.Context(), "nginx", "KILL"))
		must(t, WaitFor(deadline(t, patience), "nginx to be dead on alpha", func(ctx context.Context) error {
			if alpha.Active(ctx, "nginx") {
				return errors.New("active")
			}
			return nil
		}))
		if !beta.Active(t.Context(), "nginx") {
			t.Error("nginx of beta died with that of alpha")
		}
		must(t, alpha.Start(deadline(t, patience), "nginx"))
		must(t, alpha.Stop(deadline(t, patience), "nginx"))
	})
	t.Run("says why a unit does not start", func(t *testing.T) {
		must(t, beta.Stop(deadline(t, patience), "nginx"))
		must(t, beta.WriteFile("/etc/nginx/sites-enabled/default", []byte("nonsense;\n"), 0o644))
		err := beta.Start(deadline(t, patience), "nginx")
		if err == nil || !strings.Contains(err.Error(), `unknown directive "nonsense"`) {
			t.Errorf("got %v, want the words of nginx", err)
		}
	})
	t.Run("runs in real time where this machine does", func(t *testing.T) {
		_, err := alpha.Run(t.Context(), "chrt", "--fifo", "10", "true")
		if here := exec.Command("chrt", "--fifo", "10", "true").Run(); (err == nil) != (here == nil) {
			t.Errorf("in the node: %v; on this machine: %v", err, here)
		}
	})
	t.Run("sets its own network's switches and no others", func(t *testing.T) {
		const path = "/proc/sys/net/ipv4/conf/all/promote_secondaries"
		here, err := os.ReadFile(path)
		must(t, err)
		succeeds(t, alpha, "sh", "-c", "echo 1 >"+path)
		for name, want := range map[*Node]string{alpha: "1", beta: strings.TrimSpace(string(here))} {
			if got := strings.TrimSpace(succeeds(t, name, "cat", path)); got != want {
				t.Errorf("%s: got %s, want %s", name, got, want)
			}
		}
	})
	t.Run("a command that outlives its context is killed with its children", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_, err := alpha.Run(ctx, "sh", "-c", "sleep 1234 & wait")
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the deadline", err)
		}
		must(t, WaitFor(deadline(t, patience), "sleep to be gone", func(ctx context.Context) error {
			if out, err := alpha.Run(ctx, "pgrep", "--full", "^sleep 1234"); err == nil {
				return errors.New("still there: " + out)
			}
			return nil
		}))
	})
	t.Run("an error of a command tells where, what and its output", func(t *testing.T) {
		_, err := alpha.Run(t.Context(), "sh", "-c", "echo what happened; exit 3")
		var failed *RunError
		var exit *exec.ExitError
		if !errors.As(err, &failed) || !errors.As(err, &exit) || exit.ExitCode() != 3 ||
			!strings.HasPrefix(err.Error(), "alpha: sh -c ") || !strings.HasSuffix(err.Error(), "what happened") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("files of the node stay in the node", func(t *testing.T) { testFiles(t, alpha) })
	t.Run("a frozen node stands still and the other does not", func(t *testing.T) { testFreeze(t, alpha, beta) })
}

func testFiles(t *testing.T, n *Node) {
	// A link with a slash at its beginning means the node's directory.
	succeeds(t, n, "ln", "-s", "/srv", "/root/out")
	must(t, n.WriteFile("/root/out/deep/file", []byte("for the node"), 0o640))
	if _, err := os.Stat("/srv/deep"); err == nil {
		t.Error("a link led to this machine's /srv")
	}
	if got := succeeds(t, n, "stat", "--format=%a %s", "/srv/deep/file"); got != "640 12\n" {
		t.Errorf("in the node: got %q", got)
	}
	must(t, n.WriteFile("/run/volatile", []byte("in memory"), 0o644))
	if got := succeeds(t, n, "cat", "/run/volatile"); got != "in memory" {
		t.Errorf("/run/volatile: got %q", got)
	}
	dir := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(dir, "usr/local/sbin"), 0o755))
	must(t, os.WriteFile(filepath.Join(dir, "usr/local/sbin/hello"), []byte("#!/bin/sh\necho hello\n"), 0o755))
	must(t, n.Install(dir, ""))
	must(t, n.Install(dir, "")) // over what is there
	if got := succeeds(t, n, "hello"); got != "hello\n" {
		t.Errorf("the installed command: got %q", got)
	}
	must(t, n.Configure("/etc/ha.d", Files{"authkeys": "auth 1\n", "ha.cf": "node a\n"}))
	if got := succeeds(t, n, "stat", "--format=%a", "/etc/ha.d/authkeys", "/etc/ha.d/ha.cf"); got != "600\n644\n" {
		t.Errorf("modes: got %q", got)
	}
	if got, err := n.ReadFile("/etc/ha.d/ha.cf"); err != nil || string(got) != "node a\n" {
		t.Errorf("ReadFile: got %q, %v", got, err)
	}
}

// testFreeze has both nodes count, and looks at their counts from outside.
func testFreeze(t *testing.T, frozen, other *Node) {
	for _, n := range []*Node{frozen, other} {
		cmd, err := n.Command(t.Context(), "sh", "-c", "i=0; while sleep 0.01; do i=$((i+1)); echo $i >/root/next; mv /root/next /root/count; done")
		must(t, err)
		must(t, cmd.Start())
		t.Cleanup(func() {
			_ = cmd.Cancel()
			_ = cmd.Wait() // "signal: killed"
		})
	}
	counts := func(n *Node, from, by int) {
		t.Helper()
		must(t, WaitFor(deadline(t, patience), n.Name()+" to count", func(context.Context) error {
			if now := count(n); now < from+by {
				return errors.New(strconv.Itoa(now))
			}
			return nil
		}))
	}
	counts(frozen, 0, 1)
	counts(other, 0, 1)
	must(t, frozen.Freeze())
	before := count(frozen)
	counts(other, count(other), 20)
	if got := count(frozen); got != before {
		t.Errorf("the frozen node counted from %d to %d", before, got)
	}
	succeeds(t, other, "ping", "-c1", "-W1", frozen.Name()) // its kernel goes on
	must(t, frozen.Thaw())
	counts(frozen, before, 5)
}

func count(n *Node) int {
	text, err := n.ReadFile("/root/count")
	if err != nil {
		return 0
	}
	number, _ := strconv.Atoi(strings.TrimSpace(string(text)))
	return number
}
