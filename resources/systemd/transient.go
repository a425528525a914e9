package systemd

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"time"

	systemd "github.com/coreos/go-systemd/v22/dbus"
	"github.com/coreos/go-systemd/v22/journal"
	names "github.com/coreos/go-systemd/v22/unit"
	"github.com/godbus/dbus/v5"
	"golang.org/x/sys/unix"

	"github.com/systole-ha/systole/resources/process"
)

// A transient is the service of one job.
type transient struct {
	name        string
	job         process.Job
	properties  []systemd.Property
	read, write *os.File // the ends of the pipe for what is captured; nil for nothing
	captured    chan struct{}
	out         process.Output // of capture, until captured is closed
}

func newTransient(ctx context.Context, j process.Job) (*transient, error) {
	t := &transient{name: jobName(j), job: j}
	if j.Capture {
		var err error
		if t.read, t.write, err = os.Pipe(); err != nil {
			return nil, err
		}
		t.captured = make(chan struct{})
		go t.capture()
	}
	t.describe(ctx)
	return t, nil
}

// jobGrace is how much longer than we do systemd waits: it has its own limit for
// the case that this daemon is not there any more.
const jobGrace = 10 * time.Second

// describe sets the properties of the unit.
//
// Its default dependencies are off: with them, a machine that is shut down would
// stop it beside systole.service, which is about to run the script that stops
// the resource, and would not let that one start. The program's failure is
// ignored and the unit remains, so that it can be asked how the program ended.
// Only the program itself is killed when the unit is stopped: what a script
// leaves running is stopped by that script.
func (t *transient) describe(ctx context.Context) {
	set := func(name string, value any) {
		t.properties = append(t.properties, systemd.Property{Name: name, Value: dbus.MakeVariant(value)})
	}
	set("Description", fmt.Sprintf("systole: %s of %s", t.job.Operation, t.job.Resource))
	set("DefaultDependencies", false)
	set("IgnoreOnIsolate", true)
	set("Type", "oneshot")
	set("RemainAfterExit", true)
	set("KillMode", "process")
	set("ExecStart", []command{{Path: t.job.Path, Args: argv(t.job), Ignore: true}})
	set("Environment", environment(t.job))
	set("SyslogIdentifier", path.Base(t.job.Path))
	set("LogExtraFields", t.fields())
	if deadline, ok := ctx.Deadline(); ok {
		set("TimeoutStartUSec", uint64((time.Until(deadline) + jobGrace).Microseconds()))
	}
	if t.write != nil {
		fd := int(t.write.Fd())
		unix.SetNonblock(fd, false) // programs expect to wait where nobody reads
		set("StandardOutputFileDescriptor", dbus.UnixFD(fd))
	}
}

// A command is one of ExecStart, as D-Bus has it: a(sasb).
type command struct {
	Path   string
	Args   []string // from argument 0 on
	Ignore bool     // its failure is none of the unit's
}

// argv is the command line. Systemd replaces variables in it, but not "$$".
func argv(j process.Job) []string {
	args := []string{j.Path}
	for _, a := range j.Args {
		args = append(args, strings.ReplaceAll(a, "$", "$$"))
	}
	return args
}

// environment has each variable once, as systemd wants it: the last one counts.
func environment(j process.Job) (env []string) {
	seen := map[string]bool{}
	for _, variable := range slices.Backward(append([]string{process.Path}, j.Env...)) {
		if name, _, _ := strings.Cut(variable, "="); !seen[name] {
			seen[name] = true
			env = append(env, variable)
		}
	}
	slices.Reverse(env)
	return env
}

// fields are those of each of the program's entries in the journal.
func (t *transient) fields() [][]byte {
	return [][]byte{
		[]byte("SYSTOLE_RESOURCE=" + t.job.Resource),
		[]byte("SYSTOLE_OPERATION=" + t.job.Operation),
	}
}

// capture keeps what comes through the pipe until output is called.
func (t *transient) capture() {
	defer close(t.captured)
	io.Copy(&t.out, t.read) // until its deadline
}

// output is what was captured when the program has ended, which may have left
// something behind that could write more. It goes to the journal as well.
func (t *transient) output() string {
	if t.read == nil {
		return ""
	}
	t.read.SetReadDeadline(time.Now())
	<-t.captured
	t.drain()
	for line := range strings.Lines(t.out.String()) {
		journal.Send(strings.TrimRight(line, "\n"), journal.PriInfo, map[string]string{
			"SYSLOG_IDENTIFIER": path.Base(t.job.Path), "UNIT": t.name,
			"SYSTOLE_RESOURCE": t.job.Resource, "SYSTOLE_OPERATION": t.job.Operation,
		})
	}
	return t.out.String()
}

// drain takes what the pipe has now.
func (t *transient) drain() {
	t.read.SetReadDeadline(time.Time{})
	raw, err := t.read.SyscallConn()
	if err != nil {
		return
	}
	buffer := make([]byte, process.MostOutput)
	raw.Read(func(fd uintptr) bool {
		n, _ := unix.Read(int(fd), buffer) // which does not block; a pipe has no more than a buffer
		t.out.Write(buffer[:max(n, 0)])
		return true
	})
}

func (t *transient) close() {
	if t.read != nil {
		t.write.Close()
		t.read.Close()
	}
}

// How long the journal may take to tell what a program has said. Its daemon reads
// what comes in within some milliseconds, if it is not busy.
const (
	journalTime  = time.Second
	journalPause = 50 * time.Millisecond
	journalTries = 4
)

// reason is why the program has failed, by its last words in the journal or in
// what was captured.
func (t *transient) reason(captured string) string {
	ctx, cancel := context.WithTimeout(context.Background(), journalTime)
	defer cancel()
	for range journalTries {
		if said := process.Reason(t.journal(ctx)); said != "" {
			return said
		}
		if captured != "" {
			break
		}
		select {
		case <-time.After(journalPause):
		case <-ctx.Done():
		}
	}
	return process.Reason(captured)
}

// journal is the end of what the processes of the unit have written.
func (t *transient) journal(ctx context.Context) string {
	cmd := exec.CommandContext(ctx, "journalctl", "--quiet", "--no-pager", "--output=cat", "--lines=20", "_SYSTEMD_UNIT="+t.name)
	var out bytes.Buffer
	cmd.Stdout = &out
	if process.Start(cmd) != nil || cmd.Wait() != nil {
		return ""
	}
	return out.String()
}

// longestName is what a unit's name may have for the resource: 255 bytes in all,
// less the rest.
const longestName = 180

// jobPrefix begins the names of the units of a resource.
func jobPrefix(resource string) string {
	name := names.UnitNameEscape(resource)
	if len(name) > longestName {
		sum := sha256.Sum256([]byte(resource))
		name = name[:longestName-16] + hex.EncodeToString(sum[:8])
	}
	return "systole-" + name + "-"
}

// jobName is a name that no unit has had before.
func jobName(j process.Job) string {
	var unique [4]byte
	rand.Read(unique[:])
	return jobPrefix(j.Resource) + j.Operation + "-" + hex.EncodeToString(unique[:]) + ".service"
}

// jobOperation reads the operation from the name of a unit of the resource with
// that prefix. Another resource's name may begin with it, too.
func jobOperation(prefix, name string) (operation string, ok bool) {
	rest, ok := strings.CutPrefix(name, prefix)
	operation, _, found := strings.Cut(rest, "-")
	return operation, ok && found && strings.Count(rest, "-") == 1
}
