package takeover

import (
	"strconv"
	"time"

	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/agent/wire"
)

// pingPatience is how long a peer must reach more ping nodes before groups move
// there: ipfail's wait (heartbeat's contrib/ipfail). What only seems to differ,
// for the two nodes do not miss a ping node at the same instant, is over by then.
// Three keepalives where that is more.
const pingPatience = 2 * time.Second

// pingSteady is how long a preferred node must reach as many ping nodes again
// before its groups return to it.
const pingSteady = 5 * time.Second

// A judgement of ping nodes: how many this node and its peer reach.
type pinged struct {
	ours, theirs int       // -1 while not known
	told         int       // ours as a 3.0.6 peer was last told; -1 for never
	less         bool      // the peer reaches more
	since        time.Time // since when it is so, or is not
}

var unpinged = pinged{ours: -1, theirs: -1, told: -1}

// Pings says how many ping nodes this node reaches now; -1 while some have
// neither answered nor been given up since the start.
func (t *Takeover) Pings(now time.Time, reached int) Output {
	return t.step(now, func() { t.pings.ours = reached })
}

// weigh compares what both nodes reach, and tells when that is another way
// round, or known, or known no more.
func (t *Takeover) weigh(now time.Time) {
	if !t.cfg.Pings {
		return
	}
	p := &t.pings
	if !t.peer.alive {
		p.theirs, p.told = -1, -1
	}
	before := p.less
	p.less = p.ours >= 0 && p.theirs > p.ours
	if p.less != before || p.since.IsZero() {
		p.since = now
	}
	if now := [2]int{p.ours, p.theirs}; now != t.weighed && p.ours >= 0 && p.theirs >= 0 {
		if differ := p.ours != p.theirs; differ || t.weighed[0] != t.weighed[1] {
			t.emit(event.PingsCompared{Peer: t.cfg.Peer, Ours: p.ours, Theirs: p.theirs})
		}
		t.weighed = now
	}
	if t.peer.alive && t.peer.told && !t.peer.systole && p.ours >= 0 && p.told != p.ours {
		p.told = p.ours
		t.sendIPFail("num_ping_nodes", "num_ping", strconv.Itoa(p.ours))
	}
}

// pingWord is sypings.
func (t *Takeover) pingWord() string {
	switch {
	case !t.cfg.Pings:
		return ""
	case t.pings.ours < 0:
		return "?"
	}
	return strconv.FormatInt(int64(t.pings.ours), 16)
}

// pingPatience is how long a difference must last.
func (t *Takeover) pingPatience() time.Duration { return max(pingPatience, 3*t.cfg.Keepalive) }

// outreached reports whether the peer has reached more ping nodes for long
// enough: what runs here is better off there.
func (t *Takeover) outreached() bool {
	return t.cfg.Pings && t.pings.less && !t.now.Before(t.pings.since.Add(t.pingPatience()))
}

// betterThere reports whether g should move because of ping nodes.
func (t *Takeover) betterThere(g *group) bool {
	return g.state == running && t.outreached() && !t.peer.cannot(g) && t.peer.reaches(g)
}

// reachesLess reports whether a move here would make the number of ping nodes
// less, or no more where it is for their sake. What will not run there, or is
// not reached at all, comes all the same.
func (t *Takeover) reachesLess(trigger string) bool {
	if !t.cfg.Pings || !t.peer.systole || trigger == byFailure || trigger == byCarrier {
		return false
	}
	p := t.pings
	return p.theirs > p.ours || trigger == byPing && p.theirs == p.ours
}

// outreaches reports whether this node reaches more than its peer, or did a
// moment ago: nothing returns there by itself.
func (t *Takeover) outreaches() bool {
	p := &t.pings
	if !t.cfg.Pings || p.ours < 0 || p.theirs < 0 {
		return t.cfg.Pings && t.peer.counts // and does not know yet
	}
	return p.ours > p.theirs || t.now.Before(t.levelAt())
}

// levelAt is when the peer will have reached as many for long enough.
func (t *Takeover) levelAt() time.Time {
	if t.peer.behind.IsZero() {
		return time.Time{}
	}
	return t.peer.behind.Add(pingSteady)
}

// learnPings takes in how many ping nodes the peer reaches.
func (t *Takeover) learnPings(now time.Time, theirs int) {
	t.pings.theirs = theirs
	if t.pings.ours > theirs && theirs >= 0 {
		t.peer.behind = now // for the last time, as far as is known
	}
}

// readPings reads sypings: a number, or "?" before it is known; a message
// without it is of a node that does not count.
func (t *Takeover) readPings(now time.Time, m *wire.Message) {
	theirs := -1
	t.peer.counts = m.Has("sypings")
	if n, ok := m.Hex("sypings"); ok && n < 1000 {
		theirs = int(n)
	}
	t.learnPings(now, theirs)
}

// sendIPFail sends a message as the ipfail of a 3.0.6 node does.
func (t *Takeover) sendIPFail(kind string, words ...string) {
	t.send(kind, append(words, "dest", t.cfg.Peer, "from_id", "ipfail", "to_id", "ipfail", "client_gen", "0")...)
}

// heardIPFail answers the ipfail of a 3.0.6 peer: it counts ping nodes when it
// misses one, and gives everything up, by an ordinary standby, when it is told
// that this node reaches more.
func (t *Takeover) heardIPFail(now time.Time, m *wire.Message) {
	if !t.cfg.Pings || t.peer.systole || t.pings.ours < 0 {
		return
	}
	switch string(m.Get("t")) {
	case "num_ping_nodes":
		n, err := strconv.Atoi(string(m.Get("num_ping")))
		if err != nil || n < 0 {
			return
		}
		t.learnPings(now, n)
		switch {
		case t.pings.ours > n:
			t.sendIPFail("you_are_dead")
		case t.pings.ours == n:
			t.sendIPFail("abort_giveup")
		}
	case "you_are_dead": // it reaches more; it does not say how many
		t.learnPings(now, t.pings.ours+1)
	case "abort_giveup":
		t.learnPings(now, t.pings.ours)
	}
}

// pingWake is when a difference has lasted, or is over, for long enough; zero
// for not at all.
func (t *Takeover) pingWake() time.Time {
	if !t.cfg.Pings {
		return time.Time{}
	}
	for _, at := range []time.Time{t.pings.since.Add(t.pingPatience()), t.levelAt()} {
		if at.After(t.now) {
			return at
		}
	}
	return time.Time{}
}
