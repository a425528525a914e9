package core

import (
	"slices"
	"testing"
	"time"

	"github.com/systole-ha/systole/agent/event"
)

func TestClock(t *testing.T) {
	type sample struct{ offset, bound time.Duration }
	const ms = time.Millisecond
	fine, off, between := sample{40 * ms, ms}, sample{-3000 * ms, ms}, sample{700 * ms, ms}
	differs := event.ClockSkew{Peer: "beta", Offset: -3000 * ms, OffsetError: ms}
	agrees := event.ClockSkew{Peer: "beta", Offset: 40 * ms, OffsetError: ms, Agrees: true}
	for _, tt := range []struct {
		name    string
		samples []sample
		want    []event.Event
	}{
		{name: "clocks that agree from the start are no news", samples: []sample{fine, fine, fine, fine}},
		{name: "two samples are not believed", samples: []sample{off, off, fine, off, off}},
		{name: "three in a row are", samples: []sample{off, off, off, off}, want: []event.Event{differs}},
		{
			name:    "and three take it back",
			samples: []sample{off, off, off, fine, fine, off, fine, fine, fine, fine},
			want:    []event.Event{differs, agrees},
		},
		{name: "no echo, no sample", samples: []sample{{offset: -3000 * ms}, {offset: -3000 * ms}, {offset: -3000 * ms}}},
		{name: "a second and the bound is not yet too much", samples: []sample{{1001 * ms, ms}, {1001 * ms, ms}, {1001 * ms, ms}}},
		{
			name:    "a little more is",
			samples: []sample{{1002 * ms, ms}, {1002 * ms, ms}, {1002 * ms, ms}},
			want:    []event.Event{event.ClockSkew{Peer: "beta", Offset: 1002 * ms, OffsetError: ms}},
		},
		{name: "between the two figures the last word stands, at first", samples: []sample{between, between, between, between}},
		{
			name:    "and afterwards",
			samples: []sample{off, off, off, between, between, between, between},
			want:    []event.Event{differs},
		},
		{
			name:    "coarse samples of a slow line break no row",
			samples: []sample{off, {-2000 * ms, 1500 * ms}, off, {-2000 * ms, 1500 * ms}, off},
			want:    []event.Event{differs},
		},
		{
			name:    "and do not take it back",
			samples: []sample{off, off, off, {-2000 * ms, 1900 * ms}, {-2000 * ms, 1900 * ms}, {-2000 * ms, 1900 * ms}},
			want:    []event.Event{differs},
		},
		{
			name:    "a slow line alone can do both",
			samples: []sample{{3000 * ms, 450 * ms}, {3000 * ms, 450 * ms}, {3000 * ms, 450 * ms}, {0, 450 * ms}, {0, 450 * ms}, {0, 450 * ms}},
			want: []event.Event{
				event.ClockSkew{Peer: "beta", Offset: 3000 * ms, OffsetError: 450 * ms},
				event.ClockSkew{Peer: "beta", OffsetError: 450 * ms, Agrees: true},
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var c clock
			var got []event.Event
			for _, s := range tt.samples {
				got = append(got, c.hear("beta", s.offset, s.bound)...)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("reported\n got %v\nwant %v", got, tt.want)
			}
		})
	}
}
