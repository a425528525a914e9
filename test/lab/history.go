package lab

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// A ChangeKind is what happened to an address or a node.
type ChangeKind string

const (
	Added   ChangeKind = "+"   // the address answers from now on (for IPv6: past duplicate detection)
	Removed ChangeKind = "-"   // deleted or expired
	On      ChangeKind = "on"  // the node boots: it holds nothing until it adds it
	Off     ChangeKind = "off" // the node lost its power: it holds nothing
)

// A Change is one message of the kernel of a node, or one thing the lab did to
// the node. Prefix and Device, an interface index, are only set for addresses.
type Change struct {
	At     time.Time
	Node   string
	Kind   ChangeKind
	Prefix netip.Prefix
	Device int
}

// A History is what a Watch saw from Start to End, in order of time.
type History struct {
	Start, End time.Time
	Changes    []Change
}

// A Span is a stretch of time. Its end may be that of the history.
type Span struct{ From, To time.Time }

// Length is To minus From.
func (s Span) Length() time.Duration { return s.To.Sub(s.From) }

// Total adds up the lengths of spans.
func Total(spans []Span) time.Duration {
	var sum time.Duration
	for _, s := range spans {
		sum += s.Length()
	}
	return sum
}

// A Holding is a stretch of time in which one node held an address.
type Holding struct {
	Node string
	Span
	Open bool // it still held it when the history ended
}

// Holdings says who held the address when, in the order of their beginnings.
// A node that has it on two devices holds it once.
func (h History) Holdings(address netip.Addr) []Holding {
	var all []Holding
	open := map[string]int{} // index in all, by node
	h.replay(address, func(at time.Time, holders []string) {
		for _, node := range holders {
			if _, ok := open[node]; !ok {
				open[node] = len(all)
				all = append(all, Holding{Node: node, Span: Span{From: at, To: h.End}, Open: true})
			}
		}
		for node, i := range open {
			if !slices.Contains(holders, node) {
				all[i].To, all[i].Open = at, false
				delete(open, node)
			}
		}
	})
	return all
}

// Overlaps are the spans in which two nodes or more held the address, as the
// messages were read: one no longer than Resolution proves nothing.
func (h History) Overlaps(address netip.Addr) []Span {
	return h.spans(address, func(holders int) bool { return holders > 1 })
}

// Vacancies are the spans in which nobody held the address, from the first
// moment that somebody did to the end.
func (h History) Vacancies(address netip.Addr) []Span {
	return h.spans(address, func(holders int) bool { return holders == 0 })
}

// Holders are the nodes that hold the address at the end, by name.
func (h History) Holders(address netip.Addr) []string {
	var last []string
	h.replay(address, func(_ time.Time, holders []string) { last = holders })
	return last
}

// spans joins the stretches for which want is true of the number of holders,
// beginning with the first holder.
func (h History) spans(address netip.Addr, want func(int) bool) []Span {
	var spans []Span
	begun, inside := false, false
	h.replay(address, func(at time.Time, holders []string) {
		begun = begun || len(holders) > 0
		switch now := begun && want(len(holders)); {
		case now && !inside:
			spans, inside = append(spans, Span{From: at, To: h.End}), true
		case !now && inside:
			spans[len(spans)-1].To, inside = at, false
		}
	})
	return spans
}

// replay calls step after each change of the holders of the address, with
// their names in order.
func (h History) replay(address netip.Addr, step func(at time.Time, holders []string)) {
	devices := map[string]map[int]bool{} // that carry the address, by node
	off := map[string]bool{}
	var before []string
	for _, c := range h.Changes {
		switch {
		case c.Kind == Off:
			off[c.Node] = true
			delete(devices, c.Node)
		case c.Kind == On:
			off[c.Node] = false
		case off[c.Node] || c.Prefix.Addr() != address: // a node without power holds nothing, whatever its kernel says
		case c.Kind == Added:
			if devices[c.Node] == nil {
				devices[c.Node] = map[int]bool{}
			}
			devices[c.Node][c.Device] = true
		case c.Kind == Removed:
			delete(devices[c.Node], c.Device)
			if len(devices[c.Node]) == 0 {
				delete(devices, c.Node)
			}
		}
		if holders := slices.Sorted(maps.Keys(devices)); !slices.Equal(holders, before) {
			step(c.At, holders)
			before = holders
		}
	}
}

// String lists the changes, one a line, with the time since the first.
func (h History) String() string {
	var b strings.Builder
	for _, c := range h.Changes {
		fmt.Fprintf(&b, "%+10.4fs %s %s", c.At.Sub(h.Start).Seconds(), c.Node, c.Kind)
		if c.Prefix.IsValid() {
			fmt.Fprintf(&b, "%s", c.Prefix)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func sortChanges(changes []Change) {
	slices.SortStableFunc(changes, func(a, b Change) int { return cmp.Compare(a.At.Sub(b.At), 0) })
}
