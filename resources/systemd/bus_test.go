package systemd

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"golang.org/x/sys/unix"
)

// A testBus is a dbus-daemon of the test's own.
type testBus struct {
	config  string
	address string
	daemon  *os.Process   // nil while it is down
	ended   chan struct{} // closed when it has
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
	cmd := exec.Command("dbus-daemon", "--nofork", "--nopidfile", "--print-address", "--config-file="+b.config)
	cmd.SysProcAttr = &unix.SysProcAttr{Pdeathsig: unix.SIGKILL} // a test that is killed leaves none behind
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	started := make(chan error)
	b.ended = make(chan struct{})
	go func() {
		runtime.LockOSThread() // whose end would count as the test's
		defer runtime.UnlockOSThread()
		defer close(b.ended)
		if err := cmd.Start(); err != nil {
			started <- fmt.Errorf("%w (Debian: apt install dbus)", err)
			return
		}
		_, err := bufio.NewReader(output).ReadString('\n')
		started <- err
		_ = cmd.Wait() // it is killed, and the error says so
	}()
	if err := <-started; err != nil {
		<-b.ended
		t.Fatalf("start dbus-daemon: %v %s", err, complaints.String())
	}
	b.daemon = cmd.Process
}

// kill ends the daemon, and with it every connection.
func (b *testBus) kill(t *testing.T) {
	t.Helper()
	if b.daemon == nil {
		return
	}
	if err := b.daemon.Kill(); err != nil {
		t.Error(err)
	}
	<-b.ended
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
