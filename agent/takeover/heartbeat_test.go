package takeover

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/agent/wire"
	"github.com/systole-ha/systole/resources"
)

// These tests play the part of a Heartbeat 3.0.6 node, message by message as
// two real nodes were seen to exchange them.

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// A desk is one judgement whose orders are carried out at once.
type desk struct {
	*Takeover
	t       *testing.T
	now     time.Time
	number  uint64
	said    []string // our messages, in heartbeat's own words
	running map[string]bool
	broken  map[string]bool
	replies []Reply
	events  []event.Event
	told    int // announcements
}

func newDesk(t *testing.T, autoFailback bool) *desk {
	return newDeskAfter(t, autoFailback, Memory{})
}

// newDeskAfter is one that another daemon ran before.
func newDeskAfter(t *testing.T, autoFailback bool, left Memory, running ...string) *desk {
	d := &desk{t: t, now: epoch, running: map[string]bool{}, broken: map[string]bool{}}
	group := func(node, address string) Group {
		return Group{Preferred: node, Resources: []Resource{{Spec: resources.Spec{Name: "IPaddr", Args: []string{address}}, Driver: "ipaddr", Announced: true}}}
	}
	cfg := Config{
		Self: "alpha", Peer: "beta", AutoFailback: autoFailback, Keepalive: time.Second, Hash: "h", NewTrace: func() string { return "11112222333344445555666677778888" }, Incident: func() string { return "88887777666655554444333322221111" },
		Groups: []Group{group("alpha", "192.0.2.10"), group("beta", "192.0.2.20")},
	}
	cfg.Memory = left
	for _, name := range running {
		d.running[name] = true
	}
	var out Output
	d.Takeover, out = New(cfg, d.now)
	d.act(out)
	return d
}

// act carries orders out and notes what was said.
func (d *desk) act(out Output) {
	d.replies = append(d.replies, out.Replies...)
	d.events = append(d.events, out.Events...)
	for _, m := range out.Send {
		d.said = append(d.said, brief(&m))
	}
	for _, o := range out.Orders {
		name := o.Resource.Spec.String()
		done := Done{Order: o.ID, Found: resources.Stopped}
		switch o.Op {
		case Start:
			if d.broken[name] {
				done.Err = errors.New("broken")
			} else {
				d.running[name] = true
			}
		case Stop:
			delete(d.running, name)
		case Announce:
			d.told++
		}
		if d.running[name] {
			done.Found = resources.Running
		}
		d.act(d.Takeover.Done(d.now, done))
	}
}

// brief is a message as the tables of this file write it.
func brief(m *wire.Message) string {
	words := []string{string(m.Get("t"))}
	for _, field := range []string{"rsc_hold", "isstable", "info", "st"} {
		if m.Has(field) {
			words = append(words, string(m.Get(field)))
		}
	}
	return strings.Join(words, " ")
}

// hear takes in a message of the peer: "resource none 1", "ask_resources
// foreign other".
func (d *desk) hear(text string) {
	words := strings.Fields(text)
	m := wire.New("t", words[0])
	for _, word := range words[1:] {
		switch word {
		case "none", "local", "foreign", "all":
			m.Set("rsc_hold", word)
		case "0", "1":
			m.Set("isstable", word)
		case "dead":
			m.Set("st", word)
		default:
			m.Set("info", word)
		}
	}
	d.number++
	d.act(d.Heard(d.now, d.now, d.number, &m))
}

// expect holds what was said since the last time against what a real node was
// seen to say.
func (d *desk) expect(when string, want ...string) {
	d.t.Helper()
	if !slices.Equal(d.said, want) {
		d.t.Errorf("%s, alpha says\n got %q\nwant %q", when, d.said, want)
	}
	d.said = nil
}

func (d *desk) holds(when string, want ...string) {
	d.t.Helper()
	var got []string
	for name := range d.running {
		got = append(got, strings.TrimPrefix(name, "IPaddr::"))
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		d.t.Errorf("%s, alpha holds %v, want %v", when, got, want)
	}
}

// together brings both nodes to where each holds its own.
func together(t *testing.T, autoFailback bool) *desk {
	d := newDesk(t, autoFailback)
	d.act(d.PeerAlive(d.now, false))
	d.act(d.CommunicationUp(d.now))
	d.hear("resource none 0")
	d.hear("resource local 1")
	d.said = nil
	return d
}

func TestStartTogetherWithHeartbeat(t *testing.T) {
	d := newDesk(t, true)
	d.act(d.PeerAlive(d.now, false))
	d.act(d.CommunicationUp(d.now))
	d.expect("active", "starting", "resource none 0")
	d.hear("starting")
	d.expect("asked while nothing is known of the peer", "starting", "resource none 0")
	d.hear("resource none 0")
	d.expect("knowing that the peer holds nothing", "resource local 1")
	d.holds("knowing that the peer holds nothing", "192.0.2.10")
	d.hear("starting")
	d.expect("asked again", "resource local 1")
	d.hear("resource local 1")
	d.expect("when the peer has its own")
}

func TestAHeartbeatPeerThatNeverTellsIsNotWaitedForForEver(t *testing.T) {
	d := newDesk(t, true)
	d.act(d.PeerAlive(d.now, false))
	d.act(d.CommunicationUp(d.now))
	if got, want := d.Wake(), d.now.Add(10*time.Second); got != want {
		t.Errorf("Wake = %v, want %v", got, want)
	}
	d.now = d.now.Add(10 * time.Second)
	d.act(d.Tick(d.now))
	d.holds("after ten seconds", "192.0.2.10")
}

func TestFailbackToHeartbeat(t *testing.T) {
	d := together(t, true)
	d.act(d.PeerDead(d.now, event.PeerDead{Peer: "beta"}))
	d.holds("after beta's death", "192.0.2.10", "192.0.2.20")
	d.expect("after beta's death", "resource all 1")
	d.act(d.PeerAlive(d.now, true))
	d.expect("when beta is back", "resource all 1")
	d.hear("starting")
	d.expect("asked", "resource all 1")
	d.hear("resource none 0")
	d.expect("while beta is not stable")
	d.hear("resource none 1")
	d.expect("when beta needs nothing", "ask_resources foreign me")
	d.hear("ask_resources foreign other")
	d.expect("when beta agrees", "resource local 0 standby", "ask_resources foreign done")
	d.holds("when beta agrees", "192.0.2.10")
	d.hear("resource local 1")
	d.hear("ask_resources foreign done")
	d.expect("when beta has acquired", "resource local 1")
}

func TestNoFailbackWhereItIsOff(t *testing.T) {
	d := together(t, false)
	d.act(d.PeerDead(d.now, event.PeerDead{Peer: "beta"}))
	d.act(d.PeerAlive(d.now, true))
	d.hear("starting")
	d.hear("resource none 1")
	d.said = nil
	d.now = d.now.Add(time.Minute)
	d.act(d.Tick(d.now))
	d.expect("a minute later")
	d.holds("a minute later", "192.0.2.10", "192.0.2.20")
}

func TestHeartbeatStopsCleanly(t *testing.T) {
	d := together(t, true)
	d.hear("resource none 0 shutdown")
	d.holds("before beta has stopped anything, whatever it claims", "192.0.2.10")
	d.hear("shutdone dead")
	d.holds("when beta has stopped", "192.0.2.10", "192.0.2.20")
	d.expect("when beta has stopped", "resource all 1")
}

func TestStopCleanlyBesideHeartbeat(t *testing.T) {
	d := together(t, true)
	d.act(d.Leave(d.now))
	d.expect("stopping", "resource none 0 shutdown", "shutdone dead")
	d.holds("stopping")
	if !d.Left() {
		t.Error("it has not left")
	}
}

func TestHeartbeatGoesStandby(t *testing.T) {
	d := together(t, true)
	d.hear("ask_resources local me")
	d.expect("asked to take", "ask_resources local other")
	d.hear("resource none 0 standby")
	d.holds("before beta's done, whatever it claims", "192.0.2.10")
	d.hear("ask_resources local done")
	d.holds("after beta's done", "192.0.2.10", "192.0.2.20")
	d.expect("after beta's done", "resource all 1", "ask_resources local done")
}

func TestStandbyToHeartbeat(t *testing.T) {
	d := together(t, true)
	d.act(d.Request(d.now, Request{ID: 7, Kind: "standby", Scope: "all"}))
	d.expect("asked by an operator", "ask_resources all me")
	if d.replies != nil {
		t.Errorf("answered before the peer has: %v", d.replies)
	}
	d.hear("ask_resources all other")
	d.expect("when beta agrees", "resource none 0 standby", "ask_resources all done")
	if want := []Reply{{ID: 7, Accepted: true}}; !slices.Equal(d.replies, want) {
		t.Errorf("replies %v, want %v", d.replies, want)
	}
	d.hear("resource all 1")
	d.hear("ask_resources all done")
	d.expect("when beta has acquired", "resource none 1")
	d.holds("when beta has acquired")
	d.now = d.now.Add(time.Minute)
	d.act(d.Tick(d.now))
	d.holds("a minute later")
}

func TestAnAnswerIsToTheStandbyThatItNames(t *testing.T) {
	d := together(t, true)
	d.act(d.Request(d.now, Request{ID: 7, Kind: "standby", Scope: "local"}))
	d.said = nil
	d.hear("ask_resources foreign other")
	d.expect("when beta agrees to one of before")
	d.holds("when beta agrees to one of before", "192.0.2.10")
	d.hear("ask_resources local other")
	d.hear("ask_resources foreign done")
	d.expect("when beta ends one of before", "resource none 0 standby", "ask_resources local done")
	d.hear("ask_resources local done")
	d.expect("when beta has acquired", "resource none 1")
}

func TestAHeartbeatPeerRefusesBySilence(t *testing.T) {
	d := together(t, true)
	d.act(d.Request(d.now, Request{ID: 7, Kind: "standby", Scope: "all"}))
	d.now = d.now.Add(10 * time.Second)
	d.act(d.Tick(d.now))
	if want := []Reply{{ID: 7, Reason: "no answer from beta"}}; !slices.Equal(d.replies, want) {
		t.Errorf("replies %v, want %v", d.replies, want)
	}
	d.holds("after ten seconds", "192.0.2.10")
}

func TestHeartbeatAsksForTakeover(t *testing.T) {
	for scope, ours := range map[string]string{"all": "all", "local": "foreign", "foreign": "local", "failback": "all"} {
		d := together(t, true)
		d.hear("hb_takeover " + scope)
		d.expect(fmt.Sprintf("beta wants %s", scope), "ask_resources "+ours+" me")
	}
}

func TestAFailedLocalGroupIsOfferedToHeartbeat(t *testing.T) {
	d := newDesk(t, true)
	d.broken["IPaddr::192.0.2.10"] = true
	d.act(d.PeerAlive(d.now, false))
	d.act(d.CommunicationUp(d.now))
	d.hear("resource none 0")
	d.hear("resource local 1")
	if !slices.Contains(d.said, "ask_resources local me") {
		t.Errorf("alpha says %q and offers nothing", d.said)
	}
}

func TestBothStopAtOnce(t *testing.T) {
	d := together(t, true)
	d.act(d.Leave(d.now))
	d.hear("resource none 0 shutdown")
	d.hear("shutdone dead")
	d.holds("both stopping")
}

// count is how many events of a kind there were.
func (d *desk) count(kind string) int {
	n := 0
	for _, e := range d.events {
		if e.Kind() == kind {
			n++
		}
	}
	return n
}

func TestAPartitionFromHeartbeatHeals(t *testing.T) {
	d := together(t, true)
	d.act(d.PeerDead(d.now, event.PeerDead{Peer: "beta"}))
	d.now = d.now.Add(20 * time.Second)
	d.act(d.Tick(d.now))
	d.said = nil
	d.act(d.PeerAlive(d.now, false))
	d.hear("resource all 1") // from the time of the partition, sent again
	d.expect("when beta is heard again, alive all along")
	if got := d.count("split_brain.suspected"); got != 1 {
		t.Errorf("%d reports of a split, want one", got)
	}
	d.now = d.now.Add(2 * time.Second)
	d.act(d.Tick(d.now))
	d.hear("resource none 0 shutdown")
	d.holds("before beta has stopped anything", "192.0.2.10", "192.0.2.20")
	before := d.told
	d.hear("shutdone dead")
	d.holds("when beta has given up", "192.0.2.10", "192.0.2.20")
	if d.told == before {
		t.Error("nothing was announced anew, although neighbours may believe beta")
	}
	if got := d.count("split_brain.cleared"); got != 1 {
		t.Errorf("%d reports of its end, want one", got)
	}
	d.now = d.now.Add(time.Minute)
	d.act(d.Tick(d.now))
	d.holds("a minute later", "192.0.2.10", "192.0.2.20")
}

func TestAHeartbeatPeerThatNeverMissedUsKeepsWhatItHolds(t *testing.T) {
	d := together(t, true)
	d.act(d.PeerDead(d.now, event.PeerDead{Peer: "beta"})) // only alpha was deaf
	d.act(d.PeerAlive(d.now, false))
	d.said = nil
	d.now = d.now.Add(4 * time.Second)
	d.act(d.Tick(d.now))
	d.expect("while beta may be about to restart itself")
	d.now = d.now.Add(time.Second)
	d.act(d.Tick(d.now))
	d.expect("when it has not", "starting", "resource all 1")
	d.hear("resource local 1")
	d.holds("when it says what it holds", "192.0.2.10")
	d.hear("starting")
	d.hear("resource local 1")
	d.holds("both in peace", "192.0.2.10")
}

func TestAHeartbeatPeerThatIsDeafTakesEverything(t *testing.T) {
	d := together(t, true)
	d.hear("resource all 1") // it takes us for dead
	d.holds("when beta says that it holds everything")
	d.expect("when beta says that it holds everything", "resource none 1")
	d.hear("resource none 0 shutdown") // it hears us again
	d.hear("shutdone dead")
	d.holds("when beta has given up", "192.0.2.10", "192.0.2.20")
}

func TestAHeartbeatGiverHoldsNothingOnceItIsDone(t *testing.T) {
	d := together(t, true)
	d.hear("ask_resources local me")
	d.hear("resource none 0 standby")
	d.hear("ask_resources local done")
	d.hear("resource none 1")
	if got := d.count("split_brain.suspected"); got != 0 {
		t.Errorf("%d reports of a split, want none", got)
	}
	d.holds("after an ordinary standby", "192.0.2.10", "192.0.2.20")
}

func TestHeartbeatTakesOverWhatItHasJustGivenBack(t *testing.T) {
	d := together(t, false)
	d.hear("resource foreign mach_down") // its script had begun before we were back
	d.holds("when its script has started what prefers alpha")
	d.expect("when its script has started what prefers alpha", "resource none 1")
}

func TestWhatAHeartbeatPeerLeftRunningIsOfferedToIt(t *testing.T) {
	d := newDesk(t, true)
	d.act(d.PeerAlive(d.now, false))
	d.act(d.CommunicationUp(d.now))
	d.hear("resource all 1")
	d.said = nil
	d.act(d.PeerAlive(d.now, true)) // its daemon was killed, and is back before it was missed
	d.expect("when beta is back", "resource none 1")
	d.hear("starting")
	d.hear("resource none 0")
	d.holds("while beta knows of nothing")
	d.said = nil
	d.hear("resource local 1")
	d.expect("when beta takes part", "ask_resources local me")
	d.hear("ask_resources local other")
	d.expect("when beta agrees", "resource none 0 standby", "ask_resources local done")
	d.hear("resource all 1")
	d.hear("ask_resources local done")
	d.expect("when beta knows", "resource none 1")
	d.holds("when beta knows")
	d.act(d.PeerDead(d.now, event.PeerDead{Peer: "beta"}))
	d.holds("after beta's death", "192.0.2.10", "192.0.2.20")
}

func TestWhatAHeartbeatPeerLeftRunningComesOnRequest(t *testing.T) {
	d := newDesk(t, true)
	d.act(d.PeerAlive(d.now, false))
	d.act(d.CommunicationUp(d.now))
	d.hear("resource all 1")
	d.act(d.PeerAlive(d.now, true))
	d.hear("resource local 1")
	d.now = d.now.Add(10 * time.Second) // beta was busy
	d.act(d.Tick(d.now))
	d.said = nil
	d.act(d.Request(d.now, Request{ID: 7, Kind: "takeover", Scope: "local"}))
	d.hear("ask_resources foreign me")
	d.hear("ask_resources foreign done")
	d.holds("when beta has stopped it", "192.0.2.10")
}
