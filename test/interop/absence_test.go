package interop

import (
	"time"

	"github.com/systole-ha/systole/test/lab"
)

// absences are the ways in which a node goes and comes back.
func absences() []step {
	var steps []step
	for _, by := range []who{onSystole, onHeartbeat} {
		steps = append(steps,
			step{name: "clean stop of " + by.name, core: true, do: func(s *stage) {
				n := by.node(s)
				s.stop(n)
				s.all(s.other(n))
			}},
			returns("return of "+by.name, by, true, func(s *stage, n *lab.Node) { s.begin(n) }),
			home(by),
			step{name: "power cut of " + by.name, core: true, warns: []string{"peer.dead", "link.down"}, do: func(s *stage) { s.cut(by.node(s)) }},
			returns("return of "+by.name+" after a power cut", by, true, func(s *stage, n *lab.Node) {
				must(s.t, n.Boot(within(s.t, time.Minute)))
				s.begin(n)
			}),
			home(by),
		)
	}
	return steps
}

func returns(name string, by who, core bool, begin func(s *stage, n *lab.Node)) step {
	return step{name: name, core: core, warns: early, do: func(s *stage) {
		begin(s, by.node(s))
		s.back()
	}}
}

// cut takes the power from a node. The other waits for as long as the node asked
// it to: each announces its own deadtime, and Heartbeat 2 s more when it is new.
func (s *stage) cut(n *lab.Node) {
	s.t.Helper()
	off, err := n.PowerOff()
	must(s.t, err)
	s.active[n] = false
	s.all(s.other(n))
	since, err := s.watch.AwaitHolder(soon(s.t), s.cfg.addresses()["alpha"], s.other(n).Name())
	must(s.t, err)
	t := s.cfg.timing(n)
	if waited := since.Sub(off); n.Name() == "alpha" && waited < t.Deadtime-t.Keepalive {
		s.t.Errorf("%s replaced %s %v after the power cut, want its deadtime of %v", s.other(n), n, waited, t.Deadtime)
	}
}

// home asks for what a node that is back is preferred for, where it does not
// come by itself.
func home(by who) step {
	return step{
		name: "hb_takeover local on " + by.name, core: true,
		when: func(s *stage) bool { return s.cfg.failback == "off" },
		do: func(s *stage) {
			s.order(by.node(s), "hb_takeover", "local")
			s.own()
		},
	}
}

// starts are those of a cluster of which nothing runs.
func starts() []step {
	var steps []step
	for _, by := range []who{onSystole, onHeartbeat} {
		steps = append(steps,
			step{name: by.name + " starts alone", cold: true, stops: true, do: func(s *stage) {
				s.stop(s.nodes()...)
				s.begin(by.node(s))
				s.all(by.node(s))
			}},
			step{name: "the other joins " + by.name, warns: early, do: func(s *stage) {
				s.begin(s.other(by.node(s)))
				s.back()
			}},
		)
	}
	return append(steps, step{name: "joint start, Heartbeat first", core: true, cold: true, stops: true, warns: early, do: func(s *stage) {
		s.stop(s.nodes()...)
		s.begin(s.theirs)
		s.begin(s.ours)
		s.own()
	}})
}
