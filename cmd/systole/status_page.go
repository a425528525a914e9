package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode/utf8"

	"github.com/systole-ha/systole/agent/control"
	"github.com/systole-ha/systole/agent/membership"
	"github.com/systole-ha/systole/cmd/systole/board"
)

// drawStatus shows a status to people: what wants attention first, then nodes
// and links, groups, and the last takeovers. No line is longer than width
// characters.
func drawStatus(w io.Writer, st control.Status, width int) {
	var page strings.Builder
	fmt.Fprintf(&page, "%s  cluster %s, node %s is %s and %s\n",
		st.Time.Format(time.DateTime), st.Cluster, st.Node, st.State, board.Holds(st))
	fmt.Fprintf(&page, "systole %s, up %s; %s\n", st.Version, board.Short(st.Time.Sub(st.Started)), board.Timing(st))
	fmt.Fprintf(&page, "%s\n", board.Permission(st))
	for _, n := range board.Attention(st) {
		fmt.Fprintf(&page, "%s %s\n", n.Mark(), n.Text)
	}
	page.WriteString("\n")
	drawNodes(&page, st)
	page.WriteString("\n")
	drawGroups(&page, st)
	drawTakeovers(&page, st, width)
	for line := range strings.Lines(page.String()) {
		fmt.Fprintln(w, cut(strings.TrimRight(line, " \n"), width))
	}
}

// drawNodes has a line for every node and every link. SILENCE is how long it
// has not been heard, MARGIN what that leaves until it is declared dead.
func drawNodes(w io.Writer, st control.Status) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NODE\tSTATE\tSILENCE\tMARGIN\tROUND TRIP\t")
	for _, m := range st.Nodes {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", m.Node, loud(m.State, membership.Dead), silence(m), margin(m), roundTrip(m.RoundTrip), board.What(m))
		if m.Self {
			drawOwnLinks(t, st.Links)
			continue
		}
		for _, l := range m.Links {
			state := "up"
			if !l.Up {
				state = "DEAD"
			}
			fmt.Fprintf(t, "  %s\t%s\t%s\t\t%s\t\n", l.Link, state, optional(l.Silence), roundTrip(l.RoundTrip))
		}
	}
	t.Flush()
}

// drawOwnLinks shows what we know of our end of the links.
func drawOwnLinks(w io.Writer, links []control.Link) {
	for _, l := range links {
		state := "open"
		if !l.Open {
			state = "CLOSED"
		}
		fmt.Fprintf(w, "  %s\t%s\t\t\t\t%s\n", l.Link, state, l.Medium)
	}
}

func silence(m control.Member) string {
	if !m.Self && !m.Heard {
		return "never heard"
	}
	return optional(m.Silence)
}

func margin(m control.Member) string { return optional(m.Margin) }

func optional(s *control.Seconds) string {
	if s == nil {
		return ""
	}
	return board.Short(time.Duration(*s))
}

func roundTrip(s control.Seconds) string {
	if s == 0 {
		return ""
	}
	return board.Short(time.Duration(s))
}

// loud writes one state of all in capitals.
func loud(state, bad string) string {
	if state == bad {
		return strings.ToUpper(state)
	}
	return state
}

// drawGroups has a line for every group and one for every further resource of
// it.
func drawGroups(w io.Writer, st control.Status) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "GROUP\tPREFERS\tHELD BY\tFOR\tHERE")
	for _, g := range st.Groups {
		since := ""
		if !g.Since.IsZero() {
			since = board.Short(st.Time.Sub(g.Since))
		}
		holders := strings.Join(g.Holders, " AND ")
		if holders == "" {
			holders = "NOBODY"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", g.Group, g.Preferred, holders, since, loud(g.State, "failed"))
		for _, r := range g.Resources[min(1, len(g.Resources)):] {
			fmt.Fprintf(t, "  %s\t\t\t\t\n", r.Resource)
		}
	}
	t.Flush()
}

// cut is a line of at most width characters.
func cut(line string, width int) string {
	if utf8.RuneCountInString(line) <= width || width < 4 {
		return line
	}
	return string([]rune(line)[:width-3]) + "..."
}
