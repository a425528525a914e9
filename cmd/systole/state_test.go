package main

import (
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
		next, err := nextGeneration(dir, now)
		if (err != nil) != start.full {
			t.Errorf("%s: error %v", start.name, err)
		}
		if next <= last {
			t.Errorf("%s: generation %d after %d", start.name, next, last)
		}
		last = next
	}
}
