package replay

import (
	"slices"
	"strconv"
	"time"

	"github.com/systole-ha/systole/agent/core"
	"github.com/systole-ha/systole/agent/wire"
)

// A Side is what became of one chapter with a core in the place of one node.
type Side struct {
	*Chapter
	Node, Peer string
	Theirs     []Line    // of the recorded peer
	Real, Ours []Line    // of the recorded node, and of the core in its place
	Before     [2][]Line // what these two said in the chapters before
	Unacked    int       // most messages of the peer that the core let wait for an acknowledgement
}

// A stage is one node of a history being played.
type stage struct {
	self, peer   string
	node         *node
	real, theirs Teller
	claim        string       // what the real node claimed last
	last         wire.Message // heartbeat of the peer
}

// Play puts a core in the place of one node of a history.
func Play(h History, self, peer string, configure func(self, peer string) core.Config) ([]Side, error) {
	cfg := configure(self, peer)
	s := &stage{self: self, peer: peer, claim: "off", node: &node{config: cfg, running: map[string]bool{}}}
	var sides []Side
	for _, c := range h {
		side, err := s.play(c)
		if err != nil {
			return nil, err
		}
		if !c.Prelude {
			sides = append(sides, side)
		}
	}
	return sides, nil
}

// play is one chapter.
func (s *stage) play(c *Chapter) (Side, error) {
	s.bridge(c)
	n := s.node
	n.run(c.Start)
	n.broken, n.most = map[string]bool{c.Broken: true}, n.unacked
	ours, real, theirs := len(n.said.Lines), len(s.real.Lines), len(s.theirs.Lines)
	wishes := c.Wishes
	do := func(line string) {
		for len(wishes) > 0 && (wishes[0].Node != s.self || wishes[0].Line == line) {
			if wishes[0].Node == s.self {
				wishes[0].Do(n)
			}
			wishes = wishes[1:]
		}
	}
	do("")
	if n.core == nil {
		s.claim = "off"
	}
	end := c.End
	if u, ok := c.Until[s.self]; ok {
		end = c.Start.Add(u.At)
	}
	for i := range c.Packets {
		p := &c.Packets[i]
		if p.At.After(end) {
			break
		}
		n.run(p.At)
		n.reaches = !c.deaf(s.self, p.At)
		if err := s.sign(c, p.At.Sub(c.Start)); err != nil {
			return Side{}, err
		}
		if p.From == s.self {
			for _, l := range s.answer(p) {
				do(l.Kind)
			}
			continue
		}
		s.theirs.Tell(p.At, &p.Message)
		if !c.cut(p.At) {
			s.deliver(p)
		}
	}
	n.run(end)
	return Side{
		Before: [2][]Line{s.real.Lines[:real], n.said.Lines[:ours]}, Chapter: c, Node: s.self, Peer: s.peer, Theirs: s.theirs.Lines[theirs:],
		Real: s.close(c, end, s.real.Lines[real:], s.claim), Ours: s.close(c, end, n.said.Lines[ours:], n.holds()), Unacked: n.most,
	}, nil
}

// late is how late the heartbeats come that are made up: when they truly came
// is not known within milliseconds, and must not be what makes a death.
const late = 10 * time.Millisecond

// bridge lets the time between two recordings pass: the peer's numbers tell how
// many messages it sent meanwhile, and they are taken for heartbeats.
func (s *stage) bridge(c *Chapter) {
	from := s.node.now
	first := c.first(s.peer)
	number, _ := s.last.Hex("seq")
	before, _ := s.last.Hex("hg")
	if first == nil || number == 0 {
		return
	}
	next, _ := first.Message.Hex("seq")
	if generation, _ := first.Message.Hex("hg"); generation != before || next <= number+1 {
		return
	}
	missing := next - number - 1
	gap := first.At.Sub(from) / time.Duration(missing+1)
	for i := range missing {
		at := from.Add(gap*time.Duration(i+1) + late)
		if c.cut(at) {
			continue
		}
		s.node.run(at)
		m := s.last.Clone()
		m.Set("seq", strconv.FormatUint(number+i+1, 16))
		s.node.hear(&m)
	}
}

// first is a node's first numbered message.
func (c *Chapter) first(node string) *Packet {
	for i := range c.Packets {
		if p := &c.Packets[i]; p.From == node && p.Message.Has("seq") {
			return p
		}
	}
	return nil
}

// sign gives the core the authkeys that its real counterpart had at an instant.
func (s *stage) sign(c *Chapter, at time.Duration) (err error) {
	keys := c.Keys[:1]
	for _, sign := range c.Signs {
		if sign.Node != s.self || sign.At > at {
			continue
		}
		keys = nil
		for _, i := range sign.Keys {
			keys = append(keys, c.Keys[i])
		}
	}
	s.node.codec, err = codecOf(keys...)
	return err
}

// answer takes in what the real node says, and starts the core when that was
// started. It returns the lines that this adds.
func (s *stage) answer(p *Packet) []Line {
	before := len(s.real.Lines)
	s.real.Tell(p.At, &p.Message)
	lines := slices.Clone(s.real.Lines[before:])
	switch m := &p.Message; string(m.Get("t")) {
	case "status":
		if len(lines) > 0 && lines[0].Kind == "status init" {
			generation, _ := m.Hex("hg")
			s.node.kill()
			s.node.boot(generation)
			s.claim = "transition"
		}
	case "resource":
		if stable := string(m.Get("isstable")); stable == "1" {
			s.claim = string(m.Get("rsc_hold"))
		} else if stable == "0" {
			s.claim = "transition"
		}
	case "shutdone":
		s.claim = "off"
	}
	return lines
}

// deliver hands a message of the peer to the core. A request for messages names
// the numbers of the real node's: they are made those of the core's, counted
// from the newest.
func (s *stage) deliver(p *Packet) {
	n := s.node
	if string(p.Message.Get("t")) == "status" {
		s.last = p.Message
	}
	if n.core == nil {
		return
	}
	var m wire.Message
	if err := n.codec.Decode(p.Bytes, &m); err != nil {
		n.step(core.Rejected{Reason: "authentication", Count: 1})
		return
	}
	if string(m.Get("t")) == "NS_rexmit" && string(m.Get("dest")) == s.self {
		for _, field := range []string{"firstseq", "lastseq"} {
			asked, _ := m.Decimal(field)
			m.Set(field, strconv.FormatUint(asked+n.said.Newest()-s.real.Newest(), 10))
		}
	}
	n.key, _ = n.codec.LastKey()
	n.hear(&m)
}

// cut reports whether nothing passes at an instant.
func (c *Chapter) cut(at time.Time) bool {
	return slices.ContainsFunc(c.Cut, func(s Span) bool { return s.has(at.Sub(c.Start)) })
}

// deaf reports whether a node does not reach its ping nodes at an instant.
func (c *Chapter) deaf(node string, at time.Time) bool {
	span, ok := c.Deaf[node]
	return ok && span.has(at.Sub(c.Start))
}

// close ends a node's lines with what it holds, and leaves out what nobody
// could hear.
func (s *stage) close(c *Chapter, end time.Time, lines []Line, holds string) []Line {
	var heard []Line
	for _, l := range lines {
		if !c.cut(l.At) {
			heard = append(heard, l)
		}
	}
	return append(heard, Line{At: end, Kind: "holds " + holds})
}
