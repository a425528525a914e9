package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/systole-ha/systole/agent/control"
	"github.com/systole-ha/systole/cmd/systole/board"
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
		fmt.Fprintf(w, "#%d %s %s\n", t.ID, t.Started.Format(time.DateTime), board.Story(t, st.Time))
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
