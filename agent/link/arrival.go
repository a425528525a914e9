package link

import "time"

// wallStep is how far the wall clock was stepped between two readings. The
// kernel slews both clocks alike, so what the one moved more than the other is
// a step: an administrator, a leap second, a machine woken from sleep. Where
// this thread lost the processor between reading one clock and the other, there
// is a false step, followed by the opposite one.
func wallStep(last, read time.Time) time.Duration {
	if last.IsZero() {
		return 0
	}
	return time.Duration(read.UnixNano()-last.UnixNano()) - read.Sub(last)
}

// arrival is the instant of a kernel stamp, in nanoseconds of the wall clock,
// or read itself where there is none (0). The wall clock may have been stepped,
// by step, before or after the stamp was taken; which of the two is told by
// what is possible: the packet came no earlier than empty, when the socket had
// nothing in it, and no later than read. A stamp that makes sense neither way
// is held to these bounds.
//
// The kernel stamps a packet a little before the socket has it, so one that was
// on its way just then moves to empty, which errs by microseconds.
func arrival(stamp int64, read, empty time.Time, step time.Duration) time.Time {
	if stamp == 0 {
		return read
	}
	at := read.Add(time.Duration(stamp - read.UnixNano()))
	if step != 0 && !within(at, empty, read) {
		if before := at.Add(step); within(before, empty, read) {
			at = before
		}
	}
	if at.Before(empty) {
		at = empty
	}
	if at.After(read) {
		at = read
	}
	return at
}

func within(t, from, to time.Time) bool { return !t.Before(from) && !t.After(to) }
