package takeover

import (
	"time"

	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/agent/wire"
)

// A side is the groups a node is preferred for, or the others.
type side int

const (
	local side = iota
	foreign
)

var sideNames = [2]string{"local", "foreign"}

// A claim is what a resource message says: sides, and whether that will stay.
type claim struct {
	sides  [2]bool
	stable bool
	said   bool
}

// claim is what this node claims now. It claims a side as soon as it means to
// hold a group of it, before anything runs, as heartbeat does, and when the
// daemon before it did, or the peer would take it in good faith; and a side
// without groups by the same rules, for a 3.0.6 peer keeps books by sides.
func (t *Takeover) claim() claim {
	c := claim{stable: t.phase == stable && t.swap == nil, said: true}
	empty := [2]bool{true, true}
	for _, g := range t.groups {
		empty[t.side(g)] = false
		if g.aim == hold || g.aim == undecided && g.kept() {
			c.sides[t.side(g)] = true
		}
	}
	for s := range empty {
		if empty[s] {
			c.sides[s] = t.vacant[s]
		}
	}
	return c
}

func holdWord(sides [2]bool) string {
	switch sides {
	case [2]bool{true, true}:
		return "all"
	case [2]bool{true, false}:
		return "local"
	case [2]bool{false, true}:
		return "foreign"
	}
	return "none"
}

// tell sends a resource message when what it says has changed.
func (t *Takeover) tell(now time.Time) {
	t.noteHold()
	if t.phase == waiting || t.phase == left || t.hushed() {
		return
	}
	if c := t.claim(); c != t.told && !t.quiet() {
		t.sendResource(c)
	}
	t.tellGroups()
}

// quiet reports whether a 3.0.6 peer is told nothing new for now: a node of its
// kind says what it holds when it begins to give that up, and when it has taken
// all. A word in between that overtakes a lost message of the standby would
// have the peer refuse that as being in flux.
func (t *Takeover) quiet() bool {
	s := t.swap
	return s != nil && !t.peer.systole && t.told.said && (s.role == taker || s.step == asking)
}

func (t *Takeover) sendResource(c claim) {
	t.told = c
	words := []string{"rsc_hold", holdWord(c.sides), "rtype", "full", "isstable", digit(c.stable)}
	switch {
	case t.phase == leaving:
		words = append(words, "info", "shutdown")
	case t.swap != nil && t.swap.role == giver && t.swap.step == releasing:
		words = append(words, "info", "standby")
	}
	t.send("resource", words...)
}

// tellGroups tells a systole peer at once what has become free for it: it may
// be waiting for nothing else.
func (t *Takeover) tellGroups() {
	have := make([]byte, len(t.groups))
	for i, g := range t.groups {
		have[i] = g.letter()
	}
	before := t.toldGroups
	t.toldGroups = string(have) + t.ways() + t.pingWord()
	if !t.peer.alive || !t.peer.systole || before == t.toldGroups {
		return
	}
	if len(t.out.Send) == 0 { // else the news goes with what is sent anyway
		t.sendResource(t.claim())
	}
}

// noteHold reports a change of what cl_status rscstatus answers.
func (t *Takeover) noteHold() {
	if word := t.Hold(); word != t.hold {
		t.emit(event.HoldChanged{From: t.hold, To: word})
		t.hold = word
	}
}

// Hold is what cl_status rscstatus answers: none, local, foreign, all, or
// transition while anything is under way.
func (t *Takeover) Hold() string {
	switch {
	case t.phase == left:
		return "none"
	case t.phase != stable || t.swap != nil || t.inFlux():
		return "transition"
	}
	return holdWord(t.claim().sides)
}

// send queues a message for the peer. What describes us is added when the
// core sends it, at the end of the step.
func (t *Takeover) send(kind string, words ...string) {
	t.out.Send = append(t.out.Send, wire.New(append([]string{"t", kind}, words...)...))
}

// act does what a message asks for.
func (t *Takeover) act(now time.Time, number uint64, m *wire.Message) {
	switch string(m.Get("t")) {
	case "starting":
		t.told = claim{}
		if t.phase == joining && !t.peer.told {
			// Ours came before it took part, and was passed over.
			t.send("starting")
		}
	case "resource":
		t.toldOfResources(now, number, m)
	case "ask_resources":
		if string(m.Get("info")) == "refused" && m.Has("sydemand") {
			if t.demanded.id != 0 {
				t.refuseDemand(string(m.Get("syreason")))
			}
			return
		}
		t.asked(now, number, m)
	case "hb_takeover":
		t.obey(now, string(m.Get("rsc_hold")))
	case "num_ping_nodes", "you_are_dead", "abort_giveup":
		t.heardIPFail(now, m)
	case "shutdone":
		t.lose(now, peerLeft, "the peer has stopped")
	}
}

// toldOfResources reads a resource message. From a 3.0.6 node it is all there
// is to know; it removes a side before it has stopped anything, so that while
// it gives up or stops, only its done or shutdone counts.
func (t *Takeover) toldOfResources(now time.Time, number uint64, m *wire.Message) {
	p := &t.peer
	info := string(m.Get("info"))
	if info == "shutdown" {
		p.leaving = true
		t.abortSwap(now, t.cfg.Peer+" is stopping")
	}
	if p.systole || number != 0 && number < p.newest {
		return
	}
	p.newest = max(p.newest, number)
	if m.Has("isstable") {
		p.told = true
		p.stable = string(m.Get("isstable")) == "1"
	}
	if info == "mach_down" {
		t.replaced(now)
	}
	if info == "shutdown" || info == "standby" || info == "mach_down" || !m.Has("isstable") {
		return
	}
	t.claims(now, string(m.Get("rsc_hold")))
}

// replaced takes in that the script with which a 3.0.6 node replaces a dead one
// has ended there: what prefers this node runs on the peer, even if it has agreed
// on something else with a node that was back before the script was over.
func (t *Takeover) replaced(now time.Time) {
	for _, g := range t.groups {
		if t.local(g) {
			t.peer.claims(g, now)
		}
	}
}
