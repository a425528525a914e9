package sentence

import (
	"testing"
	"time"
)

// TestEveryTriggerHasItsReason: what is not in the list is said by its name.
func TestEveryTriggerHasItsReason(t *testing.T) {
	for _, trigger := range []string{"peer_dead", "peer_left", "standby", "takeover", "failback", "start", "failure", "shutdown", "yield", "cleanup"} {
		if got := why(trigger); got == words(trigger) {
			t.Errorf("%s has no reason", trigger)
		}
	}
	if got := why("full_moon"); got != "full moon" {
		t.Errorf("an unknown trigger is %q", got)
	}
}

func TestLength(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                            "0s",
		512345 * time.Nanosecond:     "510µs",
		9994 * time.Microsecond:      "9.99ms",
		512600 * time.Microsecond:    "513ms",
		12345678 * time.Microsecond:  "12.35s",
		200600 * time.Millisecond:    "3m21s",
		120 * time.Second:            "2m",
		26*time.Hour + 1*time.Second: "26h0m1s",
	} {
		if got := length(d); got != want {
			t.Errorf("length(%v) = %s, want %s", int64(d), got, want)
		}
	}
}
