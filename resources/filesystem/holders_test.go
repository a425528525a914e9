package filesystem

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// hold has a shell hold a place in some way, and waits until it does. The shell
// says "held" when it has it.
func hold(t *testing.T, script, place string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("sh", "-c", script, "holder", place)
	cmd.Dir = "/"
	out, err := cmd.StdoutPipe()
	ok(t, err)
	_, err = cmd.StdinPipe() // it ends with the test at the latest
	ok(t, err)
	ok(t, cmd.Start())
	ended := make(chan struct{})
	defer func() { // when what it says was read
		go func() {
			cmd.Wait()
			close(ended)
		}()
	}()
	t.Cleanup(func() {
		cmd.Process.Kill()
		<-ended
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "held\n" {
		t.Fatalf("the holder says %q, %v", line, err)
	}
	return cmd
}

const (
	stays = "echo held; read x"
	inIt  = `cd "$1"; ` + stays
	opens = `exec 5>"$1/a file"; ` + stays
)

// procOf is a /proc of a few processes: a look at all of a busy machine's takes
// its time. This process is one of them.
func procOf(t *testing.T, holders ...*exec.Cmd) string {
	t.Helper()
	proc := t.TempDir()
	pids := []int{os.Getpid()}
	for _, h := range holders {
		pids = append(pids, h.Process.Pid)
	}
	for _, pid := range pids {
		ok(t, os.Symlink(fmt.Sprintf("/proc/%d", pid), filepath.Join(proc, strconv.Itoa(pid))))
	}
	return proc
}

func TestHolders(t *testing.T) {
	for _, tt := range []struct {
		name, script string
		by           string // behind the place
	}{
		{name: "a process that is there", script: inIt},
		{name: "one that has a file open", script: opens, by: "/a file"},
		{name: "one that has a file open which was removed", script: `exec 5>"$1/gone"; rm "$1/gone"; ` + stays, by: "/gone (deleted)"},
		{name: "a program that is there", script: `cp "$(readlink -f "$(command -v sh)")" "$1/shell"; exec "$1/shell" -c '` + stays + `'`, by: "/shell"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			place := t.TempDir()
			cmd := hold(t, tt.script, place)
			proc := procOf(t, cmd)
			got, err := Holders(proc, place)
			if err != nil || len(got) != 1 || got[0].PID != cmd.Process.Pid || got[0].By != place+tt.by {
				t.Errorf("Holders: got %v, %v; want %d by %s", got, err, cmd.Process.Pid, place+tt.by)
			}
			for _, beside := range []string{place + "x", place[:len(place)-1], filepath.Join(place, "deeper", "than")} {
				if got, err := Holders(proc, beside); err != nil || len(got) > 0 {
					t.Errorf("Holders(%s): got %v, %v; want none", beside, got, err)
				}
			}
		})
	}
}

// TestMappings are those of a file that is mapped, and open no longer.
func TestMappings(t *testing.T) {
	proc := t.TempDir()
	for name, content := range map[string]string{
		"77/maps": "5581-5582 r--p 00000000 fe:01 131 /usr/bin/cat\n7f01-7f02 rw-s 00000000 00:2d 9                 /srv/data/a b\n7ffd-7ffe rw-p 00000000 00:00 0 [stack]\n",
		"77/comm": "db\n",
		"1/maps":  "7f01-7f02 rw-s 00000000 00:2d 9 /srv/data/first\n",
		"self":    "",
	} {
		ok(t, os.MkdirAll(filepath.Dir(filepath.Join(proc, name)), 0o700))
		ok(t, os.WriteFile(filepath.Join(proc, name), []byte(content), 0o600))
	}
	got, err := Holders(proc, "/srv/data")
	if want := []Holder{{77, "db", "/srv/data/a b"}}; !slices.Equal(got, want) || err != nil {
		t.Errorf("Holders: got %v, %v; want %v", got, err, want)
	}
	if got := got[0].String(); got != "db (77) by /srv/data/a b" {
		t.Errorf("it is written %q", got)
	}
}

func TestEnd(t *testing.T) {
	place := t.TempDir()
	one, other := hold(t, inIt, place), hold(t, opens, place)
	proc := procOf(t, one, other)
	got, err := End(t.Context(), proc, place, unix.SIGTERM)
	if err != nil || len(got) != 2 {
		t.Errorf("End: got %v, %v; want two", got, err)
	}
	if left, err := Holders(proc, place); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

// TestEndOfOneThatStays gives up on a process that does not heed a signal.
func TestEndOfOneThatStays(t *testing.T) {
	place := t.TempDir()
	cmd := hold(t, "trap '' TERM; "+inIt, place)
	proc := procOf(t, cmd)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		got, err := End(ctx, proc, place, unix.SIGTERM)
		if len(got) != 1 {
			err = errors.Join(err, errors.New("not one holder"))
		}
		ended <- err
	}()
	cancel() // the signal is sent all the same
	ok(t, <-ended)
	if got, err := Holders(proc, place); err != nil || len(got) != 1 {
		t.Errorf("Holders: %v, %v; want that it stays", got, err)
	}
	if _, err := End(t.Context(), proc, place, unix.SIGKILL); err != nil {
		t.Error(err)
	}
	if got, err := Holders(proc, place); err != nil || len(got) > 0 {
		t.Errorf("Holders: %v, %v; want none", got, err)
	}
}

func TestSignals(t *testing.T) {
	for _, name := range signals {
		if unix.SignalNum("SIG"+name) == 0 || strings.ToUpper(name) != name {
			t.Errorf("%s is no signal", name)
		}
	}
}
