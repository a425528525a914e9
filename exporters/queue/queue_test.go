package queue

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/systole-ha/systole/agent/event"
)

// The severities in the tests' rows, each by a kind that has it.
var kinds = map[byte]event.Event{
	'i': event.NodeStarted{},   // info
	'n': event.LinkUp{},        // notice
	'w': event.HeartbeatLate{}, // warning
	'c': event.PeerDead{},      // critical
}

// fill puts records numbered from 1, and counts those that cost another one.
func fill(q *Queue, severities string) (dropped uint64) {
	for i, s := range []byte(severities) {
		if !q.Put(event.Record{Sequence: uint64(i + 1), Event: kinds[s]}) {
			dropped++
		}
	}
	return dropped
}

func drain(t *testing.T, q *Queue) []uint64 {
	t.Helper()
	q.Close()
	var got []uint64
	for {
		r, err := q.Next(t.Context())
		if errors.Is(err, ErrClosed) {
			return got
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, r.Sequence)
	}
}

func TestPut(t *testing.T) {
	tests := []struct {
		name    string
		put     string // severities, one letter a record
		want    []uint64
		dropped uint64
	}{
		{"an empty queue has nothing", "", nil, 0},
		{"records come out as they went in", "cin", []uint64{1, 2, 3}, 0},
		{"the fourth of a kind drives out the oldest", "iiii", []uint64{2, 3, 4}, 1},
		{"a critical one drives out the lowest, not the oldest", "cnic", []uint64{1, 2, 4}, 1},
		{"of two lowest the older goes", "iicc", []uint64{2, 3, 4}, 1},
		{"an info does not enter where all are above it", "nwci", []uint64{1, 2, 3}, 1},
		{"critical records drive out each other only when nothing else is left", "cwccc", []uint64{3, 4, 5}, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			q := New(3)
			if got := fill(q, tt.put); got != tt.dropped {
				t.Errorf("Put told of %d dropped, want %d", got, tt.dropped)
			}
			if got := q.Len(); got != len(tt.want) {
				t.Errorf("%d wait, want %d", got, len(tt.want))
			}
			if got := drain(t, q); !slices.Equal(got, tt.want) {
				t.Errorf("came out\n got %v\nwant %v", got, tt.want)
			}
			if got := q.Dropped(); got != tt.dropped {
				t.Errorf("dropped %d, want %d", got, tt.dropped)
			}
		})
	}
}

func TestAClosedQueueDrops(t *testing.T) {
	q := New(3)
	q.Close()
	fill(q, "ci")
	if q.Dropped() != 2 || q.Len() != 0 {
		t.Errorf("dropped %d, %d wait; want 2 and 0", q.Dropped(), q.Len())
	}
}

func TestNextWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := New(3)
		var got []uint64
		var end error
		go func() {
			for {
				r, err := q.Next(t.Context())
				if err != nil {
					end = err
					return
				}
				got = append(got, r.Sequence)
			}
		}()
		synctest.Wait()
		fill(q, "ci")
		synctest.Wait()
		fill(q, "n")
		synctest.Wait()
		if want := []uint64{1, 2, 1}; !slices.Equal(got, want) {
			t.Errorf("taken\n got %v\nwant %v", got, want)
		}
		q.Close()
		synctest.Wait()
		if !errors.Is(end, ErrClosed) {
			t.Errorf("the end is %v, want %v", end, ErrClosed)
		}
	})
}

func TestNextEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := New(1).Next(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Next: %v, want %v", err, context.Canceled)
	}
}

func TestPutAllocatesNothing(t *testing.T) {
	q := New(1024)
	r := event.Record{Event: event.LinkUp{}}
	if got := testing.AllocsPerRun(5000, func() { q.Put(r) }); got != 0 {
		t.Errorf("Put allocates %v times", got)
	}
}

// BenchmarkPutFull is the worst: every record has to be looked at.
func BenchmarkPutFull(b *testing.B) {
	q := New(1024)
	r := event.Record{Event: event.LinkUp{}}
	for b.Loop() {
		q.Put(r)
	}
}
