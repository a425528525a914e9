package metrics

import (
	"slices"
	"testing"
	"time"

	"github.com/systole-ha/systole/agent/event"
)

// TestARestartForgetsNothing: what one daemon remembers, the next one shows.
func TestARestartForgetsNothing(t *testing.T) {
	var newest Memory
	changes := 0
	cfg := reference()
	cfg.Remember = func(m Memory) { newest, changes = m, changes+1 }
	first := open(t, cfg)
	traced(first)
	tell(first, boot.Add(time.Minute), event.ReleaseStarted{ID: 3, Trigger: "standby", Groups: []string{"IPaddr::192.0.2.10"}})
	if changes != 2 {
		t.Errorf("%d changes, want the takeover and the standby", changes)
	}
	cfg.Memory = newest
	second := open(t, cfg)
	var lost []string
	shown := samples(page(t, second))
	for _, line := range samples(page(t, first)) {
		for _, family := range []string{"systole_takeover_last_", "systole_node_standby_since"} {
			if len(line) > len(family) && line[:len(family)] == family && !slices.Contains(shown, line) {
				lost = append(lost, line)
			}
		}
	}
	if len(lost) > 0 {
		t.Errorf("after a restart these are gone: %q", lost)
	}
	tell(second, boot.Add(time.Hour), event.GroupStateChanged{Group: "IPaddr::192.0.2.10", From: "starting", To: "running"})
	if !newest.Standby.IsZero() {
		t.Errorf("the standby is over, and is remembered since %v", newest.Standby)
	}
	tell(second, boot.Add(time.Hour), event.GroupStateChanged{Group: "IPaddr::192.0.2.10", From: "starting", To: "running"})
	if changes != 3 {
		t.Errorf("%d changes, want none where nothing is different", changes)
	}
}

// TestStandbyOfANodeThatNothingPrefers: haresources was edited meanwhile.
func TestStandbyOfANodeThatNothingPrefers(t *testing.T) {
	cfg := reference()
	cfg.Memory = Memory{Standby: boot}
	for i := range cfg.Groups {
		cfg.Groups[i].Preferred = "beta"
	}
	if got := samples(page(t, open(t, cfg))); !slices.Contains(got, "systole_node_standby_since_timestamp_seconds 0") {
		t.Error("a node that nothing prefers is in standby")
	}
}
