package sequence

import (
	"slices"
	"testing"
	"time"
)

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func at(ms int) time.Time { return epoch.Add(time.Duration(ms) * time.Millisecond) }

func source(links int) *Source {
	return NewSource(links, 0, func() time.Duration { return 100 * time.Millisecond })
}

type arrival struct {
	link       int
	generation uint64
	number     uint64
	want       Heard
}

func TestHear(t *testing.T) {
	tests := []struct {
		name     string
		arrivals []arrival
	}{
		{"numbers in order are new", []arrival{
			{0, 7, 1, Heard{}}, {0, 7, 2, Heard{}}, {0, 7, 3, Heard{}},
		}},
		{"the first heard may have any number", []arrival{
			{0, 7, 4711, Heard{}}, {0, 7, 4712, Heard{}},
		}},
		{"the same number by a second link is a copy, twice by one link a repeat", []arrival{
			{0, 7, 1, Heard{}}, {1, 7, 1, Heard{Verdict: Copy}}, {0, 7, 1, Heard{Verdict: Repeat}}, {1, 7, 1, Heard{Verdict: Repeat}},
		}},
		{"a message that overtook its cause leaves a hole that the cause fills", []arrival{
			{0, 7, 56, Heard{}}, {0, 7, 58, Heard{}}, {0, 7, 57, Heard{Reordered: true}}, {0, 7, 57, Heard{Verdict: Repeat}},
		}},
		{"a number from before the first heard is not believed", []arrival{
			{0, 7, 101, Heard{}}, {0, 7, 99, Heard{Verdict: Repeat}}, {0, 7, 30, Heard{Verdict: Replay}},
		}},
		{"a lower generation is a replay whatever its number", []arrival{
			{0, 7, 5, Heard{}}, {0, 6, 6, Heard{Verdict: Replay}}, {0, 6, 0, Heard{Verdict: Replay}},
		}},
		{"a higher generation is a restart and counts anew", []arrival{
			{0, 7, 901, Heard{}}, {0, 8, 1, Heard{Verdict: Restart}}, {0, 8, 2, Heard{}}, {0, 7, 902, Heard{Verdict: Replay}},
		}},
		{"unnumbered messages are always new", []arrival{
			{0, 7, 0, Heard{}}, {0, 7, 0, Heard{}}, {0, 7, 5, Heard{}}, {0, 7, 0, Heard{}},
		}},
		{"numbers ending in the ack digit are acknowledged when nothing is missing", []arrival{
			{0, 7, 9, Heard{}}, {0, 7, 10, Heard{Ack: 10}}, {0, 7, 12, Heard{}}, {0, 7, 20, Heard{}}, {0, 7, 11, Heard{Reordered: true}},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := source(2)
			for _, a := range tt.arrivals {
				if got := s.Hear(at(0), a.link, a.generation, a.number); got != a.want {
					t.Errorf("link %d generation %d number %d\n got %+v\nwant %+v", a.link, a.generation, a.number, got, a.want)
				}
			}
		})
	}
}

func TestLostOnOneLinkIsCountedExactly(t *testing.T) {
	s := source(2)
	var lost [2]uint64
	for n := uint64(1); n <= 1000; n++ {
		lost[0] += s.Hear(at(0), 0, 7, n).Lost
		if n%10 != 0 && n < 900 { // the second link loses 90 of the first 900
			lost[1] += s.Hear(at(0), 1, 7, n).Lost
		} else if n >= 900 {
			lost[1] += s.Hear(at(0), 1, 7, n).Lost
		}
	}
	if lost != [2]uint64{0, 89} {
		t.Errorf("lost %v, want [0 89]: 10, 20 … 890", lost)
	}
	if s.Missing() != 0 {
		t.Errorf("%d missing although the other link carried them", s.Missing())
	}
}

func TestALongGapCountsWhatNeverCame(t *testing.T) {
	s := source(1)
	s.Hear(at(0), 0, 7, 1)
	var lost uint64
	lost += s.Hear(at(0), 0, 7, 201).Lost // 2…200 missing: 199 in all
	for n := uint64(202); n < 300; n++ {
		lost += s.Hear(at(0), 0, 7, n).Lost
	}
	if lost != 199 {
		t.Errorf("lost %d, want 199", lost)
	}
}

func TestHolesAreAskedFor(t *testing.T) {
	s := source(1)
	for _, n := range []uint64{1, 2, 6, 8} {
		s.Hear(at(0), 0, 7, n)
	}
	if got := s.Wake(); got != at(100) {
		t.Errorf("Wake = %v", got)
	}
	if got := s.Due(at(99)); got != nil {
		t.Errorf("asked too early: %v", got)
	}
	if got, want := s.Due(at(100)), []Range{{3, 5}, {7, 7}}; !slices.Equal(got, want) {
		t.Errorf("Due\n got %v\nwant %v", got, want)
	}
	if got := s.Due(at(349)); got != nil {
		t.Errorf("asked again too early: %v", got)
	}
	s.Hear(at(349), 0, 7, 4)
	if !s.GiveUp(7) || s.GiveUp(7) {
		t.Errorf("GiveUp(7) must be true once")
	}
	if got, want := s.Due(at(350)), []Range{{3, 3}, {5, 5}}; !slices.Equal(got, want) {
		t.Errorf("Due\n got %v\nwant %v", got, want)
	}
}

func TestTooManyHolesStartOver(t *testing.T) {
	s := source(1)
	s.Hear(at(0), 0, 7, 1)
	s.Hear(at(0), 0, 7, 252)
	if s.Missing() != 250 {
		t.Errorf("missing %d, want 250", s.Missing())
	}
	s.Hear(at(0), 0, 7, 254)
	if s.Missing() != 0 {
		t.Errorf("missing %d, want none: starting over", s.Missing())
	}
}

func TestSentAgain(t *testing.T) {
	var s Sent[uint64]
	for range 600 {
		s.Keep(s.Next())
	}
	messages, gone := s.Again(at(0), Range{99, 103})
	if !slices.Equal(messages, []uint64{101, 102, 103}) || !slices.Equal(gone, []uint64{99, 100}) {
		t.Errorf("got %v and gone %v", messages, gone)
	}
	if messages, gone = s.Again(at(100), Range{101, 104}); !slices.Equal(messages, []uint64{104}) || gone != nil {
		t.Errorf("at once again: got %v and gone %v, want only 104", messages, gone)
	}
	if messages, _ = s.Again(at(1000), Range{500, 1 << 62}); len(messages) != 50 || messages[0] != 500 {
		t.Errorf("one answer has %d messages from %v", len(messages), messages)
	}
	if messages, gone = s.Again(at(1000), Range{601, 1 << 63}); messages != nil || gone != nil {
		t.Errorf("numbers never sent: %v %v", messages, gone)
	}
	if messages, gone = s.Again(at(1000), Range{0, 0}); messages != nil || !slices.Equal(gone, []uint64{0}) {
		t.Errorf("number 0: %v %v", messages, gone)
	}
}
