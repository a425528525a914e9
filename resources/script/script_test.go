package script

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

var soon, write, spec = resourcetest.Soon, resourcetest.Write, resourcetest.Spec

// written is a driver of one script, named script, of resource.d.
func written(t *testing.T, text string) (d *Driver, folder string) {
	t.Helper()
	folder = filepath.Join(t.TempDir(), ResourceFolder)
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if text != "" {
		write(t, filepath.Join(folder, "script"), text, 0o755)
	}
	return New(Folders{folder}, Environment{Node: "alpha", Folder: "/etc/systole"}, &process.Direct{}), folder
}

// TestAScriptIsRunAsHeartbeatRunsIt notes the arguments of each run of a script
// that keeps its state in a file.
func TestAScriptIsRunAsHeartbeatRunsIt(t *testing.T) {
	const keeper = "#!/bin/sh\nfor op; do :; done; dir=$(dirname $0)\necho \"$*\" >>$dir/log\n" +
		"case $op in start) [ ! -e $dir/fails ] && touch $dir/runs ;; stop) rm $dir/runs ;; status) [ -e $dir/runs ] && echo running || { echo stopped; exit 3; } ;; esac\n"
	for _, tt := range []struct {
		name string
		do   func(*Driver, resources.Spec, context.Context) error
		runs bool // before
		log  string
	}{
		{"a start asks for the status first", (*Driver).start, false, "a b status, a b start"},
		{"what runs is not started", (*Driver).start, true, "a b status"},
		{"a stop does not ask", (*Driver).stop, true, "a b stop"},
		{"a stop that fails asks, and what does not run is stopped", (*Driver).stop, false, "a b stop, a b status"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, folder := written(t, keeper)
			if tt.runs {
				write(t, filepath.Join(folder, "runs"), "", 0o644)
			}
			err := tt.do(d, spec(t, "script::a::b"), soon(t))
			log, _ := os.ReadFile(filepath.Join(folder, "log"))
			got := strings.ReplaceAll(strings.TrimSpace(string(log)), "\n", ", ")
			if err != nil || got != tt.log {
				t.Errorf("it was run with %q, %v, want %q", got, err, tt.log)
			}
		})
	}
}

func (d *Driver) start(s resources.Spec, ctx context.Context) error { return d.Start(ctx, s) }
func (d *Driver) stop(s resources.Spec, ctx context.Context) error  { return d.Stop(ctx, s) }

func TestAScriptIsToldOfTheNode(t *testing.T) {
	d, folder := written(t, "#!/bin/sh\n[ $1 = status ] || env >$(dirname $0)/env\n")
	if err := d.Start(soon(t), spec(t, "script")); err != nil {
		t.Fatal(err)
	}
	env, _ := os.ReadFile(filepath.Join(folder, "env"))
	for _, want := range []string{
		"HA_CURHOST=alpha", "HA_CF=/etc/systole/ha.cf", "HA_DIR=" + filepath.Dir(folder), "HA_RESOURCEDIR=" + folder,
		"HA_FUNCS=/etc/ha.d/shellfuncs", "OCF_ROOT=/usr/lib/ocf", "HA_NICEFAILBACK=yes",
	} {
		if !strings.Contains("\n"+string(env), "\n"+want+"\n") {
			t.Errorf("no %s in\n%s", want, env)
		}
	}
	if strings.Contains(string(env), "HA_LOGFACILITY") {
		t.Errorf("what scripts log would not go to the journal:\n%s", env)
	}
}

// TestWhatFails says why, and what does not.
func TestWhatFails(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		op         func(*Driver, resources.Spec, context.Context) error
		err        string
	}{
		{"a start with its last line", "#!/bin/sh\n[ $1 = status ] || { echo no disk >&2; exit 5; }\n", (*Driver).start, "start script: exit status 5: no disk"},
		{"a stop of what still runs", "#!/bin/sh\n[ $1 = status ] && echo running || { echo busy; exit 1; }\n", (*Driver).stop, "stop script: exit status 1: busy"},
		{"no script", "", (*Driver).start, "start script: no script script in "},
		{"a stop without a script, of what was never started", "", (*Driver).stop, ""},
		{"an interpreter that is missing", "#!/nowhere/sh\n", (*Driver).start, "no such file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, _ := written(t, tt.text)
			err := tt.op(d, spec(t, "script"), soon(t))
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("got %v, want %q", err, tt.err)
			}
			if e := (*resources.Error)(nil); err != nil && !errors.As(err, &e) {
				t.Errorf("%T is no resources.Error", err)
			}
		})
	}
}

// TestAScriptWithoutStatus is known by what was done to it.
func TestAScriptWithoutStatus(t *testing.T) {
	for name, text := range map[string]string{
		"that says nothing":  "#!/bin/sh\nexit 0\n",
		"that shows a usage": "#!/bin/sh\ncase $1 in start|stop) ;; *) echo 'Usage: script start|stop'; exit 2 ;; esac\n",
	} {
		t.Run(name, func(t *testing.T) {
			d, _ := written(t, text)
			s := spec(t, "script")
			for _, step := range []struct {
				do   func(resources.Spec, context.Context) error
				want resources.Status
			}{{nil, resources.Stopped}, {d.start, resources.Running}, {d.stop, resources.Stopped}} {
				if step.do != nil {
					if err := step.do(s, soon(t)); err != nil {
						t.Fatal(err)
					}
				}
				if got, err := d.Status(soon(t), s); got != step.want || err != nil {
					t.Errorf("Status: %v, %v, want %v", got, err, step.want)
				}
			}
		})
	}
}

// TestTheScriptOfWhatRunsIsGone: nobody can tell whether it runs, and nobody can
// stop it.
func TestTheScriptOfWhatRunsIsGone(t *testing.T) {
	d, folder := written(t, "#!/bin/sh\nexit 0\n")
	s := spec(t, "script")
	if err := d.Start(soon(t), s); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(folder, "script")); err != nil {
		t.Fatal(err)
	}
	if err := d.Stop(soon(t), s); !errors.Is(err, ErrNoScript) {
		t.Errorf("Stop: %v", err)
	}
	if got, err := d.Status(soon(t), s); got != resources.Unknown || !errors.Is(err, ErrNoScript) {
		t.Errorf("Status: %v, %v", got, err)
	}
}

func TestJudge(t *testing.T) {
	for _, tt := range []struct {
		text string
		want verdict
	}{
		{"nginx is running", runs},
		{"Running", runs},
		{"OK", runs},
		{"INFO: apache Running OK", runs},
		{"nginx is not running", doesNot},
		{"nginx is Not Running", doesNot},
		{"NOT running", doesNot},
		{"not at all\nrunning", doesNot}, // a "not " anywhere before it
		{"cannot be running", doesNot},   // is one
		{"running, not stopped", runs},   // one behind it is none
		{"notrunning", runs},             // nor is one without a blank
		{"OK, but not started", runs},    // nor one before nothing
		{"RUNNING", doesNot},             // no word of Heartbeat's
		{"ok", doesNot},                  // nor is this
		{"stopped", doesNot},             //
		{"dead but pid file exists", doesNot},
		{"is unused\n", doesNot},
		{"", silent},
		{" \n", silent},
		{"Usage: x {start|stop}", silent},
		{"usage: OK", runs}, // by the rules, before anything else
	} {
		if got := judge(tt.text); got != tt.want {
			t.Errorf("judge(%q) is %d, want %d", tt.text, got, tt.want)
		}
	}
}

// FuzzJudge compares the verdict with Heartbeat's patterns, taken apart in
// another way.
func FuzzJudge(f *testing.F) {
	for _, text := range []string{"running", "not running", "OK", "is Not yet Running", "notOK", "Usage", "not \xff\nrunning"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		says := func(text string) bool { return strings.Contains(text, "running") || strings.Contains(text, "Running") }
		negated := false
		for i := range len(text) {
			if i+4 <= len(text) && strings.EqualFold(text[i:i+3], "not") && isASCII(text[i:i+3]) && text[i+3] == ' ' && says(text[i+4:]) {
				negated = true
			}
		}
		want := !negated && (says(text) || strings.Contains(text, "OK"))
		if got := judge(text) == runs; got != want {
			t.Errorf("judge(%q) runs: %v, want %v", text, got, want)
		}
	})
}

// isASCII excludes what EqualFold takes for a letter: the Kelvin sign is a k.
func isASCII(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r > 127 })
}

func TestFind(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	write(t, filepath.Join(first, "plain"), "", 0o644)
	write(t, filepath.Join(second, "plain"), "", 0o755)
	write(t, filepath.Join(first, "both"), "", 0o755)
	write(t, filepath.Join(second, "both"), "", 0o755)
	write(t, filepath.Join(second, "text"), "", 0o644)
	if err := os.Mkdir(filepath.Join(first, "folder"), 0o755); err != nil {
		t.Fatal(err)
	}
	f := Folders{first, second}
	for _, tt := range []struct{ name, want, err string }{
		{"both", filepath.Join(first, "both"), ""},
		{"plain", filepath.Join(second, "plain"), ""}, // the first that may be executed
		{"text", "", "text is not executable: chmod +x"},
		{"folder", "", "no script folder in " + first + ", " + second},
		{"../" + filepath.Base(second) + "/both", "", "no name of a file"},
		{"", "", "no name of a file"},
		{"..", "", "no name of a file"},
	} {
		got, err := f.Find(tt.name)
		if got != tt.want || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("Find(%q): %q, %v, want %q, %v", tt.name, got, err, tt.want, tt.err)
		}
	}
}

func TestFoldersBeside(t *testing.T) {
	for dir, want := range map[string]string{
		"/etc/systole": "/etc/systole/resource.d /etc/ha.d/resource.d /etc/init.d",
		"/etc/ha.d":    "/etc/ha.d/resource.d /etc/init.d",
	} {
		if got := strings.Join(Beside(dir), " "); got != want {
			t.Errorf("beside %s: %s, want %s", dir, got, want)
		}
	}
}

func TestCheck(t *testing.T) {
	for _, tt := range []struct {
		name, text, word string
		mode             os.FileMode
		fatal            bool
		want             string
	}{
		{"a script", "#!/bin/sh\n", "script", 0o755, false, ""},
		{"with an argument for its interpreter", "#! /bin/sh -e\n", "script::x", 0o755, false, ""},
		{"a program", "\x7fELF", "script", 0o755, false, ""},
		{"that anybody may change", "#!/bin/sh\n", "script", 0o777, false, "can be written by others than root"},
		{"without an interpreter", "echo\n", "script", 0o755, true, "no first line that names an interpreter"},
		{"with an empty one", "#!\n", "script", 0o755, true, "names no interpreter"},
		{"with one that is missing", "#!/nowhere/perl -w\n", "script", 0o755, true, "/nowhere/perl"},
		{"from Windows", "#!/bin/sh\r\n", "script", 0o755, true, "Windows"},
		{"that may not be executed", "#!/bin/sh\n", "script", 0o644, true, "chmod +x"},
		{"that is not there", "", "mydb::6380", 0, true, "such as mydb@6380, and name that"},
		{"that is not there, with arguments that are no name", "", "mydb::/srv/db", 0, true, "such as mydb-1, and name that"},
		{"that is not there, without arguments", "", "mydb", 0, true, "install it, or a unit of that name"},
		{"of Heartbeat's, that is not there", "", "Raid1::/etc/raidtab::/dev/md0", 0, true, "it assembles a software RAID"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, folder := written(t, tt.text)
			if tt.text != "" {
				os.Chmod(filepath.Join(folder, "script"), tt.mode)
			}
			got := d.Check(t.Context(), spec(t, tt.word))
			switch {
			case tt.want == "" && got != nil, tt.want != "" && len(got) != 1:
				t.Errorf("Check found %v", got)
			case tt.want != "" && (got[0].Fatal != tt.fatal || !strings.Contains(got[0].Text, tt.want)):
				t.Errorf("Check found %+v, want %q", got[0], tt.want)
			}
		})
	}
}
