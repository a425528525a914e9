package lab

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Sample is one question of a prober.
type Sample struct {
	Due   time.Time // when it was to be asked
	Asked time.Time // when it was: later than Due by the prober's own lateness
	Done  time.Time // when the answer was complete, or was given up
	Who   string    // who answered, as far as the answer tells
	Err   string    // why there was no answer; "" if there was one
}

// A Result is what a prober found out.
type Result struct {
	Samples  []Sample // in the order in which they were done
	Realtime bool     // whether the system let the prober run at real-time priority
}

// A Gap is the time between two answers.
type Gap struct {
	Span
	Before, After string        // who answered last, and first again
	Open          bool          // there was no answer again: To is when the last question was asked
	Late          time.Duration // the prober's own worst lateness in it, which says how far to trust it
}

// Answered is the number of questions that were answered.
func (r Result) Answered() int { return len(r.answers()) }

// Who counts the answers by who gave them.
func (r Result) Who() map[string]int {
	count := map[string]int{}
	for _, s := range r.answers() {
		count[s.Who]++
	}
	return count
}

// Lateness is the prober's own: the median and the worst of the times by which
// questions were asked too late.
func (r Result) Lateness() (median, worst time.Duration) {
	late := make([]time.Duration, len(r.Samples))
	for i, s := range r.Samples {
		late[i] = s.Asked.Sub(s.Due)
	}
	if len(late) == 0 {
		return 0, 0
	}
	slices.Sort(late)
	return late[len(late)/2], late[len(late)-1]
}

// Gaps are the times between answers that are at least that long. The first
// begins when the first question was due, the last ends when the last was
// asked, so that a service that never comes, or never comes back, is a gap.
func (r Result) Gaps(atLeast time.Duration) []Gap {
	if len(r.Samples) == 0 {
		return nil
	}
	last := Sample{Done: r.Samples[0].Due}
	end := last.Done
	for _, s := range r.Samples {
		if s.Due.Before(last.Done) {
			last.Done = s.Due
		}
		if s.Asked.After(end) {
			end = s.Asked
		}
	}
	var gaps []Gap
	add := func(next Sample, open bool) {
		span := Span{From: last.Done, To: next.Done}
		if span.Length() >= max(atLeast, 1) {
			gaps = append(gaps, Gap{span, last.Who, next.Who, open, r.lateness(span)})
		}
		last = next
	}
	for _, s := range r.answers() {
		add(s, false)
	}
	add(Sample{Done: end}, true)
	return gaps
}

// Longest is the longest gap: the outage, if there was one. On a service that
// never failed it is the noise of the measurement. It is zero without samples.
func (r Result) Longest() Gap {
	var longest Gap
	for _, g := range r.Gaps(0) {
		if g.Length() > longest.Length() {
			longest = g
		}
	}
	return longest
}

// String is a summary for people.
func (r Result) String() string {
	median, worst := r.Lateness()
	var b strings.Builder
	fmt.Fprintf(&b, "%d asked, %d answered by %v; longest gap %v; prober late by %v, at worst %v",
		len(r.Samples), r.Answered(), r.Who(), r.Longest(), median.Round(time.Microsecond), worst.Round(time.Microsecond))
	if !r.Realtime {
		b.WriteString(" (not at real-time priority)")
	}
	return b.String()
}

// String is a gap for people: its length, who stopped and who began to answer.
func (g Gap) String() string {
	text := fmt.Sprint(g.Length().Round(10 * time.Microsecond))
	switch {
	case g.Open:
		text += " and no answer since"
	case g.Before != g.After:
		text += fmt.Sprintf(" (%s, then %s)", g.Before, g.After)
	}
	return text
}

// answers are the samples that were answered, in order of the answers.
func (r Result) answers() []Sample {
	var answered []Sample
	for _, s := range r.Samples {
		if s.Err == "" {
			answered = append(answered, s)
		}
	}
	slices.SortStableFunc(answered, func(a, b Sample) int { return a.Done.Compare(b.Done) })
	return answered
}

func (r Result) lateness(in Span) time.Duration {
	var worst time.Duration
	for _, s := range r.Samples {
		if !s.Due.Before(in.From) && s.Due.Before(in.To) {
			worst = max(worst, s.Asked.Sub(s.Due))
		}
	}
	return worst
}
