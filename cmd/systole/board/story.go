package board

import (
	"fmt"
	"strings"
	"time"

	"github.com/systole-ha/systole/agent/control"
)

// Story tells a takeover in one line, as seen at the instant now.
func Story(t control.Takeover, now time.Time) string {
	groups := fmt.Sprintf("%d groups", len(t.Groups))
	if len(t.Groups) == 1 {
		groups = "1 group"
	}
	if t.Finished.IsZero() {
		return fmt.Sprintf("%s: %s, under way for %s", occasion(t), groups, Short(now.Sub(t.Started)))
	}
	text := fmt.Sprintf("%s: %s in %s", occasion(t), groups, Short(time.Duration(t.Took)))
	if t.Outage > 0 {
		text += fmt.Sprintf(", outage %s", Short(time.Duration(t.Outage)))
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

// A Takeover is one acquisition of groups.
type Takeover struct {
	ID       uint64
	Started  time.Time
	Story    string
	Running  bool
	Bad      bool // not all that was wanted runs
	Groups   []string
	Phases   []Phase // that took any time, in order, without gaps
	Failures []string
}

// A Phase is one part of a takeover. From and To say where it lies in the whole,
// from 0 to 1.
type Phase struct {
	Name     string
	Took     time.Duration
	From, To float64
}

// Milliseconds is how long it took, for people.
func (p Phase) Milliseconds() string { return fmt.Sprintf("%.1f", p.Took.Seconds()*1e3) }

func takeover(t control.Takeover, now time.Time) Takeover {
	v := Takeover{
		ID: t.ID, Started: t.Started, Story: Clean(Story(t, now)), Running: t.Finished.IsZero(),
		Bad: !t.Finished.IsZero() && t.Result != "success", Phases: phases(t.Phases),
	}
	for _, g := range t.Groups {
		v.Groups = append(v.Groups, Clean(g))
	}
	for _, f := range t.Failures {
		text := fmt.Sprintf("%s: %s: %s", f.Group, f.Resource, f.Error)
		if f.Next != "" {
			text += "; " + f.Next
		}
		v.Failures = append(v.Failures, Clean(text))
	}
	return v
}

// phases follow each other without gaps, so each begins where the one before it
// ended.
func phases(all []control.Phase) []Phase {
	var total, at time.Duration
	for _, p := range all {
		total += max(0, time.Duration(p.Took))
	}
	var drawn []Phase
	for _, p := range all {
		took := time.Duration(p.Took)
		if took <= 0 {
			continue
		}
		drawn = append(drawn, Phase{
			Name: Clean(p.Phase), Took: took,
			From: at.Seconds() / total.Seconds(), To: (at + took).Seconds() / total.Seconds(),
		})
		at += took
	}
	return drawn
}
