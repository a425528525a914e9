package control

import (
	"reflect"
	"testing"

	"github.com/systole-ha/systole/agent/event"
)

// filled is a ring of records numbered 10, 20, 30 and so on: the numbers
// between them were samples.
func filled(records int) *ring {
	r := &ring{}
	for i := range records {
		r.put(event.Record{Sequence: uint64(i+1) * 10, Event: event.LinkUp{}})
	}
	return r
}

func TestRingAfter(t *testing.T) {
	const turned = ringSize + 3 // 10, 20 and 30 are gone
	for _, tt := range []struct {
		name    string
		records int
		since   uint64
		want    uint64 // position
		missed  *Missed
	}{
		{name: "an empty ring begins and ends at 0"},
		{name: "since nothing means from the oldest", records: 3, since: 0, want: 0},
		{name: "the record itself is not sent again", records: 3, since: 10, want: 1},
		{name: "a number between two records means the later one", records: 3, since: 11, want: 1},
		{name: "behind the newest there is nothing yet", records: 3, since: 30, want: 3},
		{name: "a number of the future waits for the next", records: 3, since: 99, want: 3},
		{name: "a full ring has lost nothing", records: ringSize, since: 0, want: 0},
		{name: "who wants all is told how many are gone", records: turned, since: 0, want: 3, missed: &Missed{3, 40}},
		{name: "who comes back later is told that some are", records: turned, since: 29, want: 3, missed: &Missed{0, 40}},
		{name: "who has had all that are gone missed nothing", records: turned, since: 30, want: 3},
		{name: "nor who has had one more", records: turned, since: 40, want: 4},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, missed := filled(tt.records).after(tt.since)
			if got != tt.want || !reflect.DeepEqual(missed, tt.missed) {
				t.Errorf("after(%d):\n got %d, %v\nwant %d, %v", tt.since, got, missed, tt.want, tt.missed)
			}
		})
	}
}

func TestRingRead(t *testing.T) {
	const turned = 2*ringSize + 5
	for _, tt := range []struct {
		name         string
		records      int
		position     uint64
		want         []uint64 // sequence numbers
		next, missed uint64
	}{
		{name: "nothing is read of an empty ring"},
		{name: "no more is read than fits", records: 9, position: 2, want: []uint64{30, 40, 50}, next: 5},
		{name: "no more is read than there is", records: 4, position: 2, want: []uint64{30, 40}, next: 4},
		{name: "a reader that has had all reads nothing", records: 4, position: 4, next: 4},
		{
			name: "a slow reader goes on with the oldest there is", records: turned, position: ringSize,
			want: []uint64{(ringSize + 6) * 10, (ringSize + 7) * 10, (ringSize + 8) * 10}, next: ringSize + 8, missed: 5,
		},
		{name: "at the seam the newest are read", records: turned, position: turned - 1, want: []uint64{turned * 10}, next: turned},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var batch [3]event.Record
			records, next, missed := filled(tt.records).read(tt.position, batch[:0])
			var got []uint64
			for _, r := range records {
				got = append(got, r.Sequence)
			}
			if !reflect.DeepEqual(got, tt.want) || next != tt.next || missed != tt.missed {
				t.Errorf("read(%d):\n got %v, next %d, missed %d\nwant %v, next %d, missed %d",
					tt.position, got, next, missed, tt.want, tt.next, tt.missed)
			}
		})
	}
}

func TestNewest(t *testing.T) {
	s := newServer(nil)
	for i := range ringSize + 100 {
		e := event.Event(event.LinkUp{Peer: "beta"}) // notice
		switch {
		case i == 50:
			e = event.PeerDead{Peer: "gone"} // it has left the ring
		case i == 120:
			e = event.PeerDead{Peer: "beta"}
		case i%2 == 0:
			e = event.ResourceOperation{Result: "ok"} // info
		}
		s.Record(event.Record{Sequence: uint64(i + 1), Event: e})
	}
	for _, tt := range []struct {
		name  string
		least event.Severity
		most  int
		want  []uint64
	}{
		{name: "the newest, oldest first", least: event.Notice, most: 3, want: []uint64{4192, 4194, 4196}},
		{name: "less severe ones count where they are wanted", least: event.Info, most: 3, want: []uint64{4194, 4195, 4196}},
		{name: "a rare one is found wherever it is", least: event.Critical, most: 3, want: []uint64{121}},
		{name: "none", least: event.Notice, most: 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []uint64
			for _, e := range s.Newest(tt.least, tt.most) {
				got = append(got, e.Sequence)
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("Newest: got %v, want %v", got, tt.want)
			}
		})
	}
}
