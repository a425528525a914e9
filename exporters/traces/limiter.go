package traces

import "time"

// Heartbeats that come late by the dozen say no more than the first few: one
// span a second, and ten at once.
const (
	latePerSecond = 1
	lateBurst     = 10
)

// A limiter is a token bucket that is full at first.
type limiter struct {
	spent float64 // tokens
	last  time.Time
}

// allow takes a token at the instant now, where there is one.
func (l *limiter) allow(now time.Time) bool {
	if passed := now.Sub(l.last).Seconds(); passed > 0 {
		l.spent = max(0, l.spent-passed*latePerSecond)
	}
	l.last = now
	if l.spent > lateBurst-1 {
		return false
	}
	l.spent++
	return true
}
