package recorder

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/systole-ha/systole/agent/event"
)

var epoch = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// running is a Recorder that runs until the test ends, and what it tells.
func running(t *testing.T, dir string) (*Recorder, <-chan event.RecorderDumped) {
	t.Helper()
	told := make(chan event.RecorderDumped, 16)
	r, err := New(Config{Dir: dir, Slow: 30 * time.Second, Note: func(e event.Event) { told <- e.(event.RecorderDumped) }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	return r, told
}

func next(t *testing.T, told <-chan event.RecorderDumped) event.RecorderDumped {
	t.Helper()
	select {
	case e := <-told:
		return e
	case <-time.After(20 * time.Second):
		t.Fatal("no dump is told of")
		return event.RecorderDumped{}
	}
}

// TestWhatIsDumped shows each event to a Recorder that never wrote before.
func TestWhatIsDumped(t *testing.T) {
	for _, tt := range []struct {
		name  string
		event event.Event
		want  string // the trigger; empty for none
	}{
		{"a loop that was held up", event.AgentLate{Late: time.Second, Held: true}, Stall},
		{"one that was only late", event.AgentLate{Late: 50 * time.Millisecond}, ""},
		{"a peer that was not dead", event.PeerFalseDeath{}, FalseDeath},
		{"one that was", event.PeerDead{}, ""},
		{"a group that did not come up", event.TakeoverFailed{}, TakeoverFailed},
		{"a takeover of more than 30 s", event.TakeoverCompleted{Took: 30*time.Second + 1}, TakeoverSlow},
		{"one of just that", event.TakeoverCompleted{Took: 30 * time.Second}, ""},
		{"a heartbeat", event.HeartbeatReceived{}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := &Recorder{cfg: Config{Slow: 30 * time.Second}, wanted: make(chan string, 1)}
			r.Record(event.Record{Time: epoch, Event: tt.event})
			got := ""
			select {
			case got = <-r.wanted:
			default:
			}
			if got != tt.want {
				t.Errorf("trigger %q, want %q", got, tt.want)
			}
		})
	}
}

// TestOnceAMinute: what goes wrong goes wrong again.
func TestOnceAMinute(t *testing.T) {
	r := &Recorder{wanted: make(chan string, 1)}
	asked := func(at time.Duration) bool {
		r.Record(event.Record{Time: epoch.Add(at), Event: event.PeerFalseDeath{}})
		select {
		case <-r.wanted:
			return true
		default:
			return false
		}
	}
	for _, tt := range []struct {
		at   time.Duration
		want bool
	}{{0, true}, {dumpEvery - 1, false}, {dumpEvery, true}, {dumpEvery + time.Second, false}} {
		if got := asked(tt.at); got != tt.want {
			t.Errorf("at %v: %v, want %v", tt.at, got, tt.want)
		}
	}
	// Nobody takes the first away, and still nothing waits.
	r.Ask()
	r.Ask()
	r.Record(event.Record{Time: epoch.Add(time.Hour), Event: event.PeerFalseDeath{}})
}

// TestDumps: each is a trace that Go's tools read, and five are kept.
func TestDumps(t *testing.T) {
	dir := t.TempDir()
	r, told := running(t, dir)
	var newest string
	for range dumpsKept + 2 {
		r.Ask()
		e := next(t, told)
		if e.Trigger != Request || e.Error != "" || e.Path == newest || filepath.Dir(e.Path) != dir {
			t.Fatalf("%+v", e)
		}
		newest = e.Path
		text, err := os.ReadFile(e.Path)
		if err != nil || len(text) != e.Size || !bytes.HasPrefix(text, []byte("go 1.")) {
			t.Fatalf("%d bytes, told %d, %v", len(text), e.Size, err)
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) != dumpsKept || files[len(files)-1] != newest {
		t.Errorf("%v, %v; want the newest %d", files, err, dumpsKept)
	}
}

// TestNoPlace: a folder that cannot be written is told of, and that is all.
func TestNoPlace(t *testing.T) {
	r, told := running(t, filepath.Join(t.TempDir(), "nowhere"))
	for range 2 {
		r.Ask()
		if e := next(t, told); !strings.Contains(e.Error, "no such file or directory") || e.Size != 0 {
			t.Errorf("%+v", e)
		}
	}
}

// TestOneInAProcess is what the runtime promises.
func TestOneInAProcess(t *testing.T) {
	running(t, t.TempDir())
	if _, err := New(Config{}); err == nil {
		t.Error("there are two")
	}
}
