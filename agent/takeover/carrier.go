package takeover

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/systole-ha/systole/agent/event"
)

// How long a carrier that came back must stay before this node is good for
// another move because of it: the first time, and at most where it was lost
// again soon after.
const (
	carrierSteady     = 5 * time.Second
	carrierSteadyMost = 5 * time.Minute
)

// A Carrier is the state of the interface of one address.
type Carrier struct {
	Resource  string // as the resource's Spec
	Interface string // "" where the machine has none for it
	Lost      bool   // nothing that is sent on it leaves
}

// A way is what this node knows of the way to the clients of a group.
type way struct {
	lost   map[string]string // the interface of each resource that has lost its carrier
	since  time.Time         // when the first of them did; zero while none has
	back   time.Time         // when the last of them had it again; zero before
	steady time.Duration     // how long it must have it from then on
}

// cut reports whether clients cannot be reached at this moment.
func (w *way) cut() bool { return len(w.lost) > 0 }

// sound reports whether clients can be reached, and could for long enough.
func (w *way) sound(now time.Time) bool {
	return !w.cut() && (w.back.IsZero() || !now.Before(w.back.Add(w.steady)))
}

// note takes in the state of one interface, and reports whether the way is cut
// now, or open now, and was not before.
func (w *way) note(now time.Time, c Carrier) (turned bool) {
	before := w.cut()
	if c.Lost {
		if w.lost == nil {
			w.lost = map[string]string{}
		}
		w.lost[c.Resource] = c.Interface
	} else {
		delete(w.lost, c.Resource)
	}
	switch {
	case before == w.cut():
		return false
	case w.cut():
		w.since = now
		if soon := w.back.Add(10 * w.steady); w.steady == 0 || !now.Before(soon) {
			w.steady = carrierSteady
		} else {
			w.steady = min(2*w.steady, carrierSteadyMost)
		}
	default:
		w.back = now
	}
	return true
}

// why is why clients cannot be reached, for people; empty if they can.
func (w *way) why(now time.Time) string {
	switch {
	case w.cut():
		names := slices.Compact(slices.Sorted(maps.Values(w.lost)))
		return "no carrier on " + cmp.Or(strings.Join(names, ", "), "any interface")
	case !w.sound(now):
		return fmt.Sprintf("the carrier has not been back for %v yet", w.steady)
	}
	return ""
}

// Carriers takes in what became of the interfaces of addresses.
func (t *Takeover) Carriers(now time.Time, all []Carrier) Output {
	return t.step(now, func() {
		lost, back := map[string][]string{}, map[string][]string{}
		away := map[string]time.Duration{}
		changed := map[string]Carrier{}
		for _, c := range all {
			changed[c.Resource] = c
		}
		for _, g := range t.groups {
			for _, name := range g.names {
				c, news := changed[name]
				if !news || !g.way.note(now, c) {
					continue
				}
				if g.way.cut() {
					lost[c.Interface] = append(lost[c.Interface], g.key)
					t.retryOffer = time.Time{} // what was refused before was about something else
				} else {
					back[c.Interface] = append(back[c.Interface], g.key)
					away[c.Interface] = now.Sub(g.way.since)
					t.mended(now)
				}
			}
		}
		for _, name := range slices.Sorted(maps.Keys(lost)) {
			t.emit(event.CarrierLost{Interface: name, Groups: lost[name]})
		}
		for _, name := range slices.Sorted(maps.Keys(back)) {
			t.emit(event.CarrierReturned{Interface: name, Groups: back[name], Away: away[name]})
		}
	})
}

// Linked says whether any link of this node can carry a message now.
func (t *Takeover) Linked(now time.Time, linked bool) Output {
	return t.step(now, func() {
		if linked && t.unlinked {
			t.mended(now)
		}
		t.unlinked = !linked
	})
}

// mended has a node that could reach neither clients nor its peer listen before
// it takes anything: the peer may hold it by now.
func (t *Takeover) mended(now time.Time) {
	if t.unlinked && t.cfg.Peer != "" {
		t.listenUntil = now.Add(max(listenAfterLapse*t.cfg.Keepalive, time.Second))
	}
}

// isolated reports whether this node can reach neither the clients of g nor its
// peer: whatever it does with g, nobody notices, and the peer may be about to
// take it.
func (t *Takeover) isolated(g *group) bool {
	return g.way.cut() && t.unlinked && t.cfg.Peer != ""
}

// retreat gives up at once what an isolated node holds: its peer, alive when it
// was last heard, takes it without a word when the deadtime is over. A node
// whose peer is known to be dead keeps what it has: nobody would be better off.
func (t *Takeover) retreat(now time.Time) {
	if !t.peer.alive {
		return
	}
	var gone []*group
	for _, g := range t.groups {
		if g.aim == hold && t.isolated(g) {
			gone = append(gone, g)
		}
	}
	if len(gone) > 0 {
		t.abortSwap(now, "no link to "+t.cfg.Peer+" and no carrier for the addresses")
		t.relinquish(now, byCarrier, gone)
	}
}

// cannotServe reports whether clients would be better off with g on the peer:
// they cannot reach it here, and could there. Of a 3.0.6 peer, which does not
// know, that is assumed: it is heard.
func (t *Takeover) cannotServe(g *group) bool {
	return g.way.cut() && t.peer.reaches(g) && !t.peer.cannot(g)
}

// reaches reports whether the peer says that it reaches the clients of g.
func (p *peer) reaches(g *group) bool { return p.ways[g.index] != '0' }

// ways is syways: a digit for each group, 0 where its clients cannot be reached
// from here, or not for long enough. Empty where all can.
func (t *Takeover) ways() string {
	digits := make([]byte, len(t.groups))
	all := true
	for i, g := range t.groups {
		sound := g.way.sound(t.now)
		digits[i] = digit(sound)[0]
		all = all && sound
	}
	if all {
		return ""
	}
	return string(digits)
}

// learnWays reads syways.
func (p *peer) learnWays(digits []byte) {
	for i := range p.ways {
		p.ways[i] = '1'
	}
	if len(digits) == len(p.ways) {
		copy(p.ways, digits)
	}
}

// soundAt is when the peer must be told that g's clients are reached again;
// zero for never.
func (w *way) soundAt(now time.Time) time.Time {
	if w.cut() || w.back.IsZero() || w.sound(now) {
		return time.Time{}
	}
	return w.back.Add(w.steady)
}

// unreachable is why a giver had better keep some of these groups: we do not
// reach their clients, or fewer ping nodes, and it does, or would move them for
// that reason only.
// Empty if there is no such.
func (t *Takeover) unreachable(groups []*group, trigger string) string {
	for _, g := range groups {
		if g.way.cut() && t.peer.systole && (t.peer.reaches(g) || trigger == byCarrier) {
			return "no carrier for " + g.key + " on " + t.cfg.Self
		}
	}
	if t.reachesLess(trigger) {
		return t.cfg.Self + " reaches no more ping nodes than " + t.cfg.Peer
	}
	return ""
}

// offer begins a standby for running groups that are better off on the peer. A
// 3.0.6 node knows whole sides only.
func (t *Takeover) offer(now time.Time, trigger string, groups []*group) {
	t.ask(now, trigger, t.scopeOf(groups), groups, 0)
}

// scopeOf is the smallest scope that has all of these groups.
func (t *Takeover) scopeOf(groups []*group) string {
	scope := sideNames[t.side(groups[0])]
	for _, g := range groups {
		if sideNames[t.side(g)] != scope {
			return "all"
		}
	}
	return scope
}
