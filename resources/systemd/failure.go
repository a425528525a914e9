package systemd

import (
	"context"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// failure says why a unit is not in the state that its job was to bring about.
func (c *conn) failure(ctx context.Context, u unit, result string) error {
	kind := typeOf(u.name)
	p, err := c.readType(ctx, u.name, kind)
	if err != nil && c.isLost(err) {
		return err
	}
	reasons := []string{fmt.Sprintf("%s is %s (%s)", u.name, u.active, u.sub)}
	add := func(applies bool, format string, args ...any) {
		if applies {
			reasons = append(reasons, fmt.Sprintf(format, args...))
		}
	}
	add(jobResults[result] != "", "%s", jobResults[result])
	cause := get[string](p, "Result")
	add(cause != "" && cause != "success", "%s", cause)
	add(kind == "Service", "%s", ending(get[int32](p, "ExecMainCode"), get[int32](p, "ExecMainStatus")))
	add(get[string](p, "StatusText") != "", "it says %q", get[string](p, "StatusText"))
	add(u.active == "inactive" && u.unmet, "a Condition= of it does not hold")
	add(isOver(p) && u.active == "inactive", "%s", overText)
	add(u.stale, "its file has changed, run \"systemctl daemon-reload\"")
	add(true, "see \"journalctl -u %s\"", u.name)
	return fmt.Errorf("%s", strings.Join(nonEmpty(reasons), ", "))
}

// typeOf is the name of the D-Bus interface of a unit's type.
func typeOf(name string) string {
	suffix := name[strings.LastIndexByte(name, '.')+1:]
	return strings.ToUpper(suffix[:1]) + suffix[1:]
}

// jobResults explains the results of jobs other than "done" and "failed"
// (org.freedesktop.systemd1(5), JobRemoved).
var jobResults = map[string]string{
	"canceled":   "another job has replaced this one",
	"timeout":    "the job took too long",
	"dependency": "a unit that it needs has failed",
	"skipped":    "the job did not apply",
	"assert":     "an Assert= of it does not hold",
}

// isOver reports that a service has no more to do when it has been started.
func isOver(service properties) bool {
	return get[string](service, "Type") == "oneshot" && !get[bool](service, "RemainAfterExit")
}

const overText = "Type=oneshot without RemainAfterExit=yes is over once it has run, and cannot be held"

// Values of ExecMainCode: si_code of a SIGCHLD (sigaction(2)).
const (
	exited = 1
	killed = 2
	dumped = 3
)

// ending tells how the main process of a service ended, if it did.
func ending(code, status int32) string {
	switch code {
	case exited:
		if text := exitTexts[status]; text != "" {
			return fmt.Sprintf("its main process exited with status %d (%s)", status, text)
		}
		return fmt.Sprintf("its main process exited with status %d", status)
	case killed, dumped:
		return fmt.Sprintf("its main process was killed by %s", signalName(status))
	}
	return ""
}

// exitTexts are the statuses of systemd's own that a missing package or user
// leads to (systemd.exec(5), process exit codes).
var exitTexts = map[int32]string{
	200: "its working directory is missing",
	203: "its program cannot be executed",
	216: "its group is unknown",
	217: "its user is unknown",
	226: "its namespaces cannot be set up",
}

func signalName(number int32) string {
	if name := unix.SignalName(unix.Signal(number)); name != "" {
		return name
	}
	return fmt.Sprintf("signal %d", number)
}

func nonEmpty(list []string) (rest []string) {
	for _, s := range list {
		if s != "" {
			rest = append(rest, s)
		}
	}
	return rest
}

// explained adds what to do about an error that says little.
func explained(err error) error {
	if isNamed(err, "org.freedesktop.DBus.Error.AccessDenied", "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired") {
		return fmt.Errorf("%w: run as root, or have polkit allow this user org.freedesktop.systemd1.manage-units", err)
	}
	return err
}
