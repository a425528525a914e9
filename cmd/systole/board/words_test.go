package board

import (
	"testing"
	"time"
)

func TestShort(t *testing.T) {
	const ms, s, m, h = time.Millisecond, time.Second, time.Minute, time.Hour
	for d, want := range map[time.Duration]string{
		0: "0s", 50 * time.Microsecond: "0.05ms", 9994 * time.Microsecond: "9.99ms", 9995 * time.Microsecond: "10ms", 10 * ms: "10ms", 999 * ms: "999ms",
		s: "1s", 1500 * ms: "1.5s", 10101 * ms: "10.1s", 59 * s: "59s", m: "1m0s", 73200 * ms: "1m13s",
		h: "1h0m", 2*h + 10*m: "2h10m", 48 * h: "2d0h", 75 * h: "3d3h", -500 * ms: "-500ms",
	} {
		if got := Short(d); got != want {
			t.Errorf("Short(%v) is %s, want %s", d, got, want)
		}
	}
}
