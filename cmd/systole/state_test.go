package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestGenerationsGrow starts again and again, on a disk that is full at times and
// with a clock that is set back: a peer takes a generation that is not above the
// last for a replay, and hears that node no more.
func TestGenerationsGrow(t *testing.T) {
	dir := t.TempDir()
	now := time.Unix(1_800_000_000, 0)
	obstacle := filepath.Join(dir, "generation.new")
	var last uint64
	for _, start := range []struct {
		name string
		full bool
		step time.Duration // of the clock, before
	}{
		{"the first one", false, 0},
		{"one after a minute", false, time.Minute},
		{"one in the same second", false, 0},
		{"one that the disk does not keep", true, time.Hour},
		{"another one", true, time.Second},
		{"one that it keeps again", false, time.Second},
		{"one with the clock set back", false, -24 * time.Hour},
	} {
		now = now.Add(start.step)
		if start.full { // what is in the way of the new file is no less final than a full disk
			if err := os.MkdirAll(obstacle, 0o755); err != nil {
				t.Fatal(err)
			}
		} else if err := os.RemoveAll(obstacle); err != nil {
			t.Fatal(err)
		}
		next, err := nextGeneration(dir, t.TempDir(), now)
		if (err != nil) != start.full {
			t.Errorf("%s: error %v", start.name, err)
		}
		if next <= last {
			t.Errorf("%s: generation %d after %d", start.name, next, last)
		}
		last = next
	}
}

// TestGenerationsThereAndBack start heartbeat and systole in turns on one
// machine, with a clock that stands still: each counts on from the other.
func TestGenerationsThereAndBack(t *testing.T) {
	ours, theirs := t.TempDir(), t.TempDir()
	file := filepath.Join(theirs, "hb_generation")
	now := time.Unix(1_800_000_000, 0)
	// heartbeat's part: the file's number and one more, the time where there is none
	heartbeat := func() uint64 {
		t.Helper()
		last, err := readGeneration(file)
		if err != nil {
			last = uint64(now.Unix()) - 1
		}
		if err := os.WriteFile(file, fmt.Appendf(nil, "%15d\n", last+1), 0o600); err != nil {
			t.Fatal(err)
		}
		return last + 1
	}
	systole := func() uint64 {
		t.Helper()
		next, err := nextGeneration(ours, theirs, now)
		if err := errors.Join(err, tellHeartbeat(theirs, next)); err != nil {
			t.Fatal(err)
		}
		return next
	}
	last := systole()
	if _, err := os.Stat(file); err == nil {
		t.Error("a file of heartbeat's was made where it has never run")
	}
	now = now.Add(time.Minute)
	for n, start := range []func() uint64{heartbeat, systole, systole, heartbeat, heartbeat, systole, heartbeat} {
		next := start()
		if next <= last {
			t.Errorf("start %d: generation %d after %d", n, next, last)
		}
		last = next
	}
	if text, err := os.ReadFile(file); err != nil || len(text) != 16 {
		t.Errorf("heartbeat's file is %q (%v), want 16 bytes", text, err)
	}
}
