package systemd

import (
	"testing"
	"time"
)

func TestOwnJob(t *testing.T) {
	for _, tt := range []struct {
		name  string
		units map[string]*fakeUnit
		want  string
	}{
		{name: "a process of no unit has no job"},
		{name: "a unit that nobody wants anything of has none", units: map[string]*fakeUnit{own: {active: "active"}}},
		{
			name:  "one that is restarted says so while its processes end",
			units: map[string]*fakeUnit{own: {active: "deactivating", job: 7, jobType: "restart"}}, want: "restart",
		},
		{
			name:  "one that is stopped says so",
			units: map[string]*fakeUnit{own: {active: "deactivating", job: 8, jobType: "stop"}}, want: "stop",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, _, _ := newDriver(t, tt.units)
			got, err := d.OwnJob(within(t, 10*time.Second))
			if err != nil || got != tt.want {
				t.Errorf("OwnJob: %q, %v, want %q", got, err, tt.want)
			}
		})
	}
}

// TestOwnJobOfASilentSystemd wants no answer in time for an answer.
func TestOwnJobOfASilentSystemd(t *testing.T) {
	d, f, _ := newDriver(t, map[string]*fakeUnit{own: {active: "active"}})
	f.mu.Lock()
	defer f.mu.Unlock()
	if job, err := d.OwnJob(within(t, 50*time.Millisecond)); err == nil {
		t.Errorf("OwnJob of a systemd that does not answer: %q, want an error", job)
	}
}

func TestReturns(t *testing.T) {
	for _, tt := range []struct {
		name string
		unit fakeUnit
		want bool
	}{
		{"one that runs", fakeUnit{active: "active", sub: "running"}, true},
		{"one that waits to be started again", fakeUnit{active: "activating", sub: "auto-restart"}, true},
		{"one that is restarted", fakeUnit{active: "deactivating", sub: "stop-sigterm", job: 3, jobType: "restart"}, true},
		{"one that is stopped", fakeUnit{active: "deactivating", sub: "stop-sigterm", job: 3, jobType: "stop"}, false},
		{"one that was given up", fakeUnit{active: "failed", sub: "failed"}, false},
		{"one that was stopped", fakeUnit{}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, _, _ := newDriver(t, map[string]*fakeUnit{own: &tt.unit})
			got, err := d.Returns(within(t, 10*time.Second), own)
			if err != nil || got != tt.want {
				t.Errorf("Returns: %v, %v, want %v", got, err, tt.want)
			}
		})
	}
}
