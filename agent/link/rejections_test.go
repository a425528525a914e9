package link

import (
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/systole-ha/systole/agent/wire"
)

func TestRejectionsAreReportedInHeaps(t *testing.T) {
	h := new(node)
	b := &base{name: "eth0", index: 3, handler: h}
	start := time.Now()
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	from := netip.MustParseAddrPort("192.0.2.66:4000")

	steps := []struct {
		name   string
		ms     int
		reject []wire.Reason
		drop   uint32
		want   []Rejection
		next   time.Time
	}{
		{name: "with nothing to report nothing is due", ms: 0},
		{
			name: "the first is reported at once", ms: 1, reject: []wire.Reason{wire.Malformed},
			want: []Rejection{{Reason: "malformed", Count: 1, At: at(1)}},
		},
		{
			name: "the next ones are kept for 100 ms", ms: 2,
			reject: []wire.Reason{wire.Malformed, wire.Malformed}, next: at(101),
		},
		{
			name: "another reason is reported at once", ms: 50, drop: 7, reject: []wire.Reason{wire.UnknownKey, wire.Malformed},
			want: []Rejection{{Reason: "unknown_key", Count: 1, At: at(50), Overflow: 7}}, next: at(101),
		},
		{name: "one instant before the time nothing is reported", ms: 100, next: at(101)},
		{
			name: "then the heap is, with the time of its last", ms: 101,
			want: []Rejection{{Reason: "malformed", Count: 3, At: at(50)}},
		},
		{name: "and nothing is left", ms: 300},
	}
	for _, tt := range steps {
		h.rejected = nil
		for _, reason := range tt.reject {
			b.rejected.add(reason, from, at(tt.ms))
		}
		if tt.drop > 0 {
			b.noteDropped(tt.drop)
		}
		next := b.rejected.report(at(tt.ms), b)
		for i := range tt.want {
			tt.want[i].Link, tt.want[i].Index, tt.want[i].Source = "eth0", 3, from
		}
		if !reflect.DeepEqual(h.rejected, tt.want) || !next.Equal(tt.next) {
			t.Errorf("%s:\n got %v, next %v\nwant %v, next %v", tt.name, h.rejected, next, tt.want, tt.next)
		}
	}
	want := map[string]uint64{"bad_signature": 0, "unknown_key": 1, "malformed": 4, "oversize": 0}
	if got := b.Stats().Rejected; !reflect.DeepEqual(got, want) {
		t.Errorf("totals %v, want %v", got, want)
	}
}
