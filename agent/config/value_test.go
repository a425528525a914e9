package config

import (
	"errors"
	"testing"
	"time"
)

func TestParseTime(t *testing.T) {
	const ms = time.Millisecond
	for _, tt := range []struct {
		in   string
		want time.Duration
	}{
		{"2", 2 * time.Second},
		{"1.5", 1500 * ms},
		{".1", 100 * ms},
		{"1.", time.Second},
		{"1000ms", time.Second},
		{"1000MSEC", time.Second},
		{"0.4ms", 0},
		{"0.5ms", 1 * ms},
		{"499us", 0},
		{"500us", 1 * ms},
		{"1499.9us", 1 * ms},
		{"1000000usec", time.Second},
		{"0", 0},
		{"10s", 10 * time.Second},
		{"2m", 2 * time.Minute},
		{"0.1M", 6 * time.Second},
		{"2147483647ms", 2147483647 * ms},
	} {
		got, err := ParseTime(tt.in)
		if err != nil || got != tt.want {
			t.Errorf("ParseTime(%q) = %s, %v, want %s", tt.in, got, err, tt.want)
		}
	}
	for _, in := range []string{"", ".", "ten", "1.2.3", "-1", "+1", "1e3", "0x10", "1 s", "2h", "10 ms", "ms", "2147483648ms", "99999999999999999999", "1\xff"} {
		if got, err := ParseTime(in); !errors.Is(err, ErrTime) {
			t.Errorf("ParseTime(%q) = %s, %v, want an ErrTime", in, got, err)
		}
	}
}

func TestParseBool(t *testing.T) {
	for in, want := range map[string]bool{
		"on": true, "YES": true, "True": true, "y": true, "1": true,
		"off": false, "no": false, "FALSE": false, "N": false, "0": false,
	} {
		if got, err := ParseBool(in); err != nil || got != want {
			t.Errorf("ParseBool(%q) = %t, %v, want %t", in, got, err, want)
		}
	}
	for _, in := range []string{"", "t", "f", "2", "legacy", "on "} {
		if _, err := ParseBool(in); !errors.Is(err, ErrBool) {
			t.Errorf("ParseBool(%q): got %v, want an ErrBool", in, err)
		}
	}
}

func TestNearest(t *testing.T) {
	for _, tt := range []struct{ word, want string }{
		{"logacility", "logfacility"},
		{"Udp", "udp"},
		{"KEEPALIVE", "keepalive"},
		{"daedtime", "deadtime"},
		{"warntimes", "warntime"},
		{"bcst", "bcast"},
		{"ucast4", "ucast"},
		{"auto_fallback", "auto_failback"},
		{"frobnicate", ""},
		{"x", ""},
		{"", ""},
	} {
		if got, _ := nearest(tt.word, directiveNames); got != tt.want {
			t.Errorf("nearest(%q) = %q, want %q", tt.word, got, tt.want)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"", "abc", 3},
		{"node", "node", 0},
		{"node", "nod", 1},
		{"node", "nodes", 1},
		{"node", "mode", 1},
		{"node", "noed", 1},
		{"deadtime", "datetime", 3},
	} {
		if got := distance(tt.a, tt.b); got != tt.want {
			t.Errorf("distance(%q, %q) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
		if got := distance(tt.b, tt.a); got != tt.want {
			t.Errorf("distance(%q, %q) = %d, want %d", tt.b, tt.a, got, tt.want)
		}
	}
}

func TestHuman(t *testing.T) {
	for in, want := range map[time.Duration]string{
		0:                       "0 ms",
		500 * time.Millisecond:  "500 ms",
		999 * time.Millisecond:  "999 ms",
		time.Second:             "1 s",
		1500 * time.Millisecond: "1.5 s",
		2 * time.Minute:         "120 s",
		10 * time.Hour:          "36000 s",
	} {
		if got := Human(in); got != want {
			t.Errorf("Human(%s) = %q, want %q", in, got, want)
		}
	}
}
