package core

import (
	"time"

	"github.com/systole-ha/systole/agent/event"
)

// When two clocks are said to differ, and to agree again. Between the two
// figures the last word stands, so that a clock on the edge is no news.
const (
	skewed = time.Second
	agreed = skewed / 2
)

// samplesAgree is how many samples in a row must say the same before it is
// believed. Each is a bound by itself, but one that was taken while a clock was
// being set is wrong, and so may be the next: three are not. The tightest of
// the last few would be no better: after a step it is an old one.
const samplesAgree = 3

// A clock judges how a peer's wall clock stands to ours.
type clock struct {
	offset, bound time.Duration // the newest sample; no bound: none
	skewed        bool          // the last word
	against       int           // samples in a row that say otherwise
}

// hear takes one sample: the peer's clock less ours, and how far that can be
// off. A sample so coarse that it fits either word says nothing, and breaks no
// row: a serial line beside a network must not silence it.
func (c *clock) hear(peer string, offset, bound time.Duration) []event.Event {
	if bound <= 0 {
		return nil
	}
	c.offset, c.bound = offset, bound
	least, most := offset.Abs()-bound, offset.Abs()+bound
	switch apart, together := least > skewed, least < agreed && most < skewed; {
	case apart && !c.skewed, together && c.skewed:
		c.against++
	case apart, together:
		c.against = 0
	}
	if c.against < samplesAgree {
		return nil
	}
	c.skewed, c.against = !c.skewed, 0
	return []event.Event{event.ClockSkew{Peer: peer, Offset: offset, OffsetError: bound, Agrees: !c.skewed}}
}
