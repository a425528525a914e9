package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/systole-ha/systole/test/lab"
)

// call calls the command and gives its exit code and all it printed.
func call(t *testing.T, args ...string) (int, string) {
	t.Helper()
	var out bytes.Buffer
	s := &session{stdin: strings.NewReader(""), stdout: &out, stderr: &out}
	return s.main(t.Context(), args), out.String()
}

func TestUsage(t *testing.T) {
	tests := []struct {
		args string
		code int
		want string
	}{
		{"help", 0, "Boots a few systemd nodes"},
		{"--help", 0, "Boots a few systemd nodes"},
		{"", 2, "no command"},
		{"explode alpha", 2, "unknown command explode"},
		{"--frob list", 2, "unknown flag --frob"},
		{"up --nodes two", 2, "want up [--nodes N]"},
		{"up --nodes 99", 2, "there are names for 8"},
		{"sh", 2, "want sh NODE"},
		{"run alpha --", 2, "want run NODE -- COMMAND"},
		{"--lab none status", 1, "no lab none is up"},
	}
	for _, tt := range tests {
		code, out := call(t, strings.Fields(tt.args)...)
		if code != tt.code || !strings.Contains(out, tt.want) {
			t.Errorf("lab %s: exit code %d, want %d with %q:\n%s", tt.args, code, tt.code, tt.want, out)
		}
	}
}

func TestDepsNamesEveryPackage(t *testing.T) {
	_, out := call(t, "deps") // its exit code is this machine's
	for _, p := range lab.Packages {
		if !regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(p.Name) + ` +(installed|MISSING) `).MatchString(out) {
			t.Errorf("lab deps does not tell of %s:\n%s", p.Name, out)
		}
	}
}

// start runs `lab up` until `lab down`, and gives the lab's name.
func start(t *testing.T, args ...string) (id string, code <-chan int) {
	t.Helper()
	in, out := io.Pipe()
	ended := make(chan int, 1)
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	go func() {
		s := &session{stdout: out, stderr: io.Discard}
		code := s.main(ctx, append([]string{"up"}, args...))
		out.Close()
		ended <- code
	}()
	welcome := bufio.NewReader(in)
	line, err := welcome.ReadString('\n')
	go io.Copy(io.Discard, welcome)
	words := strings.Fields(line)
	if err != nil || len(words) < 4 || words[2] != "is" || words[3] != "up" {
		t.Fatalf("lab up said %q, %v; exit code %d", line, err, <-ended)
	}
	return words[1], ended
}

func TestUp(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("the lab makes namespaces and mounts: run as root")
	}
	id, ended := start(t, "--serial")
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("copied"), 0o644); err != nil {
		t.Fatal(err)
	}
	// In this order; `want` is a regular expression.
	steps := []struct {
		args []string
		code int
		want string
	}{
		{[]string{"status"}, 0, `alpha +on  eth0 192\.0\.2\.1/24 .*\nbeta +on `},
		{[]string{"run", "beta", "--", "uname", "-n"}, 0, `^beta\n$`},
		{[]string{"run", "beta", "sh", "-c", "exit 7"}, 7, `^$`},
		{[]string{"run", "beta", "sh", "-c", "kill -9 $$"}, 137, `^$`},
		{[]string{"run", "client", "--", "ping", "-c1", "-W1", "192.0.2.1"}, 0, ` 0% packet loss`},
		{[]string{"run", "gamma", "--", "true"}, 2, `no node is called "gamma": there are \[alpha beta\]`},
		{[]string{"cut", "alpha", "eth0", "out"}, 0, `^$`},
		{[]string{"run", "client", "--", "ping", "-c1", "-W0.2", "192.0.2.1"}, 1, `100% packet loss`},
		{[]string{"heal", "alpha", "eth0"}, 0, `^$`},
		{[]string{"cut", "alpha", "eth0", "up"}, 2, `direction "up": want in, out or both`},
		{[]string{"cut", "alpha", "eth7"}, 2, `network "eth7": want eth0, eth1 or serial`},
		{[]string{"cut", "alpha"}, 2, `want cut NODE NETWORK \[DIRECTION\]`},
		{[]string{"lose", "alpha", "eth0", "2"}, 1, `want 0 to 1`},
		{[]string{"lose", "alpha", "eth1", "0.5", "in"}, 0, `^$`},
		{[]string{"delay", "alpha", "eth1", "5ms"}, 0, `^$`},
		{[]string{"carrier", "alpha", "eth1", "down"}, 0, `^$`},
		{[]string{"cut", "alpha", "serial"}, 0, `^$`},
		{[]string{"copy", "alpha", file, "/root/file"}, 0, `^$`},
		{[]string{"run", "alpha", "--", "cat", "/root/file"}, 0, `^copied$`},
		{[]string{"freeze", "beta"}, 0, `^$`},
		{[]string{"thaw", "beta"}, 0, `^$`},
		{[]string{"probe", "--for", "200ms", "icmp://192.0.2.2"}, 0, `^\d+ asked, \d+ answered .* longest gap `},
		{[]string{"probe", "ftp://192.0.2.2"}, 1, `want http, tcp, icmp or arp`},
		{[]string{"signal", "beta", "dbus", "CONT"}, 0, `^$`},
		{[]string{"journal", "beta", "init.scope"}, 0, `Startup finished`},
		{[]string{"wipe", "alpha"}, 1, `it is on`},
		{[]string{"power-off", "alpha"}, 0, `^$`},
		{[]string{"status"}, 0, `alpha +off\n`},
		{[]string{"run", "alpha", "--", "true"}, 1, `alpha is off`},
		{[]string{"boot", "alpha"}, 0, `^$`},
		{[]string{"run", "alpha", "--", "cat", "/root/file"}, 0, `^copied$`},
		{[]string{"list"}, 0, `(?m)^` + id + `$`},
		{[]string{"down"}, 0, `^$`},
	}
	for _, step := range steps {
		code, out := call(t, append([]string{"--lab", id}, step.args...)...)
		if code != step.code || !regexp.MustCompile(step.want).MatchString(out) {
			t.Errorf("lab %s: exit code %d, want %d with %s:\n%s", strings.Join(step.args, " "), code, step.code, step.want, out)
		}
	}
	if code := <-ended; code != 0 {
		t.Errorf("lab up: exit code %d", code)
	}
	if left, err := lab.Leftovers(id); err != nil || len(left) > 0 {
		t.Errorf("left over: %q, %v", left, err)
	}
}

// TestWatchTellsUntilItIsInterrupted adds an address while `lab watch` runs in
// another terminal, and interrupts it when it has told.
func TestWatchTellsUntilItIsInterrupted(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("the lab makes namespaces and mounts: run as root")
	}
	id, ended := start(t, "--nodes", "1")
	ctx, interrupt := context.WithTimeout(t.Context(), 10*time.Second)
	defer interrupt()
	in, out := io.Pipe()
	code := make(chan int, 1)
	go func() {
		code <- (&session{stdout: out, stderr: out, lab: id}).main(ctx, []string{"watch"})
		out.Close()
	}()
	told := false
	for lines := bufio.NewScanner(in); lines.Scan(); {
		switch line := lines.Text(); {
		case strings.HasSuffix(line, "alpha +198.51.100.1/24"):
			if code, out := call(t, "--lab", id, "run", "alpha", "--", "ip", "address", "add", "192.0.2.50/32", "dev", "eth0"); code != 0 {
				t.Errorf("add an address: exit code %d: %s", code, out)
			}
		case strings.HasSuffix(line, "alpha +192.0.2.50/32"):
			told = true
			interrupt()
		}
	}
	if got := <-code; got != 0 || !told {
		t.Errorf("lab watch: exit code %d, told of the address: %v", got, told)
	}
	if code, out := call(t, "--lab", id, "down"); code != 0 || <-ended != 0 {
		t.Errorf("lab down: exit code %d: %s", code, out)
	}
}
