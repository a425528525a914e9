package interop

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/systole-ha/systole/test/cluster"
	"github.com/systole-ha/systole/test/lab"
)

// faults are what befalls two nodes that both run, and their operators' keys.
func faults() []step {
	return []step{
		{
			name: "one link of two is cut", warns: []string{"link.down"},
			when: func(s *stage) bool { return s.cfg.links == 2 },
			do:   func(s *stage) { s.part(lab.Private); s.dead[lab.Private] = true },
		},
		{
			name: "the link is mended",
			when: func(s *stage) bool { return s.dead[lab.Private] },
			do:   func(s *stage) { s.join(lab.Private); s.dead[lab.Private] = false },
		},
		{name: "a gap of three heartbeats", core: true, do: gap, warns: []string{"heartbeat.late"}},
		{
			name: "systemctl restart systole", core: true, when: besideSystole,
			do: func(s *stage) { s.run(s.ours, "systemctl", "restart", cluster.Unit) },
		},
		{name: "six hundred heartbeats", when: func(s *stage) bool { return s.cfg.timers == brisk }, do: quiet},
		{
			name: "a partition, and its healing", both: true, when: ends, do: partition,
			warns: []string{"peer.dead", "link.down", "peer.false_death", "heartbeat.late", "split_brain.suspected", "address.conflict", "readiness.changed", "heartbeat.rejected"},
		},
		{
			name: "hb_takeover local on Heartbeat",
			when: func(s *stage) bool { return s.holder[s.theirs] != s.theirs },
			do:   func(s *stage) { s.order(s.theirs, "hb_takeover", "local"); s.own() },
		},
		{name: "the key changes, on Heartbeat first", do: func(s *stage) { s.roll(2, s.theirs, s.ours) }},
		{name: "the key changes, on systole first", do: func(s *stage) { s.roll(1, s.ours, s.theirs) }},
	}
}

// ends reports whether a Heartbeat node hears the end of what its own children
// do. With "msgfmt netstring" their messages have no end of line in the pipe that
// all of them write to: two that are written at one instant run together, and
// are lost. A node that is left by a goodbye then holds everything, but its books
// stay in transition, and one that is stopped does not stop. Two Heartbeat nodes
// are no better off.
func ends(s *stage) bool { return s.cfg.msgfmt == "classic" }

func besideSystole(s *stage) bool { return s.runs[s.ours] == systole }

// gap loses some heartbeats each way, fewer than a deadtime of them: both nodes
// ask for them again.
func gap(s *stage) {
	const asked = "systole_retransmit_requests_total"
	var before [2]float64
	directions := [2]string{`direction="sent"`, `direction="received"`}
	if besideSystole(s) {
		for i, direction := range directions {
			var err error
			before[i], _, err = s.metrics(soon(s.t), asked, direction)
			must(s.t, err)
		}
	}
	began := time.Now()
	s.part(s.cfg.networks()...)
	pass(s.t, 3*s.cfg.timing(s.ours).Keepalive)
	s.join(s.cfg.networks()...)
	if besideSystole(s) {
		for i, direction := range directions {
			s.counted(before[i], asked, direction)
		}
	}
	s.logged(s.theirs, began, "No pkts missing from "+s.ours.Name())
}

// logged waits until Heartbeat on a node has written something to its log since an
// instant.
func (s *stage) logged(n *lab.Node, since time.Time, what string) {
	s.t.Helper()
	must(s.t, lab.WaitFor(soon(s.t), n.Name()+" to say: "+what, func(ctx context.Context) error {
		out, err := n.Run(ctx, "journalctl", "--quiet", "--output=cat", fmt.Sprintf("--since=@%d", since.Unix()))
		if err == nil && !strings.Contains(out, what) {
			err = fmt.Errorf("it has not said so")
		}
		return err
	}))
}

// quiet waits for more heartbeats than a Heartbeat node bears without being
// told that they arrive.
func quiet(s *stage) { pass(s.t, 600*s.cfg.timing(s.theirs).Keepalive) }

// partition cuts all links until both nodes have taken everything, and heals
// them. A Heartbeat node then gives everything up and restarts itself; systole
// keeps what it has.
func partition(s *stage) {
	s.part(s.cfg.networks()...)
	for _, n := range s.nodes() {
		for _, address := range s.cfg.addresses() {
			_, err := s.watch.AwaitHolder(soon(s.t), address, n.Name())
			must(s.t, err)
		}
	}
	s.apart = true
	s.truthful()
	s.apart = false
	healed := time.Now()
	s.join(s.cfg.networks()...)
	if besideSystole(s) {
		s.all(s.ours)
		s.logged(s.theirs, healed, "Performing heartbeat restart exec")
		s.logged(s.theirs, healed, "Initial resource acquisition complete")
		s.back()
	} else {
		s.own() // both have restarted
	}
}

// roll moves the line auth of authkeys to another key, on one node and then,
// after more than a deadtime, on the other.
func (s *stage) roll(to int, first, then *lab.Node) {
	s.t.Helper()
	for _, n := range []*lab.Node{first, then} {
		must(s.t, n.Configure("/etc/ha.d", lab.Files{"authkeys": s.cfg.authkeys(to)}))
		s.run(n, s.runs[n].reread[0], s.runs[n].reread[1:]...)
		if n == first && besideSystole(s) { // two Heartbeat nodes refuse each other meanwhile
			pass(s.t, s.cfg.timing(s.ours).Deadtime+time.Second)
			s.truthful()
		}
	}
	pass(s.t, time.Second)
}
