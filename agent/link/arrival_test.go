package link

import (
	"testing"
	"time"
)

func TestArrival(t *testing.T) {
	const ms, hour = time.Millisecond, time.Hour
	tests := []struct {
		name    string
		stamped time.Duration // on the wall clock, after the reading on that clock
		none    bool          // no stamp at all
		empty   time.Duration // when the socket was empty, after the reading
		step    time.Duration // of the wall clock since the reading before
		want    time.Duration // after the reading
	}{
		{name: "a packet read at once arrived just before", stamped: -1, empty: -10 * ms, want: -1},
		{name: "a packet that waited arrived when it was stamped", stamped: -320 * ms, empty: -330 * ms, want: -320 * ms},
		{name: "a packet without a stamp arrived when it was read", none: true, empty: -10 * ms, want: 0},
		{
			name:    "a clock set an hour ahead between stamp and reading does not make the packet old",
			stamped: -hour - 5*ms, empty: -10 * ms, step: hour, want: -5 * ms,
		},
		{
			name:    "a clock set an hour back between stamp and reading does not make it arrive in the future",
			stamped: hour - 5*ms, empty: -10 * ms, step: -hour, want: -5 * ms,
		},
		{
			name:    "a packet stamped after the clock was set ahead needs no correction",
			stamped: -5 * ms, empty: -10 * ms, step: hour, want: -5 * ms,
		},
		{
			name:    "a packet stamped after the clock was set back needs no correction",
			stamped: -5 * ms, empty: -10 * ms, step: -hour, want: -5 * ms,
		},
		{
			name:    "where both are possible, after a pause in which the clock went back, the later is taken",
			stamped: -200*ms + 100*ms, empty: -310 * ms, step: -100 * ms, want: -100 * ms,
		},
		{
			name:    "the false step of a thread that lost the processor between the two clocks is corrected",
			stamped: 50*ms - 1*ms, empty: -10 * ms, step: -50 * ms, want: -1 * ms,
		},
		{name: "a stamp in the future is held to the reading", stamped: 3 * ms, empty: -10 * ms, want: 0},
		{name: "a stamp from before the socket was empty is held to that", stamped: -hour, empty: -10 * ms, want: -10 * ms},
		{
			name:    "a stamp that makes no sense either way is held to when the socket was empty",
			stamped: -hour, empty: -10 * ms, step: ms, want: -10 * ms,
		},
		{name: "one nanosecond after empty is after empty", stamped: -10*ms + 1, empty: -10 * ms, want: -10*ms + 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			read := time.Now()
			stamp := read.Add(tt.stamped).UnixNano()
			if tt.none {
				stamp = 0
			}
			if got := arrival(stamp, read, read.Add(tt.empty), tt.step).Sub(read); got != tt.want {
				t.Errorf("arrival %v after the reading, want %v", got, tt.want)
			}
		})
	}
}

// A wall clock that runs with the monotonic one was not stepped, however long
// the time between; the first reading has none to compare with.
func TestWallStep(t *testing.T) {
	now := time.Now()
	if got := wallStep(now, now.Add(time.Hour)); got != 0 {
		t.Errorf("step over a quiet hour = %v, want 0", got)
	}
	if got := wallStep(time.Time{}, now); got != 0 {
		t.Errorf("step at the first reading = %v, want 0", got)
	}
	// Without its monotonic reading a time subtracts on the wall clock alone:
	// the difference of the two differences is then nothing.
	if got := wallStep(now.Round(0), now.Add(time.Minute)); got != 0 {
		t.Errorf("step = %v, want 0", got)
	}
}
