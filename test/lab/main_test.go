package lab

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"
)

var must, deadline = Must, Within

// ownerEnv makes the test's program one that opens a lab, says which, and then
// waits to be killed.
const ownerEnv = "SYSTOLE_LAB_TEST_OWNER"

type owned struct {
	ID    string
	Guard int // process
}

func TestMain(m *testing.M) {
	if os.Getenv(ownerEnv) != "" {
		own()
	}
	os.Exit(m.Run())
}

func own() {
	os.Unsetenv(ownerEnv)
	l, err := Open(context.Background())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if err := json.NewEncoder(os.Stdout).Encode(owned{l.id, l.guard.Pid()}); err != nil {
		os.Exit(1)
	}
	_, _ = bufio.NewReader(os.Stdin).ReadByte() // the test kills us first
	os.Exit(1)
}

// killOwner opens a lab in a process of its own and kills that process, and its
// guard too if asked, by SIGKILL.
func killOwner(t *testing.T, guard bool) owned {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("the lab makes namespaces and mounts: run as root")
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), ownerEnv+"=1")
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	must(t, err)
	defer stdin.Close()
	stdout, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	var it owned
	must(t, json.NewDecoder(stdout).Decode(&it))
	if got, err := Leftovers(it.ID); err != nil || len(got) < 5 {
		t.Errorf("while the lab runs: %q, %v; want its mounts, namespaces and control group", got, err)
	}
	if guard {
		must(t, unix.Kill(it.Guard, unix.SIGKILL))
	}
	must(t, cmd.Process.Kill())
	_ = cmd.Wait() // "signal: killed"
	return it
}

// succeeds runs a command in the node, which must exit with 0.
func succeeds(t testing.TB, n *Node, command string, args ...string) string {
	t.Helper()
	out, err := n.Run(deadline(t, patience), command, args...)
	must(t, err)
	return out
}
