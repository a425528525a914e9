package takeover

import (
	"testing"
	"time"
)

// TestOneOfTwoKeeps has two owners meet whose wall clocks are hours apart, or
// were set meanwhile: by the same words exactly one of them keeps the group.
func TestOneOfTwoKeeps(t *testing.T) {
	for _, ahead := range []time.Duration{0, time.Millisecond, -time.Millisecond, 5 * time.Hour, -5 * time.Hour, -100 * 365 * 24 * time.Hour} {
		for _, failback := range []bool{true, false} {
			alpha := newDesk(t, failback)
			mirrored := alpha.cfg
			mirrored.Self, mirrored.Peer = "beta", "alpha"
			beta, _ := New(mirrored, epoch)
			held := epoch
			alpha.groups[0].held, beta.groups[0].held = held, held.Add(ahead)
			alpha.peer.since[0], beta.peer.since[0] = beta.groups[0].held.UnixMilli(), alpha.groups[0].held.UnixMilli()
			alpha.peer.autoBack, beta.peer.autoBack = failback, failback
			if alpha.keeps(alpha.groups[0]) == beta.keeps(beta.groups[0]) {
				t.Errorf("clocks %v apart, auto_failback %v: both keep, or none: %v", ahead, failback, alpha.keeps(alpha.groups[0]))
			}
		}
	}
}
