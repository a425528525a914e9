package config

import (
	"testing"
	"time"
)

func TestWatchdogTimeout(t *testing.T) {
	for _, tt := range []struct {
		name                string
		keepalive, deadtime time.Duration
		want                time.Duration
		inTime              bool
	}{
		{"heartbeat's defaults", time.Second, 30 * time.Second, 28 * time.Second, true},
		{"the least that is in time", 500 * time.Millisecond, 3 * time.Second, 2 * time.Second, true},
		{"a millisecond less is not", 500 * time.Millisecond, 2999 * time.Millisecond, 2 * time.Second, false},
		{"fast timers", 100 * time.Millisecond, 500 * time.Millisecond, 2 * time.Second, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := Config{Keepalive: tt.keepalive, Deadtime: tt.deadtime}
			if got, inTime := c.WatchdogTimeout(); got != tt.want || inTime != tt.inTime {
				t.Errorf("got %v, in time %v; want %v, %v", got, inTime, tt.want, tt.inTime)
			}
		})
	}
}
