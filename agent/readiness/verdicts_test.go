package readiness

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/systole-ha/systole/agent/core"
	"github.com/systole-ha/systole/agent/membership"
	"github.com/systole-ha/systole/agent/takeover"
	"github.com/systole-ha/systole/resources"
)

func TestEveryCheckFindsItsFault(t *testing.T) {
	member := func(w *world) *membership.View { return &w.snapshot.Members[0] }
	for _, tt := range []struct {
		name   string
		change func(w *world)
		check  string
		want   string // the reason; the check is ready if it begins with "ready: "
	}{
		{"all is well", func(*world) {}, UnitsLoadable, "ready: 1 unit"},
		{
			"a unit that is masked", func(w *world) {
				w.findings = []resources.Finding{{Fatal: true, Text: "nginx.service is masked"}, {Text: "starts at boot"}}
			}, UnitsLoadable, "nginx.service is masked",
		},
		{
			"a systemd that does not answer", func(w *world) {
				w.findings = []resources.Finding{{Unknown: true, Text: "nginx.service could not be examined:\nno connection"}}
			}, UnitsLoadable, "nginx.service could not be examined:; no connection",
		},
		{
			"a unit that is merely enabled", func(w *world) {
				w.findings = []resources.Finding{{Text: "nginx.service starts at boot beside systole"}}
			}, UnitsLoadable, "ready: 1 unit",
		},
		{"all is well with the interface", func(*world) {}, InterfaceUp, "ready: eth0 carries"},
		{
			"an interface that is down, told once", func(w *world) { w.place = resources.Place{Interface: "eth0"} },
			InterfaceUp, "eth0 is down",
		},
		{
			"a cable that is out", func(w *world) { w.place.Carrier = false },
			InterfaceUp, "eth0 has no carrier",
		},
		{
			"no place for an address", func(w *world) { w.placeErr = errors.New("no such interface eth0") },
			InterfaceUp, shared + ": no such interface eth0; " + alone + ": no such interface eth0",
		},
		{"the peer answers for what it holds", func(*world) {}, AddressFree, "ready: asked on eth0"},
		{
			"two machines answer for what the peer holds",
			func(w *world) {
				w.probes[shared] = resources.Probe{Asked: true, Interface: "eth0", Others: []string{mine, another}}
			},
			AddressFree, "alpha holds " + shared + ", but 2 answer for it: " + mine + ", " + another,
		},
		{
			"nobody answers for what the peer holds",
			func(w *world) { w.probes[shared] = resources.Probe{Asked: true, Interface: "eth0"} },
			AddressFree, "alpha holds " + shared + ", but nobody answers for it on eth0",
		},
		{
			"a Heartbeat peer has said that it holds it, and has not started it yet",
			func(w *world) {
				w.probes[shared] = resources.Probe{Asked: true, Interface: "eth0"}
				w.snapshot.Takeover.Groups[0].Claimed = w.snapshot.Now.Add(-time.Minute + time.Second)
			},
			AddressFree, "ready: asked on eth0",
		},
		{
			"it has had a minute to start it",
			func(w *world) {
				w.probes[shared] = resources.Probe{Asked: true, Interface: "eth0"}
				w.snapshot.Takeover.Groups[0].Claimed = w.snapshot.Now.Add(-time.Minute)
			},
			AddressFree, "alpha holds " + shared + ", but nobody answers for it on eth0",
		},
		{
			"nobody can be asked",
			func(w *world) { w.probes[shared] = resources.Probe{Unasked: "eth0 is down", Interface: "eth0"} },
			AddressFree, "ready: not asked: eth0 is down; asked on eth0",
		},
		{
			"somebody answers for what is held here",
			func(w *world) {
				w.probes[alone] = resources.Probe{Asked: true, Interface: "eth0", Held: true, Others: []string{another}}
			},
			AddressFree, alone + " is held here, but " + another + " answers for it, too",
		},
		{
			"somebody answers for what was taken away from here",
			func(w *world) {
				w.probes[alone] = resources.Probe{Asked: true, Interface: "eth0", Others: []string{another}}
			},
			AddressFree, alone + " is held here, but " + another + " answers for it, too",
		},
		{
			"somebody answers for what nobody holds",
			func(w *world) { w.snapshot.Takeover.Groups[0].Holder = "" },
			AddressFree, "nobody holds " + shared + ", but " + mine + " answers for it",
		},
		{
			"a dead peer whose kernel still answers",
			func(w *world) {
				w.snapshot.Takeover.Groups[0].Holder, w.snapshot.Takeover.Peer = "", takeover.PeerView{}
				member(w).State = membership.Dead
			},
			AddressFree, "nobody holds " + shared + ", but " + mine + " answers for it",
		},
		{
			"a peer that has not said yet what it holds",
			func(w *world) {
				w.snapshot.Takeover.Groups[0].Holder, w.snapshot.Takeover.Peer.Told = "", false
			},
			AddressFree, "ready: asked on eth0",
		},
		{
			"a group on the move", func(w *world) {
				w.snapshot.Takeover.Stable = false
				w.probes[shared] = resources.Probe{Asked: true, Interface: "eth0"}
			}, AddressFree, "ready: asked on eth0",
		},
		{
			"a group that moved while it was asked for", func(w *world) {
				w.probes[shared] = resources.Probe{Asked: true, Interface: "eth0", Held: true}
				w.snapshots = func(n int) core.Snapshot {
					s := w.snapshot
					if n > 2 { // the look's own, the one before the question, the one after it
						s.Takeover.Groups = append([]takeover.GroupView{{Key: shared, State: "running", Holder: "beta"}}, s.Takeover.Groups[1:]...)
					}
					return s
				}
			}, AddressFree, "ready: asked on eth0",
		},
		{"two links", func(*world) {}, LinkRedundant, "ready: alpha is heard on eth0, eth1"},
		{
			"one of two links", func(w *world) { member(w).Links[1].Up = false },
			LinkRedundant, "alpha is heard on eth0 only, not on eth1",
		},
		{
			"two of three links", func(w *world) {
				member(w).Links = append(member(w).Links, membership.LinkView{Link: "/dev/ttyS0"})
			}, LinkRedundant, "ready: alpha is heard on eth0, eth1",
		},
		{
			"two lines for one cable, and a dead line", func(w *world) {
				member(w).Links[1].Link = "eth0"
				member(w).Links = append(member(w).Links, membership.LinkView{Link: "/dev/ttyS0"})
			}, LinkRedundant, "alpha is heard on eth0 only, not on /dev/ttyS0",
		},
		{
			"the only link there is", func(w *world) { member(w).Links = member(w).Links[:1] },
			LinkRedundant, "ready: only one link is configured, eth0",
		},
		{
			"a peer that is dead", func(w *world) { member(w).State = membership.Dead; member(w).Links[0].Up = false },
			LinkRedundant, "ready: alpha is dead",
		},
		{"files alike", func(*world) {}, ConfigMatch, "ready: the same as on alpha: ha.cf, haresources"},
		{
			"a file that differs", func(w *world) { w.snapshot.Peers[0].Differ = []string{"haresources"} },
			ConfigMatch, "not the same as on alpha: haresources",
		},
		{
			"a file that differed when the peer was last there", func(w *world) {
				w.snapshot.Peers[0].Differ = []string{"haresources"}
				member(w).State = membership.Dead
			}, ConfigMatch, "ready: alpha is not there",
		},
		{
			"a Heartbeat node", func(w *world) { w.snapshot.Peers[0] = core.PeerView{Name: "alpha"} },
			ConfigMatch, "ready: alpha does not say what its files are",
		},
		{"clocks alike", func(*world) {}, Clock, "ready: the clock of alpha is within a second of ours"},
		{
			"a clock that differs", func(w *world) {
				w.snapshot.Peers[0].Skewed, w.snapshot.Peers[0].Offset = true, -3123*time.Millisecond
			}, Clock, "the clock of alpha is 3.1s behind ours",
		},
		{
			"a clock that is told by nobody", func(w *world) { w.snapshot.Peers[0] = core.PeerView{Name: "alpha"} },
			Clock, "ready: alpha does not say what its clock is",
		},
		{
			"a state directory that is not there", func(w *world) { w.stateDir = "/nowhere" },
			Disk, "open /nowhere/writable: no such file or directory",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			tt.change(w)
			report := w.checker().look(t.Context(), true)
			want := Verdict{Check: tt.check, Reason: tt.want}
			want.Reason, want.Ready = strings.CutPrefix(tt.want, "ready: ")
			for i, v := range report.Verdicts {
				if v.Check == tt.check && v != want {
					t.Errorf("%s:\n got %+v\nwant %+v", tt.check, v, want)
				}
				if v.Check != checks[i] {
					t.Errorf("verdict %d is on %s, want %s", i, v.Check, checks[i])
				}
				if v.Check != tt.check && !v.Ready {
					t.Errorf("%s as well: %s", v.Check, v.Reason)
				}
			}
			if report.Ready() != want.Ready {
				t.Errorf("ready is %v, want %v", report.Ready(), want.Ready)
			}
		})
	}
}

var checks = []string{UnitsLoadable, InterfaceUp, AddressFree, LinkRedundant, ConfigMatch, Clock, Disk}

func TestDiskLeavesNothingBehind(t *testing.T) {
	w := newWorld(t)
	if v := w.checker().disk(t.Context()); !v.Ready {
		t.Fatalf("not ready: %s", v.Reason)
	}
	left, err := filepath.Glob(filepath.Join(w.stateDir, "*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestDiskThatIsFull(t *testing.T) {
	w := newWorld(t)
	if err := os.Symlink("/dev/full", filepath.Join(w.stateDir, attempt)); err != nil {
		t.Fatal(err)
	}
	if v := w.checker().disk(t.Context()); v.Ready || !strings.Contains(v.Reason, "no space left on device") {
		t.Errorf("a full disk: %+v", v)
	}
}
