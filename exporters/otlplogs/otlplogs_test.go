package otlplogs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	sdklog "go.opentelemetry.io/otel/sdk/log"

	"github.com/systole-ha/systole/agent/event"
)

var reporter = Config{Cluster: "web", Node: "beta", Version: "0.1.0", InstanceID: "a1a0"}

// A receiver takes batches, or does what it is told instead.
type receiver struct {
	mu       sync.Mutex
	answer   func(context.Context) error // nil to take them
	batches  [][]string                  // event names
	attempts []time.Time
}

func (r *receiver) Export(ctx context.Context, records []sdklog.Record) error {
	r.mu.Lock()
	r.attempts = append(r.attempts, time.Now())
	answer := r.answer
	r.mu.Unlock()
	if answer != nil {
		return answer(ctx)
	}
	var names []string
	for i := range records {
		names = append(names, records[i].EventName())
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.batches = append(r.batches, names)
	return nil
}

func (r *receiver) Shutdown(context.Context) error { return nil }

func (r *receiver) become(answer func(context.Context) error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

func (r *receiver) taken() [][]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.batches)
}

func hangs(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func telling(report func(uint64, error)) Config {
	cfg := reporter
	cfg.Report = report
	return cfg
}

func open(t *testing.T, r *receiver, report func(uint64, error)) *Logs {
	t.Helper()
	l, err := start(telling(report), r)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func tell(l *Logs, events ...event.Event) {
	for _, e := range events {
		l.Record(event.Record{Sequence: 42, Time: time.Now(), Cluster: "web", Node: "beta", Event: e})
	}
}

func end(t *testing.T, l *Logs) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := l.Close(ctx); err != nil {
		t.Errorf("Close: %v", err)
	}
}

func TestRecordsGoInBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{}
		l := open(t, r, nil)
		tell(l, event.PeerDead{}, event.HeartbeatReceived{}, event.TakeoverStarted{})
		time.Sleep(linger - time.Millisecond)
		if got := r.taken(); len(got) != 0 || l.Waiting() != 2 {
			t.Errorf("before the moment is over %v were sent, %d wait", got, l.Waiting())
		}
		time.Sleep(2 * time.Millisecond)
		tell(l, event.TakeoverCompleted{})
		for range batchMost {
			tell(l, event.LinkUp{})
		}
		synctest.Wait()
		if got := r.taken(); len(got) != 2 || len(got[1]) != batchMost {
			t.Errorf("a whole batch waits: %d were sent", len(got))
		}
		end(t, l)
		got := r.taken()
		if len(got) != 3 || !slices.Equal(got[0], []string{"peer.dead", "takeover.started"}) || !slices.Equal(got[2], []string{"link.up"}) {
			t.Errorf("sent: %v", got)
		}
	})
}

func TestAHangingCollectorCostsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{answer: hangs}
		reports := make(chan string, 10)
		l := open(t, r, func(dropped uint64, err error) { reports <- fmt.Sprint(dropped, " ", err) })
		began := time.Now()
		for range 2 * depth {
			tell(l, event.GroupStateChanged{}, event.HeartbeatSent{})
		}
		tell(l, event.PeerDead{})
		if took := time.Since(began); took != 0 {
			t.Errorf("Record took %v", took)
		}
		time.Sleep(time.Minute)
		if got := <-reports; got == "" {
			t.Error("nothing was reported")
		}
		if dropped, waiting := l.Dropped(), l.Waiting(); dropped < depth-batchMost || dropped+uint64(waiting) != 2*depth+1 {
			t.Errorf("%d were dropped, %d wait", dropped, waiting)
		}
		r.become(nil)
		time.Sleep(pauseMost + exportTimeout)
		synctest.Wait()
		all := slices.Concat(r.taken()...)
		if n := len(all); l.Waiting() != 0 || n < depth || all[n-1] != "peer.dead" {
			t.Errorf("%d wait, %d were sent, peer.dead not last", l.Waiting(), n)
		}
		end(t, l)
	})
}

func TestPausesGrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{answer: func(context.Context) error { return errors.New("connection refused") }}
		l := open(t, r, nil)
		tell(l, event.LinkUp{})
		time.Sleep(keptMost / 2)
		r.mu.Lock()
		n := len(r.attempts)
		last := r.attempts[n-1].Sub(r.attempts[n-2])
		r.mu.Unlock()
		if n < 30 || n > 70 || last < pauseMost/2 || last > pauseMost {
			t.Errorf("%d attempts in %v, %v between the last two", n, keptMost/2, last)
		}
		if l.Dropped() != 0 {
			t.Errorf("%d were dropped", l.Dropped())
		}
		time.Sleep(keptMost)
		if l.Dropped() != 1 || l.Waiting() != 0 {
			t.Errorf("after %v %d were dropped, %d wait", keptMost, l.Dropped(), l.Waiting())
		}
		end(t, l)
	})
}

func TestCloseDoesNotWaitForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := open(t, &receiver{answer: hangs}, nil)
		tell(l, event.NodeStopping{}, event.NodeStopped{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		err := l.Close(ctx)
		if took := time.Since(began); err == nil || took != time.Second || l.Dropped() != 2 {
			t.Errorf("Close = %v after %v, %d were dropped", err, took, l.Dropped())
		}
	})
}

func BenchmarkRecord(b *testing.B) {
	l, err := start(reporter, &receiver{answer: hangs})
	if err != nil {
		b.Fatal(err)
	}
	defer l.abort()
	r := event.Record{Sequence: 1, Time: time.Now(), Event: event.GroupStateChanged{Group: "web"}}
	b.ReportAllocs()
	for b.Loop() {
		l.Record(r)
	}
}
