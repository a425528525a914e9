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
)

// drawStatus shows a status to people: what wants attention first, then nodes
// and links, groups, and the last takeovers. No line is longer than width
// characters.
func drawStatus(w io.Writer, st control.Status, width int) {
	var page strings.Builder
	fmt.Fprintf(&page, "%s  cluster %s, node %s is %s and %s\n",
		st.Time.Format(time.DateTime), st.Cluster, st.Node, st.State, holds(st))
	fmt.Fprintf(&page, "systole %s, up %s; keepalive %s, warntime %s, deadtime %s\n",
		st.Version, short(st.Time.Sub(st.Started)),
		short(time.Duration(st.Keepalive)), short(time.Duration(st.Warntime)), short(time.Duration(st.Deadtime)))
	for _, line := range attention(st) {
		fmt.Fprintf(&page, "%s\n", line)
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

func holds(st control.Status) string {
	if st.Hold == "transition" {
		return "in transition"
	}
	return "holds " + st.Hold + " groups"
}

// attention is what an operator should know before anything else. Lines with
// an exclamation mark are not as they should be.
func attention(st control.Status) []string {
	var lines []string
	bad := func(format string, args ...any) { lines = append(lines, "! "+fmt.Sprintf(format, args...)) }
	if s := st.SplitBrain; s != nil {
		bad("split brain suspected for %s: %s says that it holds %s too", short(st.Time.Sub(s.Since)), s.Peer, strings.Join(s.Groups, ", "))
	}
	for _, g := range st.Groups {
		if len(g.Holders) == 0 && st.Activity == "" {
			bad("%s is held by nobody", g.Group)
		}
		if g.Failure != "" {
			bad("%s would not start here: %s", g.Group, g.Failure)
		}
	}
	for _, l := range st.Links {
		switch {
		case !l.Open && l.Error == "":
			bad("%s is not open yet", l.Link)
		case !l.Open:
			bad("%s is not open: %s", l.Link, l.Error)
		}
	}
	for _, m := range st.Nodes {
		if m.State == membership.Dead {
			bad("%s is dead", m.Node)
		} else if dead := deadLinks(m); len(dead) > 0 {
			bad("%s is not heard on %s", m.Node, strings.Join(dead, ", "))
		}
		for _, file := range m.ConfigDrift {
			bad("%s of %s is not like ours", file, m.Node)
		}
	}
	if !st.StandbySince.IsZero() {
		bad("in standby for %s", short(st.Time.Sub(st.StandbySince)))
	}
	if st.Activity != "" {
		lines = append(lines, "> "+st.Activity)
	}
	return lines
}

// deadLinks is the links that do not carry from a node that is heard on others.
func deadLinks(m control.Member) []string {
	var dead []string
	for _, l := range m.Links {
		if !l.Up {
			dead = append(dead, l.Link)
		}
	}
	if m.Self || len(dead) == len(m.Links) {
		return nil
	}
	return dead
}

// drawNodes has a line for every node and every link. SILENCE is how long it
// has not been heard, MARGIN what that leaves until it is declared dead.
func drawNodes(w io.Writer, st control.Status) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NODE\tSTATE\tSILENCE\tMARGIN\tROUND TRIP\t")
	for _, m := range st.Nodes {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", m.Node, loud(m.State, membership.Dead), silence(m), margin(m), roundTrip(m.RoundTrip), kindOf(m))
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

// kindOf says what a node is where that is worth a word.
func kindOf(m control.Member) string {
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
	return short(time.Duration(*s))
}

func roundTrip(s control.Seconds) string {
	if s == 0 {
		return ""
	}
	return short(time.Duration(s))
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
			since = short(st.Time.Sub(g.Since))
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

// short is a duration in as few characters as tell it: three digits of the
// seconds, two of the larger units.
func short(d time.Duration) string {
	switch {
	case d < 0:
		return "-" + short(-d)
	case d == 0:
		return "0s"
	case d < 9995*time.Microsecond:
		return fmt.Sprintf("%.2fms", d.Seconds()*1e3)
	case d.Round(time.Millisecond) < time.Second:
		return fmt.Sprintf("%dms", d.Round(time.Millisecond).Milliseconds())
	case d < time.Minute:
		return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.2f", d.Seconds()), "0"), ".") + "s"
	case d < time.Hour:
		return fmt.Sprintf("%dm%ds", int(d.Minutes()), int(d.Seconds())%60)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh%dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dd%dh", int(d.Hours())/24, int(d.Hours())%24)
}

// cut is a line of at most width characters.
func cut(line string, width int) string {
	if utf8.RuneCountInString(line) <= width || width < 4 {
		return line
	}
	return string([]rune(line)[:width-3]) + "..."
}
