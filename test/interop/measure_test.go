package interop

import (
	"fmt"
	"slices"
	"time"

	"github.com/systole-ha/systole/test/lab"
)

// A cell is what one step in one configuration cost, in milliseconds.
type cell struct {
	Outage int // the longest that an address which was held did not answer the client
	Both   int `json:",omitempty"` // two nodes held an address
	Placed int // from the beginning of the step until every address was in its place
	Took   int // until the daemons' books were right as well
}

// noise is the longest gap between answers that is no outage: what a busy
// machine of two cores was seen to do to a service that did not fail.
const noise = 20 * time.Millisecond

func (c cell) String() string {
	text := "–"
	if c.Outage > int(noise.Milliseconds()) {
		text = fmt.Sprint(c.Outage)
	}
	if c.Both > 0 {
		text += fmt.Sprintf(" (two: %d)", c.Both)
	}
	return text
}

// perform does a step and waits until everything is as it ought to be: first
// the addresses, then the client's answers, then the daemons' books.
func (s *stage) perform(step step) (placed, served time.Time) {
	s.t.Helper()
	step.do(s)
	s.placed()
	placed = time.Now()
	s.answered()
	served = time.Now()
	s.truthful()
	return placed, served
}

// take does a step and measures it.
func (s *stage) take(step step) cell {
	s.t.Helper()
	began := time.Now()
	placed, served := s.perform(step)
	c := cell{Placed: milliseconds(placed.Sub(began)), Took: milliseconds(time.Since(began))}
	c.Both = milliseconds(s.both(began))
	c.Outage = milliseconds(s.outage(step, began, served))
	if c.Both > 0 && !step.both {
		s.t.Errorf("%s: two nodes held an address for %d ms", step.name, c.Both)
	}
	for _, n := range s.nodes() {
		s.judge(step, n)
	}
	return c
}

func milliseconds(d time.Duration) int { return int(d.Round(time.Millisecond).Milliseconds()) }

// both is for how long two nodes have held an address since an instant.
func (s *stage) both(since time.Time) time.Duration {
	s.t.Helper()
	h, err := s.watch.History()
	must(s.t, err)
	var longest time.Duration
	for _, address := range s.cfg.addresses() {
		var sum time.Duration
		for _, span := range h.Overlaps(address) {
			span.From = latest(span.From, since)
			if length := span.Length(); length > lab.Resolution {
				sum += length
			}
		}
		longest = max(longest, sum)
	}
	return longest
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// outage is the longest time between two answers to the client. A step that
// begins with nothing running has none.
func (s *stage) outage(step step, from, to time.Time) time.Duration {
	s.t.Helper()
	if step.cold {
		return 0
	}
	var longest time.Duration
	for _, probe := range s.probes {
		r, err := probe.Result()
		must(s.t, err)
		r.Samples = slices.DeleteFunc(r.Samples, func(sample lab.Sample) bool {
			return sample.Asked.Before(from) || sample.Asked.After(to)
		})
		gap := r.Longest()
		longest = max(longest, gap.Length()-gap.Late)
	}
	return longest
}

// judge fails the test for what a node's daemon complains of and has no reason
// to: Heartbeat of anything that two Heartbeat nodes do not write to each other
// in the same step, systole of anything but what the step is about.
func (s *stage) judge(step step, n *lab.Node) {
	s.t.Helper()
	for _, c := range complaints(s.runs[n], s.news(n)) {
		allowed := append(slices.Clone(step.warns), late...)
		if s.runs[n] == heartbeat {
			allowed = append(slices.Clone(reference()[step.occasion()]), usual...)
		}
		if !slices.ContainsFunc(allowed, func(a string) bool { return a == c }) {
			s.t.Errorf("%s: %s on %s complains: %s", step.name, s.runs[n].name, n, c)
		}
	}
}
