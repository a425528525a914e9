package observe

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"testing"

	"github.com/coreos/go-systemd/v22/daemon"

	"github.com/systole-ha/systole/test/lab"
)

// helperEnv makes the test's program the service of a node.
const helperEnv = "SYSTOLE_OBSERVE_HELPER"

// beHelper runs as the service, if this process is one, and does not return.
func beHelper() {
	if os.Getenv(helperEnv) == "" {
		return
	}
	fmt.Fprintln(os.Stderr, answer())
	os.Exit(1)
}

// answer says the node's name to everybody. It tells systemd that it is ready
// at the instant from which it is.
func answer() error {
	name, err := os.Hostname()
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", ":80")
	if err != nil {
		return err
	}
	if _, err := daemon.SdNotify(false, daemon.SdNotifyReady); err != nil {
		return err
	}
	return http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, name) }))
}

// installAnswer puts the service on a node as answer.service, in real time: a
// client is to see when it began, not how busy the machine was.
func installAnswer(t testing.TB, n *lab.Node) {
	t.Helper()
	program, err := os.Executable()
	must(t, err)
	binary, err := os.ReadFile(program)
	must(t, err)
	must(t, n.WriteFile("/usr/local/bin/answer", binary, 0o755))
	const unit = `[Service]
Type=notify
ExecStart=/usr/local/bin/answer
Environment=` + helperEnv + `=answer
CPUSchedulingPolicy=rr
CPUSchedulingPriority=5
`
	must(t, n.WriteFile("/etc/systemd/system/answer.service", []byte(unit), 0o644))
}
