package journal

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	sdjournal "github.com/coreos/go-systemd/v22/journal"

	"github.com/systole-ha/systole/agent/event"
)

// A journald is as it is set, and remembers what it was sent.
type journald struct {
	mu       sync.Mutex
	present  bool
	err      error
	hold     chan struct{} // where not nil, every entry waits for it
	looked   int
	messages []string
	entries  []map[string]string
}

func (j *journald) enabled() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.looked++
	return j.present
}

func (j *journald) send(message string, priority sdjournal.Priority, fields map[string]string) error {
	j.mu.Lock()
	hold := j.hold
	j.mu.Unlock()
	if hold != nil {
		<-hold
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err != nil {
		return j.err
	}
	j.messages = append(j.messages, fmt.Sprintf("%d %s", priority, message))
	j.entries = append(j.entries, fields)
	return nil
}

// become changes what the journald is.
func (j *journald) become(change func(*journald)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	change(j)
}

// paper takes lines, or does not.
type paper struct {
	lines strings.Builder
	err   error
}

func (p *paper) Write(b []byte) (int, error) {
	if p.err != nil {
		return 0, p.err
	}
	return p.lines.Write(b)
}

// reports are what the journal had to say of itself.
type reports struct {
	mu   sync.Mutex
	list []string
}

func (r *reports) take(dropped uint64, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, fmt.Sprintf("%d dropped, %v", dropped, err))
}

// all waits until the journal has nothing more to do for now.
func (r *reports) all() []string {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.list
}

// total is what all reports add up to; each gives err as the reason.
func (r *reports) total(t *testing.T, err string) int {
	t.Helper()
	total := 0
	for _, s := range r.all() {
		count, reason, _ := strings.Cut(s, " dropped, ")
		n, _ := strconv.Atoi(count)
		if total += n; reason != err {
			t.Errorf("said %q, want the reason %s", s, err)
		}
	}
	return total
}

func up(n uint64) event.Record {
	return event.Record{Sequence: n, Time: noon, Event: event.LinkUp{Peer: "alpha", Link: "eth0"}}
}

func closed(t *testing.T, j *Journal) {
	t.Helper()
	if err := j.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestRecordsBecomeEntriesInOrder(t *testing.T) {
	d := &journald{present: true}
	j := start(Config{}, d.enabled, d.send)
	j.Record(record(event.PeerDead{Peer: "alpha", Silence: time.Second, Deadtime: time.Second}))
	j.Record(record(event.HeartbeatReceived{Peer: "alpha"})) // a sample
	j.Record(record(event.ResourceOperation{Resource: "nginx", Operation: "start", Result: "ok", Took: time.Second}))
	closed(t, j)
	want := "2 peer alpha is dead: silent for 1s, deadtime 1s\n6 start of nginx took 1s"
	if got := strings.Join(d.messages, "\n"); got != want {
		t.Errorf("entries\n got %s\nwant %s", got, want)
	}
	if d.looked != 1 {
		t.Errorf("journald was looked for %d times, want once", d.looked)
	}
}

func TestAJournaldThatHangsCostsOnlyRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &journald{present: true, hold: make(chan struct{})}
		var said reports
		j := start(Config{Report: said.take}, d.enabled, d.send)
		j.Record(up(1))
		synctest.Wait() // the writer hangs with it
		began := time.Now()
		j.Record(record(event.PeerDead{Peer: "alpha"}))
		for n := range uint64(2000) {
			j.Record(up(n))
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("the loop waited for %v", took)
		}
		if j.Waiting() != depth || j.Dropped() != 2001-depth {
			t.Errorf("%d wait and %d were dropped, want %d and %d", j.Waiting(), j.Dropped(), depth, 2001-depth)
		}
		if got := said.all(); len(got) != 1 {
			t.Errorf("said %q, want one report", got)
		}
		j.Record(up(1))
		time.Sleep(time.Minute - time.Second)
		if got := said.all(); len(got) != 1 {
			t.Errorf("said %q within a minute, want one report", got)
		}
		time.Sleep(2 * time.Second)
		total := said.total(t, "<nil>")
		if got := said.all(); len(got) != 2 || total != 2002-depth {
			t.Errorf("said %q, want two reports of %d in all", got, 2002-depth)
		}
		close(d.hold)
		closed(t, j)
		if len(d.messages) != depth+1 || !strings.HasPrefix(d.messages[1], "2 peer alpha is dead") {
			t.Errorf("%d entries, want %d, and the critical one among them", len(d.messages), depth+1)
		}
	})
}

func TestAMissingJournaldIsLookedForAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, lines := &journald{}, &paper{}
		j := start(Config{Fallback: lines}, d.enabled, d.send)
		j.Record(up(1))
		synctest.Wait()
		d.become(func(d *journald) { d.present = true })
		time.Sleep(lookAgain - time.Second)
		j.Record(up(2))
		synctest.Wait()
		time.Sleep(time.Second)
		j.Record(up(3))
		closed(t, j)
		if got := strings.Count(lines.lines.String(), "event=link.up"); got != 2 || len(d.messages) != 1 {
			t.Errorf("%d lines and %d entries, want 2 and 1:\n%s", got, len(d.messages), lines.lines.String())
		}
	})
}

func TestAJournaldThatFailsLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, lines := &journald{present: true, err: syscall.ECONNREFUSED}, &paper{}
		var said reports
		j := start(Config{Fallback: lines, Report: said.take}, d.enabled, d.send)
		for n := range uint64(100) {
			j.Record(up(n))
		}
		closed(t, j)
		if got := strings.Count(lines.lines.String(), "event=link.up"); got != 100 || j.Dropped() != 0 {
			t.Errorf("%d lines and %d dropped, want 100 and 0", got, j.Dropped())
		}
		if total := said.total(t, "journald: connection refused"); total != 0 || len(said.all()) == 0 {
			t.Errorf("said %q", said.all())
		}
	})
}

func TestWhatNobodyTakesIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said reports
		j := start(Config{Fallback: &paper{err: errors.New("no space left on device")}, Report: said.take}, new(journald).enabled, nil)
		j.Record(up(1))
		j.Record(up(2))
		closed(t, j)
		if total := said.total(t, "fallback of the journal: no space left on device"); j.Dropped() != 2 || total != 2 {
			t.Errorf("%d dropped, %d told, want 2 and 2", j.Dropped(), total)
		}
	})
}

func TestCloseDoesNotWaitForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &journald{present: true, hold: make(chan struct{})}
		j := start(Config{}, d.enabled, d.send)
		j.Record(up(1))
		synctest.Wait()
		j.Record(up(2))
		j.Record(up(3))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := j.Close(ctx)
		if want := "journal: 2 records were not written: context deadline exceeded"; err == nil || err.Error() != want {
			t.Errorf("Close: %v, want %s", err, want)
		}
		close(d.hold)
	})
}

func TestSamplesCostNothing(t *testing.T) {
	j := start(Config{}, new(journald).enabled, nil)
	r := record(event.HeartbeatReceived{Peer: "alpha"})
	if got := testing.AllocsPerRun(1000, func() { j.Record(r) }); got != 0 {
		t.Errorf("a heartbeat allocates %v times", got)
	}
	closed(t, j)
}
