package process

import (
	"bytes"
	"context"
	"errors"
	"github.com/systole-ha/systole/resources/resourcetest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

var soon = resourcetest.Soon

// program is a shell script of the test's own.
func program(t *testing.T, script string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// patience is longer than anything here takes on a busy machine.
const patience = 20 * time.Second

func TestHowAProgramEnds(t *testing.T) {
	for _, tt := range []struct {
		name, script string
		job          Job
		want         Result
		err          string
	}{
		{"with 0", "exit 0", Job{}, Result{}, ""},
		{"with another status, and its last line", "echo one; echo two >&2; exit 7", Job{}, Result{Code: 7, Said: "two"}, ""},
		{"with a status that is fine", "echo one; exit 7", Job{Fine: func(code int) bool { return code == 7 }}, Result{Code: 7}, ""},
		{"with a reason before its last line", "echo 'ocf-exit-reason:no disk'; echo bye; exit 1", Job{}, Result{Code: 1, Said: "no disk"}, ""},
		{"with what it printed, and not with what it complained of", "echo one; echo two >&2", Job{Capture: true}, Result{Output: "one\n"}, ""},
		{"having left something behind that could print more", "echo one; sleep 1000 & exit 0", Job{Capture: true}, Result{Output: "one\n"}, ""},
		{"by a signal", "kill -9 $$", Job{}, Result{}, "signal: killed"},
		{"with its arguments as they are", `printf '%s|' "$@"`, Job{Args: []string{"a b", "$HOME", "*"}, Capture: true}, Result{Output: "a b|$HOME|*|"}, ""},
		{"with nothing of our environment", `echo "$SECRET,$A,$PATH" | cut -d: -f1`, Job{Env: []string{"A=b"}, Capture: true}, Result{Output: ",b,/usr/local/sbin\n"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("SECRET", "ours")
			tt.job.Path = program(t, tt.script)
			d := &Direct{}
			got, err := d.Run(soon(t), tt.job)
			if got != tt.want || !says(err, tt.err) {
				t.Errorf("Run:\n got %+v, %v\nwant %+v, %v", got, err, tt.want, tt.err)
			}
		})
	}
}

// says reports whether an error has a text in it, or there is none for none.
func says(err error, text string) bool {
	if text == "" {
		return err == nil
	}
	return err != nil && strings.Contains(err.Error(), text)
}

// TestAProgramThatHangsIsKilled with what it has started.
func TestAProgramThatHangsIsKilled(t *testing.T) {
	for name, script := range map[string]string{
		"at the first signal":  "echo waiting; sleep 1000",
		"at the second signal": "trap '' TERM; echo waiting; sleep 1000 & while :; do wait; done",
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "group")
			ctx, cancel := context.WithCancel(soon(t))
			path := program(t, "echo $$ >"+file+"\n"+script)
			log := &reached{text: "waiting", do: cancel}
			_, err := (&Direct{Log: log}).Run(ctx, Job{Path: path})
			if !errors.Is(err, context.Canceled) || !says(err, "killed, it did not end in time: waiting") {
				t.Errorf("Run said %v", err)
			}
			text, _ := os.ReadFile(file)
			group, err := strconv.Atoi(strings.TrimSpace(string(text)))
			if err != nil {
				t.Fatal(err)
			}
			for began := time.Now(); alive(t, group); {
				if time.Since(began) > patience {
					t.Fatalf("the group of %d still lives", group)
				}
			}
		})
	}
}

// A reached calls do once when a text was written to it.
type reached struct {
	text string
	do   func()
	sync.Once
}

func (r *reached) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte(r.text)) {
		r.Do(r.do)
	}
	return len(p), nil
}

// alive reports whether anything of a process group runs: where no init takes
// over, the dead stay.
func alive(t *testing.T, group int) bool {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range stats {
		text, _ := os.ReadFile(file)
		_, rest, _ := strings.Cut(string(text), ") ")
		words := strings.Fields(rest) // state, parent, group
		if len(words) > 2 && words[2] == strconv.Itoa(group) && words[0] != "Z" {
			return true
		}
	}
	return false
}

// TestWhatWasStarted is known until it is forgotten.
func TestWhatWasStarted(t *testing.T) {
	d := &Direct{}
	started := func(want bool) {
		t.Helper()
		if got, err := d.Started(t.Context(), "a"); got != want || err != nil {
			t.Errorf("Started: %v, %v, want %v", got, err, want)
		}
	}
	run := func(script string, keep bool) {
		t.Helper()
		if _, err := d.Run(soon(t), Job{Resource: "a", Path: program(t, script), Keep: keep}); err != nil {
			t.Fatal(err)
		}
	}
	started(false)
	run("exit 1", true)
	started(false)
	run("exit 0", false)
	started(false)
	run("exit 0", true)
	started(true)
	if err := d.Forget(t.Context(), "a"); err != nil {
		t.Error(err)
	}
	started(false)
}

// away is a Runner that cannot be reached, or fails.
type away struct{ err error }

func (a away) Run(context.Context, Job) (Result, error)          { return Result{}, a.err }
func (a away) Started(context.Context, string) (bool, error)     { return false, a.err }
func (a away) Forget(ctx context.Context, resource string) error { return a.err }

// TestTheSecondWay is gone when the first is not there, and only then: what may
// have been started is not started again.
func TestTheSecondWay(t *testing.T) {
	path := program(t, "exit 3")
	unavailable := errors.Join(errors.New("no bus"), ErrUnavailable)
	for _, tt := range []struct {
		name  string
		first error
		want  int
	}{
		{"where the first is not there", unavailable, 3},
		{"not where the first has failed", errors.New("lost"), 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var told error
			f := Fallback{First: away{tt.first}, Second: &Direct{}, Report: func(_ Job, why error) { told = why }}
			got, err := f.Run(soon(t), Job{Path: path})
			if got.Code != tt.want || (told != nil) != (tt.want != 0) || (err == nil) != (tt.want != 0) {
				t.Errorf("Run: %+v, %v, was told %v", got, err, told)
			}
		})
	}
	f := Fallback{First: away{unavailable}, Second: &Direct{}}
	if err := f.Forget(t.Context(), "a"); err != nil {
		t.Error("what cannot be reached has nothing to forget:", err)
	}
	if _, err := f.Started(t.Context(), "a"); !errors.Is(err, ErrUnavailable) {
		t.Error("what cannot be reached may know of a start:", err)
	}
}

func TestReason(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"nothing", "", ""},
		{"the last line that says something", "one\ntwo\n \n", "two"},
		{"what is marked as such", "ocf-exit-reason:old\nocf-exit-reason: new \nbye\n", "new"},
		{"a mark in the middle of a line is none", "see ocf-exit-reason:x\n", "see ocf-exit-reason:x"},
		{"no bytes that are no text", "a\xff\n", "a?"},
		{"shortened", strings.Repeat("ä", 150), strings.Repeat("ä", 100) + "…"},
	} {
		if got := Reason(tt.text); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestProgramsDieLikeOthers gives this process a place of its own among those that
// the kernel kills when memory runs out, which its programs do not inherit. A
// worse one than that of others, since anybody may ask for that.
func TestProgramsDieLikeOthers(t *testing.T) {
	own := "/proc/self/oom_score_adj"
	before, err := os.ReadFile(own)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(own, []byte("100"), 0); err != nil {
		t.Fatal(err)
	}
	defer os.WriteFile(own, before, 0)
	path := program(t, "until [ $(cat /proc/self/oom_score_adj) = 0 ]; do sleep 0.1; done")
	if _, err := (&Direct{}).Run(soon(t), Job{Path: path}); err != nil {
		t.Errorf("the program is spared like its parent: %v", err)
	}
}
