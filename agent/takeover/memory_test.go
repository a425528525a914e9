package takeover

import (
	"slices"
	"testing"
	"time"

	"github.com/systole-ha/systole/agent/event"
)

const (
	ours   = "IPaddr::192.0.2.10"
	theirs = "IPaddr::192.0.2.20"
)

// heldAll is what a daemon leaves that held both groups.
func heldAll() Memory {
	since := epoch.Add(-time.Hour)
	return Memory{Groups: []Left{
		{Group: ours, Resources: []string{ours}, Aim: AimHold, Holds: true, Since: since},
		{Group: theirs, Resources: []string{theirs}, Aim: AimHold, Holds: true, Since: since, Failback: true},
	}}
}

// TestARestartBesideHeartbeat: a 3.0.6 node takes a side that nobody claims, so
// that what the last daemon held is claimed from the first word on.
func TestARestartBesideHeartbeat(t *testing.T) {
	d := newDeskAfter(t, false, heldAll(), ours, theirs)
	d.act(d.PeerAlive(d.now, false))
	d.act(d.CommunicationUp(d.now))
	d.expect("communication is up", "starting", "resource all 0")
	d.hear("resource none 1")
	d.expect("the peer holds nothing", "resource all 1")
	for _, g := range d.View().Groups {
		if g.State != "running" || g.Holder != "alpha" || !g.Since.Equal(epoch.Add(-time.Hour)) {
			t.Errorf("%s is %s, held by %s since %v", g.Key, g.State, g.Holder, g.Since)
		}
	}
	for _, e := range d.events {
		switch e.(type) {
		case event.TakeoverStarted, event.ReleaseStarted:
			t.Errorf("%s", event.Text(e))
		}
	}
}

// TestAMemoryIsAHint: what the peer says is stronger, and so is what is found.
func TestAMemoryIsAHint(t *testing.T) {
	d := newDeskAfter(t, false, heldAll(), ours, theirs)
	d.act(d.PeerAlive(d.now, false))
	d.act(d.CommunicationUp(d.now))
	d.hear("resource local 1") // the peer has taken its own meanwhile
	if d.running[theirs] || !d.running[ours] {
		t.Errorf("running: %v, want what the peer does not hold", d.running)
	}

	d = newDeskAfter(t, false, heldAll(), theirs)
	d.act(d.PeerAlive(d.now, false))
	d.act(d.CommunicationUp(d.now))
	d.hear("resource none 1")
	if !d.running[theirs] || !d.running[ours] {
		t.Errorf("running: %v, want both: one has stopped while no daemon ran", d.running)
	}
}

// TestWhatIsLeft is what one daemon leaves being what the next one leaves, too.
func TestWhatIsLeft(t *testing.T) {
	d := newDeskAfter(t, true, heldAll(), ours, theirs)
	if got := d.Memory(); !got.Equal(heldAll()) {
		t.Errorf("before anything is decided it leaves\n%+v\nwant\n%+v", got, heldAll())
	}
	d.act(d.PeerAlive(d.now, false))
	d.act(d.CommunicationUp(d.now))
	d.hear("resource none 1")
	got := d.Memory()
	if !slices.EqualFunc(got.Groups, heldAll().Groups, func(a, b Left) bool { return a.Since.Equal(b.Since) && a.Failback == b.Failback && a.Aim == b.Aim }) {
		t.Errorf("then it leaves\n%+v\nwant\n%+v", got, heldAll())
	}
	d.act(d.Leave(d.now))
	if got := d.Memory(); len(got.Groups) > 0 || !d.Left() {
		t.Errorf("after a stop it leaves %+v, want nothing", got)
	}
}

// TestWhatWasHeldMayNotBeKept: permission to hold is asked of what a daemon
// finds, too.
func TestWhatWasHeldMayNotBeKept(t *testing.T) {
	left := heldAll()
	left.Gone = peerDead
	for _, keep := range []bool{true, false} {
		d := newDeskAfter(t, false, left, ours, theirs)
		d.act(d.Permit(d.now, Permit{Keep: keep}))
		d.act(d.CommunicationUp(d.now))
		if got := len(d.running) == 2; got != keep {
			t.Errorf("permission to keep %v, running %v", keep, d.running)
		}
	}
}
