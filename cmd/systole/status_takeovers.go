package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/systole-ha/systole/agent/control"
)

// takeoversShown is how many of the last takeovers stand on the page; --json
// has all.
const takeoversShown = 3

// drawTakeovers shows the last takeovers, the newest first, each phase as a bar
// where it lay.
func drawTakeovers(w io.Writer, st control.Status, width int) {
	if len(st.Takeovers) == 0 {
		return
	}
	fmt.Fprintf(w, "\nLAST TAKEOVERS\n")
	newest := st.Takeovers[max(0, len(st.Takeovers)-takeoversShown):]
	for _, t := range slices.Backward(newest) {
		fmt.Fprintf(w, "#%d %s %s\n", t.ID, t.Started.Format(time.DateTime), story(t, st.Time))
		drawTimeline(w, t, width)
		for _, f := range t.Failures {
			fmt.Fprintf(w, "   ! %s: %s: %s", f.Group, f.Resource, f.Error)
			if f.Next != "" {
				fmt.Fprintf(w, "; %s", f.Next)
			}
			fmt.Fprintln(w)
		}
	}
}

// story tells a takeover in one line.
func story(t control.Takeover, now time.Time) string {
	groups := count(len(t.Groups), "group")
	if t.Finished.IsZero() {
		return fmt.Sprintf("%s: %s, under way for %s", occasion(t), groups, short(now.Sub(t.Started)))
	}
	text := fmt.Sprintf("%s: %s in %s", occasion(t), groups, short(time.Duration(t.Took)))
	if t.Outage > 0 {
		text += fmt.Sprintf(", outage %s", short(time.Duration(t.Outage)))
	}
	if t.Result != "success" {
		text += ", " + strings.ToUpper(t.Result)
	}
	return text
}

// occasion is why it came to a takeover.
func occasion(t control.Takeover) string {
	switch t.Trigger {
	case "peer_dead":
		return t.Peer + " died"
	case "peer_left":
		return t.Peer + " left"
	case "standby":
		return t.Peer + " went standby"
	case "takeover":
		return "asked of " + t.Peer
	case "failback":
		return "failback from " + t.Peer
	}
	return t.Trigger
}

// The timeline's measures, in characters.
const (
	timelineMargin = 26 // "   " phase " " milliseconds " ms  "
	timelineMost   = 100
	timelineLeast  = 10
)

// drawTimeline draws one line a phase. Phases follow each other without gaps,
// so each begins where the one before it ended; what took no time is left out.
func drawTimeline(w io.Writer, t control.Takeover, width int) {
	var total time.Duration
	for _, p := range t.Phases {
		total += time.Duration(p.Took)
	}
	bar := min(timelineMost, max(timelineLeast, width-timelineMargin))
	var at time.Duration
	for _, p := range t.Phases {
		took := time.Duration(p.Took)
		if took <= 0 {
			continue
		}
		from, to := int(int64(bar)*int64(at)/int64(total)), int(int64(bar)*int64(at+took)/int64(total))
		from = min(from, bar-1)
		fmt.Fprintf(w, "   %-8s %9.1f ms  %s%s\n",
			p.Phase, took.Seconds()*1e3, strings.Repeat(" ", from), strings.Repeat("=", max(1, to-from)))
		at += took
	}
}
