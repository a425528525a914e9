package board

import (
	"fmt"
	"time"

	"github.com/systole-ha/systole/agent/control"
	"github.com/systole-ha/systole/agent/event"
)

// A Level says how near something is to its worst.
type Level int

// The levels of a share of the deadtime begin at those by which near misses are
// counted (systole_peer_deadtime_near_misses_total). Events have the first, the
// second, the third and the last by their severity.
const (
	Fine  Level = iota
	Half        // 0.5 of the deadtime; a warning
	Near        // 0.75; an error
	Close       // 0.9; critical
)

func (l Level) String() string { return [...]string{"fine", "half", "near", "close"}[l] }

// LevelOf is the level of a share of the deadtime.
func LevelOf(used float64) Level {
	switch {
	case used >= .9:
		return Close
	case used >= .75:
		return Near
	case used >= .5:
		return Half
	}
	return Fine
}

func severityLevel(severity string) Level {
	switch severity {
	case event.Warning.String():
		return Half
	case event.Error.String():
		return Near
	case event.Critical.String():
		return Close
	}
	return Fine
}

// A Course is how much of the deadtime silences have used, in steps of the last
// minutes, oldest first. Below 0 is where there is nothing to tell.
type Course struct {
	Step time.Duration
	Used []float64
}

// steps is how many a course has that has not just begun: five minutes.
const steps = 60

func course(r *control.Recent) *Course {
	if r == nil {
		return nil
	}
	c := &Course{Step: time.Duration(r.Step)}
	for _, used := range r.Used {
		c.Used = append(c.Used, float64(used))
	}
	return c
}

// Worst is the longest silence as a share of the deadtime; below 0 where none
// is known.
func (c Course) Worst() float64 {
	worst := -1.0
	for _, used := range c.Used {
		worst = max(worst, used)
	}
	return worst
}

// WorstText is Worst for people.
func (c Course) WorstText() string {
	if worst := c.Worst(); worst >= 0 {
		return fmt.Sprintf("%.0f%%", worst*100)
	}
	return ""
}

// Span is how far back it goes.
func (c Course) Span() string { return Short(c.Step * time.Duration(len(c.Used))) }

// Fit is the course in that many places, the newest at the end, each the worst
// of what it stands for. A course that has just begun stands at the end.
func (c Course) Fit(places int) []float64 {
	steps := max(steps, len(c.Used))
	fitted := make([]float64, places)
	for i := range fitted {
		fitted[i] = -1
	}
	missing := steps - len(c.Used) // of the beginning
	for i, used := range c.Used {
		if at := (missing + i) * places / steps; at >= 0 {
			fitted[at] = max(fitted[at], used)
		}
	}
	return fitted
}

// loss is the share of messages that never came; empty where none came at all.
func loss(r *control.Recent) string {
	if r == nil || r.Received+r.Lost == 0 {
		return ""
	}
	percent := 100 * float64(r.Lost) / float64(r.Received+r.Lost)
	switch {
	case percent == 0:
		return "0%"
	case percent < .1:
		return "<0.1%"
	case percent < 10:
		return fmt.Sprintf("%.1f%%", percent)
	}
	return fmt.Sprintf("%.0f%%", percent)
}
