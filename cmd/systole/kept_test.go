package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/systole-ha/systole/agent/config"
	"github.com/systole-ha/systole/exporters/metrics"
)

func keptIn(dir string) *kept {
	d := &daemon{cfg: &config.Config{StateDir: dir}, log: slog.New(slog.DiscardHandler)}
	return d.openKept()
}

// ended is a context that is over: run writes what waits, and returns.
func ended() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

func TestTheNewestTakeoverIsKept(t *testing.T) {
	dir := t.TempDir()
	k := keptIn(dir)
	if !reflect.DeepEqual(k.memory, metrics.Memory{}) {
		t.Errorf("at first there is %+v", k.memory)
	}
	want := metrics.Memory{
		Ended: time.Date(2026, 11, 21, 12, 0, 0, 123456789, time.UTC), Took: 1234567 * time.Nanosecond,
		Phases: map[string]time.Duration{"silence": 10 * time.Second}, Trace: "4fa158557a6baac3e206ed1b900945e6",
		Standby: time.Date(2026, 11, 21, 11, 0, 0, 0, time.UTC),
	}
	k.put(metrics.Memory{Took: time.Hour}) // nobody was there to write it
	k.put(want)
	k.run(ended())
	if got := keptIn(dir).memory; !reflect.DeepEqual(got, want) {
		t.Errorf("after a restart\n got %+v\nwant %+v", got, want)
	}
	k.put(metrics.Memory{Ended: want.Ended})
	k.run(ended())
	if got := keptIn(dir).memory; !got.Standby.IsZero() {
		t.Errorf("the end of a standby is not kept: %+v", got)
	}
}

// TestWhatIsKeptIsNoCondition: neither a damaged file nor a missing folder keep
// a daemon from starting, or from going on.
func TestWhatIsKeptIsNoCondition(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "takeover.json"), []byte(`{"takeover_took_ns":7,`), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := keptIn(dir).memory; !reflect.DeepEqual(got, metrics.Memory{}) {
		t.Errorf("half a file says %+v", got)
	}
	nowhere := keptIn(filepath.Join(dir, "nowhere"))
	for range 3 {
		nowhere.put(metrics.Memory{Took: time.Second}) // must not wait
	}
	nowhere.run(ended())
}
