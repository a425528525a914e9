package sequence

import "time"

// A Sent keeps what we sent, so that it can be sent again byte for byte. M is
// the message type; a Sent never looks into it.
type Sent[M any] struct {
	last uint64
	ring [History]kept[M]
}

type kept[M any] struct {
	number uint64
	again  time.Time // when it was last sent again
	what   M
}

// Next returns the number of the next message. Numbers begin at 1.
func (s *Sent[M]) Next() uint64 { return s.last + 1 }

// Last is the number of the newest message; 0 before the first.
func (s *Sent[M]) Last() uint64 { return s.last }

// Keep remembers the message that was given the number Next.
func (s *Sent[M]) Keep(m M) {
	s.last++
	s.ring[s.last%History] = kept[M]{number: s.last, what: m}
}

// Again returns the messages of a request that are still here, and the numbers
// that are not. What was sent again a moment ago is left out of both, and one
// request is answered with 50 messages at most: the peer asks for the rest.
func (s *Sent[M]) Again(now time.Time, asked Range) (messages []M, gone []uint64) {
	for n := asked.First; n <= asked.Last && n <= s.last && len(messages)+len(gone) < maxPerAnswer; n++ {
		k := &s.ring[n%History]
		switch {
		case n == 0 || k.number != n:
			gone = append(gone, n)
		case k.again.IsZero() || now.Sub(k.again) >= RexmitDelay-10*time.Millisecond:
			k.again = now
			messages = append(messages, k.what)
		}
	}
	return messages, gone
}

// Newest is the last message kept; false before the first.
func (s *Sent[M]) Newest() (M, bool) {
	return s.ring[s.last%History].what, s.last > 0
}
