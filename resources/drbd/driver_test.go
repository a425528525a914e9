package drbd

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/systole-ha/systole/resources"
	"github.com/systole-ha/systole/resources/process"
	"github.com/systole-ha/systole/resources/resourcetest"
)

var spec, text, ok = resourcetest.Spec, resourcetest.Text, resourcetest.OK

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		name, word string
		want       Disk
		err        string
	}{
		{name: "a resource", word: "drbddisk::r0", want: Disk{Resource: "r0"}},
		{name: "the word of DRBD 0.6", word: "datadisk::drbd0", want: Disk{Resource: "drbd0"}},
		{name: "all there are", word: "drbddisk", want: Disk{Resource: "all"}},
		{name: "one upon another", word: "drbdupper::r0-U", want: Disk{Resource: "r0-U", Stacked: true}},
		{name: "all of those", word: "drbdupper", err: "drbdupper needs the name of a stacked DRBD resource, as in drbdupper::r0-U"},
		{name: "all of those in so many words", word: "drbdupper::all", err: "drbdupper needs the name of a stacked DRBD resource, as in drbdupper::r0-U"},
		{name: "two", word: "drbddisk::r0::r1", err: "drbddisk takes one argument, the name of a DRBD resource, as in drbddisk::r0; for another write another drbddisk"},
		{name: "none", word: "drbddisk::", err: `"" is not the name of a DRBD resource, as in drbddisk::r0`},
		{name: "an option", word: "drbddisk::--force", err: `"--force" is not the name of a DRBD resource, as in drbddisk::r0`},
		{name: "what ends a name", word: "drbddisk::r0;", err: `"r0;" is not the name of a DRBD resource, as in drbddisk::r0`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, err := Parse(spec(t, tt.word)); err == nil && got != tt.want || text(err) != tt.err {
				t.Errorf("Parse(%s):\n got %v, %q\nwant %v, %q", tt.word, got, text(err), tt.want, tt.err)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, word := range []string{"drbddisk", "datadisk::r0", "drbdupper::r0-U"} {
		f.Add(word)
	}
	f.Fuzz(func(t *testing.T, word string) {
		s, err := resources.ParseSpec(word)
		if err != nil {
			return
		}
		if d, err := Parse(s); err == nil && (d.Resource == "" || d.Resource[0] == '-' || strings.ContainsAny(d.Resource, " \n\t")) {
			t.Errorf("Parse(%q) = %v", word, d)
		}
	})
}

func FuzzReadRoles(f *testing.F) {
	f.Add("Primary/Secondary\n")
	f.Add("warning\nSecondary\nPrimary\n")
	f.Fuzz(func(t *testing.T, output string) {
		if status, err := readRoles(output); err == nil && status == resources.Running && !strings.Contains(output, "Primary") {
			t.Errorf("readRoles(%q) = %v", output, status)
		}
		complaint(output)
	})
}

// play gives a driver whose drbdadm plays a tape.
func play(t *testing.T, tape string) *Driver {
	t.Helper()
	dir := t.TempDir()
	for from, to := range map[string]string{"drbdadm": "drbdadm", tape + ".tape": "tape"} {
		b, err := os.ReadFile(filepath.Join("testdata", from))
		ok(t, err)
		ok(t, os.WriteFile(filepath.Join(dir, to), b, 0o700))
	}
	d := New(&process.Direct{})
	d.tool, d.proc = filepath.Join(dir, "drbdadm"), filepath.Join(dir, "tape")
	d.starts, d.stops = 3, 3
	t.Cleanup(func() {
		tape, err := os.ReadFile(filepath.Join(dir, "tape"))
		ok(t, err)
		step, _ := os.ReadFile(filepath.Join(dir, "tape.step"))
		if got, want := strings.TrimSpace(string(step)), strings.Count(string(tape), "\n$ "); got != itoa(want) {
			t.Errorf("%s of the %d calls on the tape were made", got, want)
		}
	})
	return d
}

func itoa(n int) string { return string(rune('0' + n)) } // tapes are short

// A step is one operation and what is expected of it.
type step struct {
	op     string
	status resources.Status
	err    string // a part of it
}

func TestTapes(t *testing.T) {
	for _, tt := range []struct {
		name, word, tape string
		steps            []step
	}{
		{
			name: "a role is taken and given up", word: "drbddisk::r0", tape: "takes-the-role",
			steps: []step{{op: "start"}, {op: "status", status: resources.Running}, {op: "stop"}, {op: "status", status: resources.Stopped}},
		},
		{
			name: "with DRBD 9 too", word: "datadisk::r0", tape: "takes-the-role-9",
			steps: []step{{op: "start"}, {op: "status", status: resources.Running}, {op: "stop"}, {op: "status", status: resources.Stopped}},
		},
		{
			name: "a peer that gives up the role a moment later is waited for", word: "drbddisk::r0", tape: "peer-still-primary",
			steps: []step{{op: "start"}},
		},
		{
			name: "a peer that does not is not waited for without end", word: "drbddisk::r0", tape: "peer-stays-primary",
			steps: []step{{op: "start", err: "start drbddisk::r0: exit status 11: r0: State change failed: (-1) Multiple primaries not allowed by config"}},
		},
		{
			name: "nor are data that do not come", word: "drbddisk::r0", tape: "no-data",
			steps: []step{{op: "start", err: "start drbddisk::r0: exit status 17: r0: State change failed: (-2) Need access to UpToDate data " +
				"(its data here are not known to be up to date, and those of the peer cannot be reached)"}},
		},
		{
			name: "a device that is in use stays primary", word: "drbddisk::r0", tape: "held-open",
			steps: []step{{op: "stop", err: "stop drbddisk::r0: exit status 11: 0: State change failed: (-12) Device is held open by someone"}},
		},
		{
			name: "a resource that is not defined fails at once", word: "drbddisk::nosuch", tape: "not-defined",
			steps: []step{
				{op: "start", err: "start drbddisk::nosuch: exit status 1: 'nosuch' not defined in your config (for this host). (is it in /etc/drbd.d on this node?)"},
				{op: "status", err: "status drbddisk::nosuch: exit status 1: 'nosuch' not defined in your config (for this host). (is it in /etc/drbd.d on this node?)"},
			},
		},
		{
			name: "a module that cannot be loaded", word: "drbddisk::r0", tape: "no-module",
			steps: []step{
				{op: "start", err: "start drbddisk::r0: exit status 20: Failed to modprobe drbd (No such file or directory) (is the kernel module loaded?)"},
				{op: "status", err: "status drbddisk::r0: exit status 20: Failed to modprobe drbd (No such file or directory) (is the kernel module loaded?)"},
			},
		},
		{
			name: "a resource that is not up is stopped", word: "drbddisk::r0", tape: "not-up-9",
			steps: []step{
				{op: "status", status: resources.Stopped}, {op: "stop"},
				{op: "start", err: `start drbddisk::r0: exit status 10: r0: Failure: (158) Unknown resource (is it up? run "drbdadm up")`},
			},
		},
		{
			name: "with DRBD 8.4 too", word: "drbddisk::r0", tape: "not-up-84",
			steps: []step{
				{op: "status", status: resources.Stopped}, {op: "stop"}, {op: "status", status: resources.Stopped},
				{op: "start", err: `start drbddisk::r0: exit status 10: 0: Failure: (127) Device minor not allocated (is it up? run "drbdadm up")`},
			},
		},
		{
			name: "of all, each must have the role", word: "drbddisk", tape: "all-of-them",
			steps: []step{{op: "status", status: resources.Failed}, {op: "start"}, {op: "status", status: resources.Running}},
		},
		{
			name: "a stacked resource comes up upon the one below", word: "drbdupper::r0-U", tape: "stacked",
			steps: []step{{op: "start"}, {op: "status", status: resources.Running}, {op: "stop"}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := play(t, tt.tape)
			s := spec(t, tt.word)
			for _, step := range tt.steps {
				var got resources.Status
				var err error
				switch step.op {
				case "start":
					err = d.Start(t.Context(), s)
				case "stop":
					err = d.Stop(t.Context(), s)
				case "status":
					got, err = d.Status(t.Context(), s)
				}
				if got != step.status || text(err) != step.err {
					t.Errorf("%s:\n got %v, %s\nwant %v, %s", step.op, got, text(err), step.status, step.err)
				}
			}
		})
	}
}

// TestKernelWithoutDRBD needs no drbdadm to know that nothing has a role.
func TestKernelWithoutDRBD(t *testing.T) {
	d := New(&process.Direct{})
	d.tool, d.proc = "/nonexistent/drbdadm", "/nonexistent/drbd"
	for _, word := range []string{"drbddisk::r0", "drbdupper::r0-U"} {
		s := spec(t, word)
		if got, err := d.Status(t.Context(), s); got != resources.Stopped || err != nil {
			t.Errorf("status of %s: got %v, %v; want stopped", word, got, err)
		}
		if err := d.Stop(t.Context(), s); err != nil {
			t.Errorf("stop of %s: %v", word, err)
		}
		if err := d.Start(t.Context(), s); err == nil {
			t.Errorf("start of %s: no error", word)
		}
	}
	want := resources.Finding{Fatal: true, Text: "there is no /nonexistent/drbdadm: is drbd-utils installed?"}
	if got := d.Check(t.Context(), spec(t, "drbddisk::r0")); len(got) != 1 || got[0] != want {
		t.Errorf("check: got %v, want %v", got, want)
	}
}

func TestCheck(t *testing.T) {
	for _, tt := range []struct{ name, word, tape, want string }{
		{"a resource that is not defined", "drbddisk::nosuch", "check-not-defined", "drbdadm does not know nosuch: exit status 1: 'nosuch' not defined in your config (for this host). (is it in /etc/drbd.d on this node?)"},
		{"one that is", "drbddisk::r0", "check-fine", ""},
		{"one that is not up", "drbddisk::r0", "check-not-up", `r0 is not up: run "systemctl enable --now drbd"`},
		{"one that is upon another", "drbdupper::r0-U", "check-stacked", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			for _, f := range play(t, tt.tape).Check(t.Context(), spec(t, tt.word)) {
				got += f.Text
			}
			if got != tt.want {
				t.Errorf("Check(%s):\n got %s\nwant %s", tt.word, got, tt.want)
			}
		})
	}
}

// TestTriesEndWithTheContext is for a takeover that is called off.
func TestTriesEndWithTheContext(t *testing.T) {
	d := play(t, "one-refusal")
	ctx, cancel := context.WithCancel(t.Context())
	d.runner = lastOne{d.runner, cancel}
	if err := d.Start(ctx, spec(t, "drbddisk::r0")); !errors.Is(err, context.Canceled) || !strings.Contains(text(err), "Multiple primaries") {
		t.Errorf("got %v, want the end of the context and the last refusal", err)
	}
}

// A lastOne cancels what it runs something for when that is done.
type lastOne struct {
	process.Runner
	cancel context.CancelFunc
}

func (l lastOne) Run(ctx context.Context, j process.Job) (process.Result, error) {
	defer l.cancel()
	return l.Runner.Run(ctx, j)
}
