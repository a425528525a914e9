package config

import (
	"fmt"
	"math"
	"time"
)

// Timers below which a healthy peer is declared dead, measured on a busy
// two-core machine. A process with ordinary priority was up to 0.4 s late in
// sending and as much in receiving; one with real-time scheduling 13 ms and
// 3 ms, which leaves room for a machine that is virtual.
const (
	leastDeadtime         = 2 * time.Second
	leastRealtimeDeadtime = 300 * time.Millisecond
)

// messageBits is what a heartbeat costs on a serial line: some 300 bytes of ten
// bits each.
const messageBits = 3000

// judge looks at ha.cf as a whole, once it is read.
func (h *haCf) judge() {
	h.judgeNodes()
	h.judgeTimers()
	if h.cfg.lines["auto_failback"] == 0 {
		h.add(Warning, 0, "auto_failback", "not set, and heartbeat's default is legacy, which runs as on: groups return to their preferred node", "write auto_failback on, or off")
	}
	// What is missing may be what was not understood: advice can wait.
	switch {
	case len(h.cfg.Links) == 0 && !h.triedLink:
		h.add(Error, 0, "", "no link to the other node", "write bcast eth0 or the like")
	case h.list.Count(Error) == 0:
		h.judgeLinks()
	}
}

// judgeNodes wants this node and one other.
func (h *haCf) judgeNodes() {
	nodes := h.cfg.Nodes
	line := h.cfg.lines["node"]
	switch {
	case h.misspeltNode:
		return
	case len(nodes) == 0:
		h.add(Error, 0, "node", "no nodes", "write node and the names that uname -n prints on the two nodes")
		return
	case len(nodes) > 2:
		h.add(Error, line, "node", fmt.Sprintf("%d nodes, where haresources can only serve two: with a third one, groups end up running twice", len(nodes)), "")
	case len(nodes) == 1:
		h.add(Warning, line, "node", "only one node: there is nothing to fail over to", "")
	}
	if !h.member {
		hint := "a node is called what uname -n prints"
		if near := didYouMean(h.cfg.Self, nodes); near != "" {
			hint = near
		}
		h.add(Error, line, "node", fmt.Sprintf("this node, %s, is not among them; its interfaces were not looked at", printable(h.cfg.Self)), hint)
	}
}

// judgeTimers fills in the timers that depend on others and refuses what
// heartbeat refuses (init_config in heartbeat/config.c), then advises.
func (h *haCf) judgeTimers() {
	c := h.cfg
	h.defaultTime("warntime", &c.Warntime, (c.Deadtime / 2).Truncate(time.Millisecond))
	h.defaultTime("initdead", &c.Initdead, defaultInitdead(c.Deadtime))
	h.defaultTime("deadping", &c.Deadping, c.Deadtime)
	dead := max(c.lines["deadtime"], c.lines["keepalive"])
	switch {
	case c.Deadtime <= 2*c.Keepalive:
		h.add(Error, dead, "deadtime", fmt.Sprintf("%s is not more than twice the keepalive of %s", Human(c.Deadtime), Human(c.Keepalive)), "")
	case c.Deadtime < 3*c.Keepalive:
		h.add(Warning, dead, "deadtime", fmt.Sprintf("%s is less than three keepalives of %s: two lost heartbeats make a node dead", Human(c.Deadtime), Human(c.Keepalive)), "")
	}
	switch {
	case !c.Realtime && c.Deadtime < leastDeadtime:
		h.add(Warning, c.lines["deadtime"], "deadtime", fmt.Sprintf("%s without real-time scheduling: a busy machine can be as late without being dead", Human(c.Deadtime)),
			"write realtime on, or a deadtime of 2 or more")
	case c.Deadtime < leastRealtimeDeadtime:
		h.add(Warning, c.lines["deadtime"], "deadtime", fmt.Sprintf("%s is short even with real-time scheduling: a virtual machine can be kept waiting as long by its host", Human(c.Deadtime)), "")
	}
	if c.Warntime >= c.Deadtime {
		h.add(Warning, max(c.lines["warntime"], c.lines["deadtime"]), "warntime", fmt.Sprintf("%s is not before the deadtime of %s: no heartbeat will be reported late before its node is dead", Human(c.Warntime), Human(c.Deadtime)), "")
	}
	switch {
	case c.Initdead < c.Deadtime:
		h.add(Error, c.lines["initdead"], "initdead", fmt.Sprintf("%s is less than the deadtime of %s", Human(c.Initdead), Human(c.Deadtime)), "")
	case c.Initdead < 10*time.Second:
		h.add(Warning, c.lines["initdead"], "initdead", fmt.Sprintf("%s may be too short for a network that is starting up: a node that boots alone takes everything after it", Human(c.Initdead)), "10 or more is usual")
	}
	if c.Deadping <= 2*c.Keepalive && c.lines["deadping"] != 0 {
		h.add(Error, c.lines["deadping"], "deadping", fmt.Sprintf("%s is not more than twice the keepalive of %s", Human(c.Deadping), Human(c.Keepalive)), "")
	}
}

// defaultTime gives a timer that ha.cf does not set its default, and records it
// as heartbeat does.
func (h *haCf) defaultTime(directive string, field *time.Duration, fallback time.Duration) {
	if h.cfg.lines[directive] == 0 {
		*field = fallback
		h.cfg.parameters[directive] = fmt.Sprintf("%dms", fallback.Milliseconds())
	}
}

// defaultInitdead leaves a network time to start up.
func defaultInitdead(deadtime time.Duration) time.Duration {
	switch {
	case deadtime > 10*time.Second:
		return deadtime
	case deadtime < 6*time.Second:
		return 12 * time.Second
	}
	return 2 * deadtime
}

// judgeLinks advises on the links of an otherwise correct ha.cf.
func (h *haCf) judgeLinks() {
	devices := map[string]bool{}
	first := map[Link]int{}
	for _, l := range h.cfg.Links {
		if !l.Local {
			devices[l.Device] = true
		}
		if l.Kind == Serial && h.cfg.Keepalive < 2*messageBits*time.Second/time.Duration(l.Baud) {
			h.add(Warning, l.Line, string(l.Kind), fmt.Sprintf("%d baud carry about %d heartbeats a second, too few for a keepalive of %s", l.Baud, l.Baud/messageBits, Human(h.cfg.Keepalive)), "")
		}
		same := l
		same.Line = 0
		if first[same] != 0 {
			h.add(Warning, l.Line, string(l.Kind), fmt.Sprintf("the same as on line %d: everything is sent twice", first[same]), "")
		} else {
			first[same] = l.Line
		}
	}
	switch len(devices) {
	case 0:
		h.add(Error, h.cfg.Links[0].Line, string(h.cfg.Links[0].Kind), "no link to the other node: every address is one of this node", "")
	case 1:
		if len(h.cfg.Nodes) > 1 {
			h.add(Warning, h.cfg.Links[0].Line, string(h.cfg.Links[0].Kind), "the only link: if it fails, each node takes the other for dead and both run everything", "add a second one that shares nothing with it")
		}
	}
}

// Human is a time as people write it: 10 s, 500 ms, 1.5 s.
func Human(t time.Duration) string {
	if t < time.Second {
		return fmt.Sprintf("%d ms", t.Milliseconds())
	}
	return fmt.Sprintf("%g s", math.Round(t.Seconds()*1000)/1000)
}
