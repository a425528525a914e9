package systemd

import (
	"bufio"
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// A testBus is a dbus-daemon of the test's own.
type testBus struct {
	config  string
	address string
	daemon  *exec.Cmd
}

// busConfig is a bus on which everybody may own names and send messages.
const busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=SOCKET</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
`

func startBus(t *testing.T) *testBus {
	t.Helper()
	dir, err := os.MkdirTemp("", "bus") // t.TempDir's name may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "socket")
	b := &testBus{config: filepath.Join(dir, "config"), address: "unix:path=" + socket}
	config := []byte(strings.Replace(busConfig, "SOCKET", socket, 1))
	if err := os.WriteFile(b.config, config, 0o600); err != nil {
		t.Fatal(err)
	}
	b.start(t)
	t.Cleanup(func() { b.kill(t) })
	return b
}

// start runs the daemon and returns when it listens, at the same address each
// time.
func (b *testBus) start(t *testing.T) {
	t.Helper()
	b.daemon = exec.Command("dbus-daemon", "--nofork", "--nopidfile", "--print-address", "--config-file="+b.config)
	var complaints bytes.Buffer
	b.daemon.Stderr = &complaints
	output, err := b.daemon.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := b.daemon.Start(); err != nil {
		t.Fatalf("%v (Debian: apt install dbus)", err)
	}
	if _, err := bufio.NewReader(output).ReadString('\n'); err != nil {
		_ = b.daemon.Wait() // it ended by itself: what it wrote says why
		t.Fatalf("dbus-daemon did not start: %s", complaints.String())
	}
}

// kill ends the daemon, and with it every connection.
func (b *testBus) kill(t *testing.T) {
	t.Helper()
	if b.daemon == nil {
		return
	}
	if err := b.daemon.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = b.daemon.Wait() // it was killed: the error says so
	b.daemon = nil
}

// dial makes a connection that lives as long as the bus.
func (b *testBus) dial(t *testing.T) *dbus.Conn {
	t.Helper()
	c, err := dbus.Connect(b.address)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// within is a context for what should take much less time.
func within(t *testing.T, limit time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	return ctx
}
