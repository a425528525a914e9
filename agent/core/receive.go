package core

import (
	"strconv"
	"strings"
	"time"

	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/agent/membership"
	"github.com/systole-ha/systole/agent/sequence"
	"github.com/systole-ha/systole/agent/takeover"
	"github.com/systole-ha/systole/agent/wire"
)

// A peer is what the core itself keeps of another node.
type peer struct {
	name       string
	source     *sequence.Source
	echoes     []echo   // by link: what we owe it an echo of
	echoed     []string // by link: the newest of our stamps it has echoed
	identified bool
	seed       seed
	incident   string            // the id of the newest
	missing    string            // that of its death, until it is active again
	missed     string            // that of ours, by its word: before we take part
	legacy     bool              // it asked for a resource as only auto_failback legacy does
	drift      map[string]string // by file: the hash that was reported
	clock      clock
	foreign    bool // its heartbeats are a 3.0.6 node's
	key        int  // the number of the key that it signs with
}

// An echo is the newest heartbeat of a peer on one link, by its stamp and by
// when it came.
type echo struct {
	stamp string
	at    time.Time
}

// variation is how much longer or shorter the heartbeat with this stamp was on
// its way than the one before it on the same link: both clocks only have to
// run evenly. 0 for the first.
func (e echo) variation(stamp []byte, at time.Time) time.Duration {
	before, err1 := strconv.ParseInt(e.stamp, 16, 64)
	sent, err2 := strconv.ParseInt(string(stamp), 16, 64)
	if err1 != nil || err2 != nil || sent < before {
		return 0
	}
	change := at.Sub(e.at) - time.Duration(min(sent-before, 1<<40))*time.Microsecond
	return change.Abs()
}

func (c *Core) newPeer(name string) *peer {
	links := len(c.cfg.Members.Links)
	spread := int64(sequence.RexmitDelay - sequence.RexmitFloor)
	delay := func() time.Duration { return sequence.RexmitFloor + time.Duration(c.random.Int64N(spread)) }
	return &peer{
		name: name, source: sequence.NewSource(links, c.random.Uint64N(10), delay),
		echoes: make([]echo, links), echoed: make([]string, links), drift: map[string]string{},
	}
}

// forget drops what belonged to an incarnation that is gone.
func (p *peer) forget() {
	clear(p.echoes)
	clear(p.echoed)
	p.identified = false
}

func (in Received) from() string {
	if in.Source == nil {
		return ""
	}
	return in.Source.String()
}

// received takes in one authentic message.
func (c *Core) received(now time.Time, in Received) {
	m := in.Message
	name, kind := m.Get("src"), m.Get("t")
	p := c.peers[string(name)]
	generation, hasGeneration := m.Hex("hg")
	number, numbered := m.Hex("seq")
	switch {
	case name == nil || kind == nil || m.Get("ts") == nil || !hasGeneration,
		!numbered && !strings.HasPrefix(string(kind), "NS_"):
		c.reject(in.Link, "malformed", in.from(), 1)
		return
	case string(name) == c.cfg.Members.Self:
		c.own[in.Link] = in.At // our own broadcast coming back
		return
	case p == nil:
		c.reject(in.Link, "unknown_node", in.from(), 1)
		return
	case m.Has("sycluster") && string(m.Get("sycluster")) != c.cfg.Cluster:
		c.reject(in.Link, "wrong_cluster", in.from(), 1)
		return
	}
	heard := p.source.Hear(now, in.Link, generation, number)
	c.account(p, in.Link, heard)
	switch heard.Verdict {
	case sequence.Replay:
		c.reject(in.Link, "replay", in.from(), 1)
		return
	case sequence.Repeat:
		return
	case sequence.Restart:
		p.forget()
	}
	p.key = in.Key
	if heard.Ack != 0 {
		ack := wire.New("t", "NS_ackmsg", "dest", p.name, "ackseq", strconv.FormatUint(heard.Ack, 16))
		c.send(now, &ack)
	}
	c.read(now, in, p, heard, number)
}

// account reports what the numbers say of the link.
func (c *Core) account(p *peer, link int, heard sequence.Heard) {
	if heard.Lost > 0 {
		c.emit(event.HeartbeatLost{Peer: p.name, Link: c.link(link), Count: heard.Lost})
	}
	if heard.Reordered {
		c.emit(event.HeartbeatReordered{Peer: p.name, Link: c.link(link)})
	}
	if heard.Verdict == sequence.Repeat {
		c.emit(event.HeartbeatDuplicated{Peer: p.name, Link: c.link(link)})
	}
}

// read acts on a message that is new, or a copy by another link.
func (c *Core) read(now time.Time, in Received, p *peer, heard sequence.Heard, number uint64) {
	m, fresh := in.Message, heard.Verdict != sequence.Copy
	kind := string(m.Get("t"))
	if kind == "status" {
		c.heartbeat(now, in, p, heard, number)
	} else {
		c.judge(now, c.members.LinkHeard(in.At, p.name, in.Link))
		if heard.Verdict == sequence.Restart {
			c.follow(c.takeover.PeerAlive(now, true))
		}
	}
	if dest := m.Get("dest"); !fresh || dest != nil && string(dest) != c.cfg.Members.Self {
		return
	}
	switch kind {
	case "reqnodes":
		c.tellNodes(now, p)
	case "NS_rexmit":
		c.sendAgain(now, p, m)
	case "NS_nak_rexmit":
		if lost, ok := m.Hex("firstseq"); ok && p.source.GiveUp(lost) {
			c.emit(event.MessageLost{Peer: p.name, Sequence: lost})
		}
	case "ip-request":
		if !p.legacy {
			p.legacy = true
			c.emit(event.PeerIdentified{Peer: p.name, Wire: "heartbeat3", AutoFailback: "legacy"})
		}
	case "NS_ackmsg", "repnodes":
	default:
		c.follow(c.takeover.Heard(now, in.At, number, m))
		if kind == "shutdone" {
			c.permission.PeerLeft()
			c.emit(c.members.Goodbye(p.name)...)
		}
	}
}

// heartbeat takes in a status message.
func (c *Core) heartbeat(now time.Time, in Received, p *peer, heard sequence.Heard, number uint64) {
	m := in.Message
	p.foreign = !m.Has("syv")
	hb := membership.Heartbeat{
		At: in.At, Peer: p.name, Link: in.Link, State: string(m.Get("st")),
		Generation: p.source.Generation, Sequence: number,
		Copy: heard.Verdict == sequence.Copy, Restarted: heard.Verdict == sequence.Restart,
		RoundTrip: c.roundTrip(p, in.Link, in.At, m.Get("syecho")),
		Late:      microseconds(m, "sylate"),
		Ending:    string(m.Get("syagain")) == "1",
	}
	if wall, ok := m.Hex("sywall"); ok && hb.RoundTrip > 0 {
		// By its clock it was sent half a round trip before it came.
		hb.Offset = time.UnixMicro(int64(min(wall, 1<<60))).Sub(in.At.Round(0)) + hb.RoundTrip/2
		hb.OffsetError = hb.RoundTrip / 2
	}
	if ms, ok := m.Hex("dt"); ok {
		hb.Deadtime = time.Duration(min(ms, 1<<32)) * time.Millisecond
	}
	if s := m.Get("syseed"); len(s) == len(p.seed) {
		copy(p.seed[:], s)
	}
	if c.status != membership.Active {
		p.missed = takeover.ValidTrace(m.Get("symissed"))
	}
	if stamp := m.Get("sysent"); len(stamp) > 0 && len(stamp) <= 16 {
		hb.Variation = p.echoes[in.Link].variation(stamp, in.At)
		p.echoes[in.Link] = echo{string(stamp), in.At}
	}
	c.judge(now, c.members.Heard(now, hb))
	c.emit(p.clock.hear(p.name, hb.Offset, hb.OffsetError)...)
	if hb.Copy {
		return
	}
	switch c.members.State(p.name) {
	case membership.Init, membership.Up, membership.Active:
		if hb.Restarted || !c.takeover.PeerIsAlive() {
			c.greet = true
			c.follow(c.takeover.PeerAlive(now, hb.Restarted))
		}
	}
	c.witness(p, m, in.At, hb.Deadtime)
	c.identify(p, m)
}

// identify reports once what kind of daemon a peer is, and files that differ.
func (c *Core) identify(p *peer, m *wire.Message) {
	foreign := string(m.Get("st")) == membership.Active && !m.Has("syv")
	if !p.identified && (foreign || m.Has("syrel")) {
		p.identified = true
		e := event.PeerIdentified{Peer: p.name, Wire: "heartbeat3"}
		if m.Has("syv") {
			e.Wire, e.Version = "systole", string(m.Get("syrel"))
			e.AutoFailback = map[string]string{"1": "on", "0": "off"}[string(m.Get("syback"))]
		}
		c.emit(e)
	}
	for _, f := range c.files {
		theirs := string(m.Get(f.field))
		if theirs == "" || theirs == p.drift[f.name] {
			continue
		}
		if theirs != f.ours || p.drift[f.name] != "" {
			c.emit(event.ConfigDrift{Peer: p.name, File: f.name, Ours: f.ours, Theirs: theirs})
		}
		p.drift[f.name] = theirs
	}
}

// A file is one that should be the same on all nodes, the field of a heartbeat
// that says what it is, and the hash of ours.
type file struct{ name, field, ours string }

func filesOf(cfg Config) []file {
	return []file{{"ha.cf", "sycfg", cfg.ConfigHash}, {"haresources", "syhash", cfg.ResourcesHash}}
}

// tellNodes answers a node that asks who is in the cluster, before it becomes
// active.
func (c *Core) tellNodes(now time.Time, p *peer) {
	names := append([]string{c.cfg.Members.Self}, c.cfg.Members.Peers...)
	m := wire.New("dest", p.name, "t", "repnodes", "nodelist", strings.Join(names, " ")+" ", "delnodelist", " ")
	c.send(now, &m)
}

// sendAgain answers a request for messages that did not arrive.
func (c *Core) sendAgain(now time.Time, p *peer, m *wire.Message) {
	first, ok1 := m.Decimal("firstseq")
	last, ok2 := m.Decimal("lastseq")
	if !ok1 || !ok2 || first > last {
		return
	}
	messages, gone := c.sent.Again(now, sequence.Range{First: first, Last: last})
	c.emit(event.RetransmitRequested{Peer: p.name, Direction: "received", Count: len(messages) + len(gone)})
	c.out.Send = append(c.out.Send, messages...)
	for _, number := range gone {
		nak := wire.New("t", "NS_nak_rexmit", "firstseq", strconv.FormatUint(number, 16), "dest", p.name, "info", "seqno not found")
		c.send(now, &nak)
	}
}

// askAgain requests what has not arrived.
func (c *Core) askAgain(now time.Time) {
	for _, name := range c.cfg.Members.Peers {
		p := c.peers[name]
		for _, r := range p.source.Due(now) {
			m := wire.New("t", "NS_rexmit", "dest", p.name,
				"firstseq", strconv.FormatUint(r.First, 10), "lastseq", strconv.FormatUint(r.Last, 10))
			c.send(now, &m)
			c.emit(event.RetransmitRequested{Peer: p.name, Direction: "sent", Count: int(r.Last - r.First + 1)})
		}
	}
}
