package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/systole-ha/systole/agent/config"
	"github.com/systole-ha/systole/agent/core"
	"github.com/systole-ha/systole/agent/memory"
	"github.com/systole-ha/systole/agent/takeover"
)

func remembering(t *testing.T, deadtime time.Duration) *daemon {
	t.Helper()
	c := &config.Config{Self: "alpha", Deadtime: deadtime, ControlSocket: filepath.Join(t.TempDir(), "control.sock")}
	return &daemon{cfg: c, log: slog.New(slog.DiscardHandler)}
}

// leave has a daemon write down that it holds a group, and end.
func (d *daemon) leave(beaten time.Time) *remembrance {
	r := d.newRemembrance()
	r.put(core.Memory{Memory: takeover.Memory{Groups: []takeover.Left{{Group: "web", Resources: []string{"web"}}}}}, beaten)
	r.put(core.Memory{Memory: takeover.Memory{Groups: []takeover.Left{{Group: "web", Resources: []string{"web"}, Aim: takeover.AimHold, Holds: true}}}}, beaten)
	r.run(ended())
	return r
}

func TestTheNextDaemonRecalls(t *testing.T) {
	d := remembering(t, time.Minute)
	if got := d.recall(); got != nil {
		t.Errorf("the first daemon recalls %+v", got)
	}
	r := d.leave(time.Now())
	got := d.recall()
	if got == nil || len(got.Groups) != 1 || got.Groups[0].Aim != takeover.AimHold {
		t.Errorf("the next daemon recalls %+v, want the newest that was left", got)
	}
	if !holdsAny(r.last) {
		t.Errorf("the daemon itself does not know that it leaves something: %+v", r.last)
	}
	entries, err := os.ReadDir(filepath.Dir(d.cfg.ControlSocket))
	if err != nil || len(entries) != 1 || entries[0].Name() != memory.Name {
		t.Errorf("in its folder are %v, %v, want %s alone", entries, err, memory.Name)
	}
}

func TestWhatIsOldIsNotRecalled(t *testing.T) {
	d := remembering(t, time.Minute)
	d.leave(time.Now().Add(-time.Minute))
	if got := d.recall(); got != nil {
		t.Errorf("a deadtime later a daemon recalls %+v", got)
	}
	if _, err := readMemory(memoryPath(d.cfg), ""); err != nil {
		t.Errorf("and systole release cannot read it: %v", err)
	}
}

// TestWhatCannotBeWrittenIsSaidOnce wants a daemon without its folder to go on.
func TestWhatCannotBeWrittenIsSaidOnce(t *testing.T) {
	d := remembering(t, time.Minute)
	d.cfg.ControlSocket = filepath.Join(d.cfg.ControlSocket, "nowhere", "control.sock")
	if r := d.leave(time.Now()); !r.failed {
		t.Errorf("written to a folder that there is not")
	}
}

func TestLeavingSomethingIsAFailedStop(t *testing.T) {
	held := memory.File{Memory: core.Memory{Memory: takeover.Memory{Groups: []takeover.Left{{Group: "web", Holds: true}}}}}
	for _, tt := range []struct {
		name     string
		left     memory.File
		restarts bool
		want     error
	}{
		{"a stop that released everything", memory.File{}, false, nil},
		{"a stop that did not", held, false, errLeft},
		{"a restart", held, true, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := remembering(t, time.Minute)
			d.restarts.Store(tt.restarts)
			if got := d.leaveNothing(tt.left); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// TestARestartWaitsForNobody has a disk, or a collector, that hangs.
func TestARestartWaitsForNobody(t *testing.T) {
	d := remembering(t, time.Minute)
	d.restarts.Store(true)
	hangs := make(chan struct{})
	defer close(hangs)
	began := time.Now()
	d.wait(func() { <-hangs })
	if took := time.Since(began); took < closing || took > closing+5*time.Second {
		t.Errorf("waited for %v, want %v", took, closing)
	}
}
