package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/exporters/internal/sentence"
)

// inside is set in the copy of this test that has a mount namespace of its own.
const inside = "SYSTOLE_JOURNAL_INSIDE"

// TestJournald writes every sentence to a real systemd-journald and reads it
// back with journalctl. go-systemd knows no other socket than the machine's,
// and so the test runs again in a mount namespace where /run is its own.
func TestJournald(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("a mount namespace takes root")
	}
	if os.Getenv(inside) == "" {
		again := exec.Command(os.Args[0], "-test.run=^TestJournald$", "-test.v="+strconv.FormatBool(testing.Verbose()))
		again.Env = append(os.Environ(), inside+"=1")
		again.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
		if out, err := again.CombinedOutput(); err != nil {
			t.Fatalf("in a namespace of its own: %v\n%s", err, out)
		}
		return
	}
	root := t.TempDir()
	install(t, root)
	mount(t, "tmpfs", "/run", "tmpfs", 0)
	mount(t, filepath.Join(root, "var/lib/systemd/catalog"), "/var/lib/systemd/catalog", "", syscall.MS_BIND)
	startJournald(t)

	var lines bytes.Buffer
	j := New(Config{Fallback: &lines})
	long := event.ResourceFailed{Group: web, Resource: "nginx", Operation: "start", Attempt: 1,
		Error: "two lines,\nand more than a datagram holds: " + strings.Repeat("x", 300_000)}
	var want []event.Event
	for _, s := range sentences {
		want = append(want, s.event)
	}
	want = append(want, long)
	for _, e := range want {
		j.Record(record(e))
	}
	closed(t, j)
	if lines.Len() > 0 {
		t.Errorf("standard error was written to:\n%.2000s", lines.String())
	}
	compare(t, entries(t), want)
	explain(t)
}

// compare holds what journald has against what was told, field by field.
func compare(t *testing.T, got []map[string]string, want []event.Event) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d entries, want %d", len(got), len(want))
	}
	for i, e := range want {
		r := record(e)
		told := fields(r)
		told["MESSAGE"], told["PRIORITY"] = sentence.Of(r), strconv.Itoa(event.SeverityOf(e).Priority())
		for name, value := range told {
			if got[i][name] != value {
				t.Errorf("%s: %s\n got %.200q\nwant %.200q", e.Kind(), name, got[i][name], value)
			}
		}
	}
}

// entries are what journalctl finds of ours, oldest first.
func entries(t *testing.T) []map[string]string {
	t.Helper()
	run(t, "journalctl", "--sync")
	decoder := json.NewDecoder(bytes.NewReader(run(t, "journalctl", "-t", identifier, "-o", "json", "--all")))
	var all []map[string]string
	for {
		var entry map[string]any
		if err := decoder.Decode(&entry); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		texts := map[string]string{}
		for name, value := range entry {
			texts[name] = text(value)
		}
		all = append(all, texts)
	}
}

// text is a field as journalctl has it in JSON: bytes where it is not printable.
func text(value any) string {
	list, ok := value.([]any)
	if !ok {
		s, _ := value.(string)
		return s
	}
	b := make([]byte, len(list))
	for i, n := range list {
		f, _ := n.(float64)
		b[i] = byte(f)
	}
	return string(b)
}

// explain reads one entry as an operator does.
func explain(t *testing.T) {
	t.Helper()
	out := string(run(t, "journalctl", "-x", "-n", "1", "--no-pager", "MESSAGE_ID=9ae4f4a9194f438ca6d426b21ebf3ea1"))
	for _, want := range []string{
		"systole[", "split brain suspected: beta and alpha both hold IPaddr::192.0.2.10, IPaddr::192.0.2.20",
		"Subject: Two nodes hold the same groups", "This node and alpha both say that they hold IPaddr::192.0.2.10,IPaddr::192.0.2.20.",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("journalctl -x does not say %q:\n%s", want, out)
		}
	}
}

// startJournald runs one that keeps all in /run, and ends with the test.
func startJournald(t *testing.T) {
	t.Helper()
	conf := "[Journal]\nStorage=volatile\nReadKMsg=no\nAudit=\nForwardToWall=no\nForwardToSyslog=no\nRateLimitBurst=0\n"
	if err := os.MkdirAll("/run/systemd/journald.conf.d", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("/run/systemd/journald.conf.d/test.conf", []byte(conf), 0o644); err != nil {
		t.Fatal(err)
	}
	ready, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: "/run/ready", Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer ready.Close()
	journald := exec.Command("/lib/systemd/systemd-journald")
	journald.Env = append(os.Environ(), "NOTIFY_SOCKET=/run/ready")
	journald.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := journald.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := journald.Process.Kill(); err != nil {
			t.Error(err)
		}
		_ = journald.Wait() // killed, which is an error
	})
	await(t, ready)
}

// await reads notifications until one says READY=1 (sd_notify(3)).
func await(t *testing.T, ready *net.UnixConn) {
	t.Helper()
	if err := ready.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, 4096)
	for {
		n, err := ready.Read(buffer)
		if err != nil {
			t.Fatalf("journald is not ready: %v", err)
		}
		if strings.Contains("\n"+string(buffer[:n])+"\n", "\nREADY=1\n") {
			return
		}
	}
}

func mount(t *testing.T, source, target, kind string, flags uintptr) {
	t.Helper()
	if err := syscall.Mount(source, target, kind, flags, ""); err != nil {
		t.Fatalf("mount %s: %v", target, err)
	}
}

func run(t *testing.T, name string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(name, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, &stderr)
	}
	return out
}
