package takeover

import (
	"strconv"
	"strings"
	"time"

	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/agent/wire"
)

// A peer is what is known of the other node.
type peer struct {
	alive   bool          // heard, and has not said goodbye
	leaving bool          // it is giving everything up
	gone    string        // why it is not alive: peer_dead, peer_left, start
	seen    time.Time     // when it became alive
	claimed [2]bool       // the sides a 3.0.6 peer claims, as we see them
	silence time.Duration // when it died
	confirm time.Duration

	told     bool   // it has said what it holds since it started
	stable   bool   // it takes part and nothing of its is under way
	systole  bool   // it speaks group by group, with the same haresources
	autoBack bool   // its auto_failback, where it is systole
	hears    bool   // its last word was sent by a node that hears us
	newest   uint64 // number of the message that said so
	trace    string // of what it is giving up
	swap     uint64 // the standby that it takes part in, by the giver's number; 0 for none

	state  []byte      // letter of each group, see group's states
	since  []int64     // since when it holds each: its wall clock, milliseconds
	serves []bool      // whether it serves each, by its newest word
	begun  []time.Time // since when, at the latest; zero for a time before all that matters
	proof  []time.Time // when it was last known to serve each
	behind time.Time   // when it last reached fewer ping nodes than this node; zero for never
	counts bool        // it judges ping nodes
	ways   []byte      // 0 for each whose clients it cannot reach
	deaf   time.Time   // since when it has been heard without hearing us; zero if it does

	foreign bool   // its newest message was a 3.0.6 node's
	beside  bool   // a 3.0.6 node that was called dead, had been alive all along, and may hold what we hold
	asked   bool   // such a node what it holds
	left    []bool // groups that a 3.0.6 node held when it restarted, and may have left running
}

// reset forgets what an earlier incarnation said; proofs stay, for they are
// about the past.
func (t *Takeover) resetPeer() {
	old := t.peer
	p := peer{alive: old.alive, gone: old.gone, seen: old.seen, silence: old.silence, confirm: old.confirm, proof: old.proof, trace: old.trace, hears: true, foreign: old.foreign}
	p.state, p.left = []byte(strings.Repeat("-", len(t.groups))), make([]bool, len(t.groups))
	p.since = make([]int64, len(t.groups))
	p.serves, p.begun = make([]bool, len(t.groups)), make([]time.Time, len(t.groups))
	p.ways = []byte(strings.Repeat("1", len(t.groups)))
	if p.proof == nil {
		p.proof = make([]time.Time, len(t.groups))
	}
	t.peer = p
}

// may reports whether the peer may hold g, by its own word.
func (p *peer) may(g *group) bool { return !strings.ContainsRune("-f", rune(p.state[g.index])) }

// unsure reports whether the peer has not found out yet what of g it has.
func (p *peer) unsure(g *group) bool { return p.state[g.index] == '?' }

// has reports whether the peer says that it holds g or is about to.
func (p *peer) has(g *group) bool { return strings.ContainsRune("rs", rune(p.state[g.index])) }

// cannot reports whether the peer says that g would not start there.
func (p *peer) cannot(g *group) bool { return strings.ContainsRune("fF", rune(p.state[g.index])) }

// PeerAlive says that the peer is heard; restarted, that it is a new
// incarnation, which holds nothing it has not told.
func (t *Takeover) PeerAlive(now time.Time, restarted bool) Output {
	return t.step(now, func() {
		if t.peer.alive && !restarted {
			return
		}
		t.abortSwap(now, "the peer has restarted")
		t.abortFencing(now, restarted)
		t.standAlone(now)
		left := t.leftThere(restarted)
		t.peer.alive, t.peer.seen = true, now
		t.resetPeer()
		t.peer.left = left
		t.peer.beside = t.peer.foreign && !restarted && t.peer.gone == peerDead
		t.vacant[foreign] = false
		if t.phase == joining {
			t.send("starting")
		}
		t.told = claim{}
	})
}

// leftThere is the groups that a 3.0.6 node held when it restarted, killed or
// to read ha.cf again, and does not know of any more: it stops nothing then.
// They run there in nobody's books, unless the machine has restarted as well.
func (t *Takeover) leftThere(restarted bool) []bool {
	left := make([]bool, len(t.groups))
	for i, g := range t.groups {
		left[i] = restarted && t.peer.alive && t.peer.foreign && (t.peer.may(g) || t.peer.left[i])
	}
	return left
}

// PeerDead says that the peer's silence reached its deadtime.
func (t *Takeover) PeerDead(now time.Time, e event.PeerDead) Output {
	return t.step(now, func() {
		t.peer.silence, t.peer.confirm = e.Silence, e.ConfirmTook
		t.lose(now, peerDead, "the peer is dead")
		if e.NeverHeard {
			t.peer.gone = atStart
		}
	})
}

// lose takes note that the peer holds nothing any more.
func (t *Takeover) lose(now time.Time, why, reason string) {
	t.standAlone(now)
	t.peer.alive = false
	t.peer.gone = why
	t.fence.silent, t.fence.lesser = now, t.holdsLess()
	t.abortSwap(now, reason)
	t.resetPeer()
	for _, g := range t.groups {
		g.retryAt = time.Time{} // nobody else is left: try again what failed here
	}
}

// Heard takes in a message of the peer, of any type, with its number.
func (t *Takeover) Heard(now time.Time, at time.Time, number uint64, m *wire.Message) Output {
	return t.step(now, func() {
		if !t.peer.alive {
			return
		}
		t.contradict(at)
		t.learn(now, at, number, m)
		t.act(now, number, m)
	})
}

// learn reads what every message of a systole peer says of itself.
func (t *Takeover) learn(now, at time.Time, number uint64, m *wire.Message) {
	have := m.Get("syhave")
	p := &t.peer
	p.foreign = have == nil
	if have == nil {
		for i, serves := range t.peer.serves { // a 3.0.6 node: what it claimed last, it still holds
			if serves {
				t.peer.proof[i] = at
			}
		}
		return
	}
	if number <= p.newest {
		return
	}
	if len(have) != len(t.groups) || string(m.Get("syhash")) != t.cfg.Hash {
		return // another haresources: what it says of groups means nothing here
	}
	p.newest, p.systole, p.told = number, true, true
	clear(p.left)
	copy(p.state, have)
	p.stable = string(m.Get("systable")) == "1"
	p.autoBack = string(m.Get("syback")) == "1"
	p.swap, _ = m.Hex("syswap")
	p.trace = ValidTrace(m.Get("sytrace"))
	p.hears = string(m.Get("syhears")) == "1"
	if p.hears {
		p.deaf = time.Time{}
	} else if p.deaf.IsZero() {
		p.deaf = now
	}
	p.learnWays(m.Get("syways"))
	t.readPings(now, m)
	clear(p.since)
	for i, word := range strings.Split(string(m.Get("sysince")), ",") {
		if i < len(p.since) {
			p.since[i], _ = strconv.ParseInt(word, 16, 64)
		}
	}
	t.learnProofs(at, string(m.Get("syproof")))
}

// claims reads rsc_hold, all that a 3.0.6 peer says: every group of a side.
func (t *Takeover) claims(now time.Time, hold string) {
	hold = mirror(hold)
	for s, name := range sideNames {
		t.peer.claimed[s] = hold == "all" || hold == name
	}
	for _, g := range t.groups {
		if t.peer.claimed[t.side(g)] {
			t.peer.claims(g, now)
		} else {
			t.peer.state[g.index], t.peer.serves[g.index] = '-', false
		}
	}
}

// claims takes a 3.0.6 peer at its word, the only one it has for a group.
func (p *peer) claims(g *group, now time.Time) {
	if !p.serves[g.index] {
		p.begun[g.index] = now
	}
	p.state[g.index], p.serves[g.index], p.proof[g.index] = 'r', true, now
	p.left[g.index] = false
}

// Describe adds to a message what a systole peer is told with every one of
// ours. A 3.0.6 node ignores the fields.
//
//	syhash   hash of haresources
//	syhave   the letter of each group
//	sysince  since when we hold each, by our wall clock, ms of Unix time
//	syproof  since or until when we served each: see proofs
//	systable we take part, and nothing of ours is under way
//	syback   auto_failback is on
//	syhears  we hear you
//	syswap   the standby that we take part in, by the giver's number
//	sytrace  what that is traced by
func (t *Takeover) Describe(now time.Time, m *wire.Message) {
	have := make([]byte, len(t.groups))
	since := make([]string, len(t.groups))
	for i, g := range t.groups {
		have[i] = g.letter()
		if g.holds() && !g.held.IsZero() {
			since[i] = strconv.FormatInt(g.held.UnixMilli(), 16)
		}
	}
	m.Set("syhash", t.cfg.Hash)
	m.Set("syhave", string(have))
	m.Set("sysince", strings.Join(since, ","))
	m.Set("syproof", t.proofs(now))
	m.Set("systable", digit(t.phase == stable && t.swap == nil))
	m.Set("syback", digit(t.cfg.AutoFailback))
	m.Set("syhears", digit(t.peer.alive))
	if word := t.pingWord(); word != "" {
		m.Set("sypings", word)
	}
	if ways := t.ways(); ways != "" {
		m.Set("syways", ways)
	}
	if t.swap != nil {
		m.Set("syswap", strconv.FormatUint(t.swap.number, 16))
	}
	if trace := t.trace(); trace != "" {
		m.Set("sytrace", trace)
	}
}

func (g *group) letter() byte {
	switch g.state {
	case unknown:
		return '?'
	case starting:
		return 's'
	case running:
		return 'r'
	case stopping:
		return 't'
	case failed:
		if g.stuck {
			return 'F'
		}
		return 'f'
	}
	return '-'
}

func digit(b bool) string {
	if b {
		return "1"
	}
	return "0"
}

// PeerIsAlive reports whether PeerAlive has nothing to tell.
func (t *Takeover) PeerIsAlive() bool { return t.peer.alive }
