// Package board is what systole top and the web page of the daemon show: one
// picture of a node, in words, made from its status and its last events. Both
// draw it; neither judges.
//
// Whatever a peer or a file can have put into a text is cleaned on the way in:
// nothing that is not printable comes out.
package board

import (
	"strings"
	"time"
	"unicode"

	"github.com/systole-ha/systole/agent/control"
	"github.com/systole-ha/systole/agent/membership"
)

// A Board is all there is to see of a node at one instant.
type Board struct {
	Problem string // why there is no newer one; empty where there is
	Time    time.Time

	Cluster, Node string
	State         string // "active", with what it holds
	Version       string
	Up            string // for how long
	Timing        string // the times of ha.cf
	Notices       []Notice
	Nodes         []Node
	Groups        []Group
	Takeovers     []Takeover // newest first
	Events        []Event    // newest first
}

// A Node is this one, a peer or a ping node. What does not apply is empty.
type Node struct {
	Name, What, State string
	Bad               bool
	Silence, Margin   string
	RoundTrip         string
	Course            *Course
	Links             []Link
	Self              bool
}

// A Link is one link as it reaches a node; of this node, its own end.
type Link struct {
	Name, What, State        string
	Bad                      bool
	Silence, RoundTrip, Loss string
	Course                   *Course
}

// A Group is one line of haresources.
type Group struct {
	Name, Prefers, HeldBy, For, Here string
	Bad                              bool     // it is not where it should be: with one node
	Members                          []string // its resources in start order, the first included
	Failure                          string
}

// An Event is one line of the stream.
type Event struct {
	Time           time.Time
	Severity, Text string
	Level          Level
}

// New draws the picture. events are oldest first.
func New(st control.Status, events []control.Event) Board {
	b := Board{
		Time: st.Time, Cluster: Clean(st.Cluster), Node: Clean(st.Node), Version: Clean(st.Version),
		State: Clean(st.State) + ", " + Holds(st), Up: Short(st.Time.Sub(st.Started)),
		Timing: Timing(st),
	}
	for _, n := range Attention(st) {
		b.Notices = append(b.Notices, Notice{n.Bad, Clean(n.Text)})
	}
	for _, m := range st.Nodes {
		b.Nodes = append(b.Nodes, node(st, m))
	}
	for _, g := range st.Groups {
		b.Groups = append(b.Groups, group(st, g))
	}
	for i := len(st.Takeovers) - 1; i >= 0; i-- {
		b.Takeovers = append(b.Takeovers, takeover(st.Takeovers[i], st.Time))
	}
	for i := len(events) - 1; i >= 0; i-- {
		e := events[i]
		b.Events = append(b.Events, Event{e.Time, Clean(e.Severity), Clean(e.Text), severityLevel(e.Severity)})
	}
	return b
}

// Holds says what a node holds.
func Holds(st control.Status) string {
	if st.Hold == "transition" {
		return "in transition"
	}
	return "holds " + Clean(st.Hold) + " groups"
}

func node(st control.Status, m control.Member) Node {
	n := Node{
		Name: Clean(m.Node), What: Clean(What(m)), State: Clean(m.State), Bad: m.State == membership.Dead, Self: m.Self,
		Silence: optional(m.Silence), Margin: optional(m.Margin), RoundTrip: trip(m.RoundTrip),
	}
	if !m.Self && !m.Heard {
		n.Silence = "never heard"
	}
	n.Course = course(m.Recent)
	if m.Self {
		n.Links = ownLinks(st)
		return n
	}
	for _, l := range m.Links {
		link := Link{
			Name: Clean(l.Link), State: "up", Silence: optional(l.Silence), RoundTrip: trip(l.RoundTrip), Loss: loss(l.Recent),
		}
		if !l.Up {
			link.State, link.Bad = "dead", true
		}
		link.Course = course(l.Recent)
		n.Links = append(n.Links, link)
	}
	return n
}

func ownLinks(st control.Status) []Link {
	var links []Link
	for _, l := range st.Links {
		link := Link{Name: Clean(l.Link), What: Clean(l.Medium), State: "open"}
		if !l.Open {
			link.State, link.Bad = "closed", true
		}
		links = append(links, link)
	}
	return links
}

// What says what kind of a node one is, where that is worth a word.
func What(m control.Member) string {
	switch {
	case m.Self:
		return "this node"
	case m.Type == control.Ping:
		return "ping node"
	case m.Wire == "heartbeat3":
		return "heartbeat 3"
	case m.Wire == "systole":
		return "systole " + m.Version
	}
	return ""
}

func group(st control.Status, g control.Group) Group {
	v := Group{
		Name: Clean(g.Group), Prefers: Clean(g.Preferred), HeldBy: Clean(strings.Join(g.Holders, " and ")), Here: Clean(g.State),
		Bad: len(g.Holders) != 1 || g.State == "failed", Failure: Clean(g.Failure),
	}
	if len(g.Holders) == 0 {
		v.HeldBy = "nobody"
	}
	if !g.Since.IsZero() {
		v.For = Short(st.Time.Sub(g.Since))
	}
	for _, r := range g.Resources {
		v.Members = append(v.Members, Clean(r.Resource))
	}
	return v
}

// textMost bounds one text, in characters: three lines of a wide terminal.
const textMost = 500

// Clean is a text in which nothing can move a cursor, turn the direction of
// writing, or hide.
func Clean(s string) string {
	if r := []rune(s); len(r) > textMost {
		s = string(r[:textMost]) + "..."
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, s)
}

func length(s control.Seconds) string { return Short(time.Duration(s)) }

func optional(s *control.Seconds) string {
	if s == nil {
		return ""
	}
	return length(*s)
}

func trip(s control.Seconds) string {
	if s == 0 {
		return ""
	}
	return length(s)
}
