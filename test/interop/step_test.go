package interop

import (
	"regexp"
	"strings"

	"github.com/systole-ha/systole/test/lab"
)

// A step is a row of the table. It does something and says what ought to be so
// afterwards.
type step struct {
	name  string
	do    func(s *stage)
	when  func(s *stage) bool // nil: always
	core  bool                // part of what make test walks through
	cold  bool                // nothing runs before what is to be timed
	stops bool                // it begins with the stop of both nodes
	both  bool                // two nodes may hold an address: nothing but their heartbeats tells them of each other
	warns []string            // kinds of events at level warning or above that systole ought to report
}

// possible reports whether a step can be taken, and is wanted.
func (st step) possible(s *stage) bool {
	return (st.when == nil || st.when(s)) && (len(s.active) == 0 || regexp.MustCompile(*steps).MatchString(st.name))
}

// occasion is what two Heartbeat nodes would complain of: which of them was first
// does not matter, and starts that begin with the stop of both share what the
// slower one says of the other.
func (st step) occasion() string {
	if st.stops {
		return "a start after both have stopped"
	}
	occasion, _, _ := strings.Cut(st.name, ", on ")
	return occasion
}

// early are the kinds that systole may report of a node that has just begun: its
// check of links may come between the first heartbeat on one link and on the
// other.
var early = []string{"readiness.changed"}

// walk are the steps of some parts of a life, in their order: each begins where
// the one before ends.
func walk(parts part) []step {
	steps := []step{{name: "joint start, systole first", core: true, cold: true, warns: early, do: func(s *stage) {
		s.begin(s.ours)
		s.begin(s.theirs)
		s.own()
		if besideSystole(s) {
			s.placed()
			s.modest()
		}
	}}}
	for _, p := range []struct {
		part  part
		steps func() []step
	}{{moving, moves}, {going, absences}, {suffering, faults}, {starting, starts}} {
		if parts&p.part != 0 {
			steps = append(steps, p.steps()...)
		}
	}
	return steps
}

// who finds a node of a stage, and calls it by what runs there.
type who struct {
	name string
	node func(s *stage) *lab.Node
}

var (
	onSystole   = who{"systole", func(s *stage) *lab.Node { return s.ours }}
	onHeartbeat = who{"Heartbeat", func(s *stage) *lab.Node { return s.theirs }}
)

// moves are what operators ask for. Every one of them moves something.
func moves() []step {
	// What becomes of it is told by the node that asks and the other.
	all := func(s *stage, _, other *lab.Node) { s.all(other) }
	mine := func(s *stage, n, _ *lab.Node) { s.all(n) }
	own := func(s *stage, _, _ *lab.Node) { s.own() }
	swapped := func(s *stage, n, other *lab.Node) { s.holder[n], s.holder[other] = other, n }
	move := func(by who, command, what string, becomes func(s *stage, n, other *lab.Node), core bool) step {
		return step{name: command + " " + what + " on " + by.name, core: core, do: func(s *stage) {
			n := by.node(s)
			s.order(n, command, what)
			becomes(s, n, s.other(n))
		}}
	}
	return []step{
		move(onSystole, "hb_standby", "all", all, true),
		move(onSystole, "hb_takeover", "all", mine, true),
		move(onSystole, "hb_standby", "foreign", own, true),
		move(onSystole, "hb_standby", "local", all, false),
		move(onSystole, "hb_takeover", "foreign", swapped, false),
		move(onSystole, "hb_takeover", "local", mine, false),
		move(onHeartbeat, "hb_takeover", "local", own, false),
		move(onHeartbeat, "hb_standby", "all", all, true),
		move(onHeartbeat, "hb_takeover", "all", mine, true),
		move(onHeartbeat, "hb_standby", "foreign", own, true),
		move(onHeartbeat, "hb_standby", "local", all, false),
		move(onHeartbeat, "hb_takeover", "foreign", swapped, false),
		move(onSystole, "hb_takeover", "local", mine, false),
		move(onSystole, "hb_standby", "foreign", own, false),
	}
}
