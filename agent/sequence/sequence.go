// Package sequence is the pure judgement over sequence numbers: which message
// is new, which is a copy, a straggler or a replay, what is missing and must be
// asked for again, and what we keep to answer such requests. It asks no clock
// and touches no socket.
//
// One counter per daemon start numbers all messages to everybody, and every
// message leaves on every link, so copies are told apart by sender and number
// alone. Heartbeat delivers a new message at once, without waiting for the
// holes before it, and so do we (heartbeat/hb_rexmit.c, should_drop_message).
package sequence

import (
	"math/bits"
	"time"
)

// The limits are those of Heartbeat 3.0.6.
const (
	History      = 500 // messages kept to be sent again (MAXMSGHIST)
	maxMissing   = 250 // more at once than this: start over (MAXMISSING)
	maxPerAnswer = 50  // messages sent again for one request
	windowSize   = 64  // bits of the window in which a link's copies are told apart

	// RexmitFloor keeps a request back: messages overtake each other by one as
	// a matter of course, since an answer can leave before what it answers.
	RexmitFloor = 50 * time.Millisecond
	// RexmitDelay is the longest wait before the first request for a hole, and
	// the wait between repeats (max_rexmit_delay).
	RexmitDelay = 250 * time.Millisecond
)

// A Verdict says what one arriving message is.
type Verdict int

const (
	New     Verdict = iota // never had before: act on it
	Copy                   // had it by another link: this link carries
	Repeat                 // had it by this very link: a duplicate
	Replay                 // too old, or of an older generation: not to be believed
	Restart                // new, and the first of a higher generation
)

// A Heard is what a Source makes of one message.
type Heard struct {
	Verdict   Verdict
	Reordered bool   // New, but behind a newer one on its link
	Lost      uint64 // numbers given up on this link: they left its window unseen
	Ack       uint64 // everything up to here arrived, and it is time to say so; 0 if not
}

// A Source follows the numbers of one sender.
type Source struct {
	Generation uint64 // 0 before the first message
	newest     uint64
	missing    []hole
	links      []window
	ackDigit   uint64 // we acknowledge numbers that end in this digit
	delay      func() time.Duration
}

type hole struct {
	number uint64
	askAt  time.Time
}

// NewSource follows a sender over so many links. ackDigit, 0 to 9, is the last
// digit of the numbers to acknowledge; delay draws the wait before a request
// from RexmitFloor to RexmitDelay, so that nodes do not ask in step.
func NewSource(links int, ackDigit uint64, delay func() time.Duration) *Source {
	return &Source{links: make([]window, links), ackDigit: ackDigit % 10, delay: delay}
}

// Newest is the highest number heard of the present generation.
func (s *Source) Newest() uint64 { return s.newest }

// Missing is how many messages are being waited for.
func (s *Source) Missing() int { return len(s.missing) }

// Hear judges a message of the given generation and number that arrived on the
// given link. A higher generation forgets everything known of the older one.
// Number 0 stands for an unnumbered message (NS_ types): only its generation
// is judged, and it is New each time.
func (s *Source) Hear(now time.Time, link int, generation, number uint64) Heard {
	restarted := generation > s.Generation && s.Generation != 0
	switch {
	case generation < s.Generation:
		return Heard{Verdict: Replay}
	case number == 0:
		return Heard{Verdict: New}
	case generation > s.Generation:
		s.Generation, s.newest, s.missing = generation, 0, nil
		clear(s.links)
	}
	heard := s.judge(now, link, number)
	if restarted {
		heard.Verdict = Restart
	}
	return heard
}

func (s *Source) judge(now time.Time, link int, number uint64) Heard {
	seen, lost := s.links[link].mark(number)
	heard := Heard{Lost: lost}
	switch {
	case s.newest == 0 || number == s.newest+1:
		s.newest = number
	case number > s.newest:
		s.note(now, number)
	case s.fill(number):
		heard.Reordered = true
	case seen == before:
		heard.Verdict = Copy
		return heard
	case seen == again:
		heard.Verdict = Repeat
		return heard
	default:
		heard.Verdict = Replay
		return heard
	}
	if len(s.missing) == 0 && number%10 == s.ackDigit {
		heard.Ack = s.newest
	}
	return heard
}

// note records the holes that number leaves behind it.
func (s *Source) note(now time.Time, number uint64) {
	first := s.newest + 1
	s.newest = number
	if uint64(len(s.missing))+number-first > maxMissing {
		s.missing = nil // lost a lot: what state remains comes with the heartbeats
		return
	}
	askAt := now.Add(s.delay())
	for n := first; n < number; n++ {
		s.missing = append(s.missing, hole{n, askAt})
	}
}

// fill closes the hole of number and says whether there was one.
func (s *Source) fill(number uint64) bool {
	for i, h := range s.missing {
		if h.number == number {
			s.missing = append(s.missing[:i], s.missing[i+1:]...)
			return true
		}
	}
	return false
}

// A Range is a run of numbers, both ends included.
type Range struct{ First, Last uint64 }

// Due returns the holes that are to be asked for now, neighbours joined, and
// puts each off by RexmitDelay.
func (s *Source) Due(now time.Time) []Range {
	var ranges []Range
	for i := range s.missing {
		h := &s.missing[i]
		if h.askAt.After(now) {
			continue
		}
		h.askAt = now.Add(RexmitDelay)
		if n := len(ranges); n > 0 && ranges[n-1].Last+1 == h.number {
			ranges[n-1].Last = h.number
		} else {
			ranges = append(ranges, Range{h.number, h.number})
		}
	}
	return ranges
}

// Wake is when the next request falls due; zero for never.
func (s *Source) Wake() time.Time {
	var wake time.Time
	for _, h := range s.missing {
		if wake.IsZero() || h.askAt.Before(wake) {
			wake = h.askAt
		}
	}
	return wake
}

// GiveUp forgets a hole whose message nobody has any more, and says whether it
// was waited for.
func (s *Source) GiveUp(number uint64) bool { return s.fill(number) }

// ForgetMissing stops asking: the sender is dead.
func (s *Source) ForgetMissing() { s.missing = nil }

// A window remembers which of the last 64 numbers one link has carried.
type window struct {
	newest uint64
	seen   uint64 // bit i stands for newest-i
}

type sight int

const (
	tooOld sight = iota // below the window: not known
	before              // first time on this link
	again               // this link has carried it before
)

// mark notes number and says whether this link has carried it before, and how
// many numbers left the window without ever having come.
func (w *window) mark(number uint64) (sight, uint64) {
	switch {
	case w.newest == 0:
		// What went before the first was never waited for.
		w.newest, w.seen = number, ^uint64(0)
		return before, 0
	case number > w.newest:
		shift := number - w.newest
		var lost uint64
		if shift >= windowSize {
			lost = uint64(windowSize-bits.OnesCount64(w.seen)) + shift - windowSize
			w.seen = 0
		} else {
			leaving := w.seen >> (windowSize - shift)
			lost = shift - uint64(bits.OnesCount64(leaving))
			w.seen <<= shift
		}
		w.newest = number
		w.seen |= 1
		return before, lost
	case w.newest-number >= windowSize:
		return tooOld, 0
	}
	bit := uint64(1) << (w.newest - number)
	if w.seen&bit != 0 {
		return again, 0
	}
	w.seen |= bit
	return before, 0
}
