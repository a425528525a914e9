package takeover

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/agent/wire"
)

// A swap is one standby: the giver asks (me), the taker agrees (other), the
// giver releases and says so (done), the taker acquires and says so (done).
// Between systole nodes each group is started as soon as the giver says that
// it is stopped; a 3.0.6 node is waited for until its done.
type swap struct {
	role     role
	step     step
	trace    string // what both nodes' parts are traced by
	number   uint64 // the giver's number of it, carried by all messages; 0 from a 3.0.6 giver
	scope    string // all, local, foreign: always from the giver's view
	trigger  string
	groups   []*group
	deadline time.Time
	request  uint64 // the operator's, to be answered; 0 for none
	asked    uint64 // number of the peer's last message about it
	released bool   // taker: the giver has said done
	move     *move
}

type role int

const (
	giver role = iota
	taker
)

type step int

const (
	asking    step = iota // giver: waiting for other
	releasing             // giver: stopping groups
	awaiting              // giver: waiting for the taker's done
	taking                // taker: until everything is acquired
)

func (s *swap) has(g *group) bool { return s != nil && slices.Contains(s.groups, g) }

// ask begins a standby as giver. It is answered to the operator's request, if
// there is one, when the peer agrees or does not. A 3.0.6 node takes the whole
// side, whatever of it was meant.
func (t *Takeover) ask(now time.Time, trigger, scope string, groups []*group, request uint64) {
	if !t.peer.systole {
		groups = t.scoped(scope)
	}
	t.lastID++
	t.swap = &swap{
		role: giver, step: asking, number: t.lastID, scope: scope, trigger: trigger, groups: groups,
		deadline: now.Add(askTimeout), request: request, trace: t.cfg.NewTrace(),
	}
	t.askResources("me")
}

// askResources sends one message of a standby. The groups are named only where
// they are not the whole side, which a 3.0.6 node has no word for.
func (t *Takeover) askResources(info string) {
	words := []string{"rsc_hold", t.swap.scope, "info", info}
	if t.peer.systole {
		words = append(words, "sygroups", indices(t.swap.groups), "sytrigger", t.swap.trigger)
	}
	t.send("ask_resources", words...)
}

// asked takes in the peer's part of a standby.
func (t *Takeover) asked(now time.Time, number uint64, m *wire.Message) {
	s := t.swap
	switch info := string(m.Get("info")); {
	case info == "me":
		t.consent(now, number, m)
	case s == nil || number <= s.asked || string(m.Get("rsc_hold")) != s.scope: // about another
	case info == "other" && s.role == giver && s.step == asking:
		s.asked = number
		t.give(now)
	case info == "refused" && s.role == giver && s.step == asking:
		t.retryOffer = now.Add(t.backoff())
		t.refuse(s.request, string(m.Get("syreason")))
		t.swap = nil
	case info == "done" && s.role == giver && s.step == awaiting:
		t.given(now)
	case info == "done" && s.role == taker:
		s.asked, s.released = number, true
		t.disclaimed()
	}
}

// disclaimed notes that a 3.0.6 giver has stopped what it gives up; it says what
// it holds only when all is over.
func (t *Takeover) disclaimed() {
	if t.peer.systole {
		return
	}
	for _, g := range t.scoped(mirror(t.swap.scope)) {
		t.peer.state[g.index], t.peer.serves[g.index], t.peer.left[g.index] = '-', false, false
	}
}

// give releases what the peer has agreed to take.
func (t *Takeover) give(now time.Time) {
	s := t.swap
	t.accept(s.request)
	s.step, s.deadline = releasing, now.Add(moveTimeout)
	for side := range t.vacant {
		if s.scope == "all" || s.scope == sideNames[side] {
			t.vacant[side] = false
		}
	}
	if s.trigger == byStandby {
		t.standby = now
	}
	var holding []*group
	for _, g := range s.groups {
		if g.holds() {
			holding = append(holding, g)
		} else {
			g.failback, g.aim = false, release
		}
	}
	s.move = t.relinquish(now, s.trigger, holding)
}

// given ends a standby of ours: the peer has acquired what it could.
func (t *Takeover) given(now time.Time) {
	if !t.peer.systole {
		for _, g := range t.swap.groups {
			t.peer.claims(g, now)
		}
	}
	t.swap = nil
}

// consent answers a peer that wants to give groups up.
func (t *Takeover) consent(now time.Time, number uint64, m *wire.Message) {
	reason := t.unable()
	if reason == "" && now.Before(t.listenUntil) {
		// The offer may have waited while this node stood still, and the peer may
		// have called it dead and taken everything since.
		reason = t.cfg.Self + " stood still, and listens before it takes anything"
	}
	if reason == "" {
		reason = t.unreachable(t.named(string(m.Get("rsc_hold")), m), string(m.Get("sytrigger")))
	}
	if reason != "" {
		t.emit(event.MoveRefused{Request: byStandby, By: t.cfg.Self, Groups: string(m.Get("rsc_hold")), Reason: reason})
		if t.peer.systole {
			t.send("ask_resources", "rsc_hold", string(m.Get("rsc_hold")), "info", "refused", "syreason", reason)
		}
		return
	}
	s := &swap{
		role: taker, step: taking, scope: string(m.Get("rsc_hold")), trigger: byStandby,
		deadline: now.Add(moveTimeout), asked: number,
	}
	s.number, _ = m.Hex("syswap")
	if s.trace = ValidTrace(m.Get("sytrace")); s.trace == "" {
		s.trace = t.cfg.NewTrace()
	}
	switch trigger := string(m.Get("sytrigger")); trigger {
	case byStandby, byTakeover, byFailback, byFailure, byCarrier, byPing:
		s.trigger = trigger
	}
	s.groups = slices.DeleteFunc(t.named(s.scope, m), func(g *group) bool { return g.aim == hold })
	t.swap = s
	t.acceptTakeover()
	s.move = t.acquire(now, s.trigger, s.groups)
	t.askResources("other")
	t.peer.stable = false
}

// unable is why this node cannot take part in a standby now; empty if it can.
func (t *Takeover) unable() string {
	switch {
	case t.phase == leaving || t.phase == left:
		return t.cfg.Self + " is stopping"
	case t.phase != stable:
		return t.cfg.Self + " does not take part yet"
	case t.swap != nil:
		return "a standby is in progress"
	case t.inFlux():
		return "resources are in transition on " + t.cfg.Self
	case t.forbidden.Take:
		return t.cfg.Self + " has no permission to take anything"
	}
	return ""
}

// named is the groups a standby of the peer's is about: those it names, or the
// whole side of its rsc_hold, which is from its view.
func (t *Takeover) named(scope string, m *wire.Message) []*group {
	if list := m.Get("sygroups"); list != nil && t.peer.systole {
		var groups []*group
		for word := range strings.SplitSeq(string(list), ",") {
			if i, err := strconv.Atoi(word); err == nil && i >= 0 && i < len(t.groups) && !slices.Contains(groups, t.groups[i]) {
				groups = append(groups, t.groups[i])
			}
		}
		return groups
	}
	return t.scoped(mirror(scope))
}

// scoped is the groups of a side as this node sees it.
func (t *Takeover) scoped(scope string) []*group {
	var groups []*group
	for _, g := range t.groups {
		if scope == "all" || scope == sideNames[t.side(g)] {
			groups = append(groups, g)
		}
	}
	return groups
}

// mirror turns a side as one node sees it into the same side as the other
// does.
func mirror(scope string) string {
	switch scope {
	case "local":
		return "foreign"
	case "foreign":
		return "local"
	}
	return scope
}

// converse takes the standby in progress as far as it can go.
func (t *Takeover) converse(now time.Time) {
	s := t.swap
	if s == nil {
		return
	}
	if !now.Before(s.deadline) {
		t.abortSwap(now, "no answer from "+t.cfg.Peer)
		return
	}
	if t.peer.systole && t.peer.newest > s.asked {
		t.compare(now, s)
	}
	switch {
	case t.swap != s:
	case s.role == giver && s.step == releasing && s.move.settled():
		t.tell(now)
		s.step = awaiting
		t.askResources("done")
	case s.role == taker:
		t.take(now)
	}
}

// compare holds what the peer's newest message says of the standby against
// ours. Every message says it, so that a lost one does no harm.
func (t *Takeover) compare(now time.Time, s *swap) {
	same := t.peer.swap == s.number
	switch {
	case s.step == asking && same:
		s.asked = t.peer.newest
		t.give(now)
	case s.step == asking || same:
	case s.step == awaiting:
		t.given(now)
	default:
		t.abortSwap(now, t.cfg.Peer+" has ended it")
	}
}

// take starts what the giver has stopped and ends the standby when all of it
// has settled.
func (t *Takeover) take(now time.Time) {
	s := t.swap
	if t.peer.systole && !slices.ContainsFunc(s.groups, t.peer.may) {
		s.released = true
	}
	over := true
	for _, g := range s.groups {
		free := s.released
		if t.peer.systole {
			free = !t.peer.may(g)
		}
		switch {
		case slices.Contains(s.move.groups, g):
			over = over && g.settled()
		case free && t.forbidden.Take:
			over = false
		case free:
			t.join(now, s.move, g)
			t.drive(now, g)
			over = over && g.settled()
		default:
			over = over && s.released // the giver could not stop it, and has said so
		}
	}
	if !over || !s.released {
		return
	}
	for side := range t.vacant {
		if s.scope == "all" || mirror(s.scope) == sideNames[side] {
			t.vacant[side] = true
		}
	}
	t.swap = nil
	t.tell(now)
	t.send("ask_resources", "rsc_hold", s.scope, "info", "done")
}

// abortSwap ends a standby that cannot go on. What is released stays released
// until decide says whose it is.
func (t *Takeover) abortSwap(now time.Time, reason string) {
	s := t.swap
	if s == nil {
		return
	}
	if s.role == giver && s.step == asking {
		t.refuse(s.request, reason)
	}
	t.retryOffer = now.Add(t.backoff())
	t.swap = nil
}

// backoff keeps two nodes that refused each other from asking in step.
func (t *Takeover) backoff() time.Duration {
	if t.cfg.Self < t.cfg.Peer {
		return offerBackoff
	}
	return offerBackoff * 3 / 2
}

func indices(groups []*group) string {
	words := make([]string, len(groups))
	for i, g := range groups {
		words[i] = strconv.Itoa(g.index)
	}
	return strings.Join(words, ",")
}
