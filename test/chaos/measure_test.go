package chaos

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/systole-ha/systole/test/lab"
)

// A cell is what one fault cost, in milliseconds.
type cell struct {
	Held     int     // two nodes had the address, by their kernels
	Answered int     // two nodes answered for it
	None     int     // no node had it
	Outage   int     // the client was without an answer
	Endless  bool    `json:",omitempty"` // it was not over when the watching ended, and no less than this
	Took     int     // seconds to measure it
	Load     float64 // of the machine then, the average of a minute
}

func (c cell) String() string {
	more := ""
	if c.Endless {
		more = "+"
	}
	return fmt.Sprintf("%d%s / %d / %d / %d", c.Held, more, c.Answered, c.None, c.Outage)
}

// noise is the longest gap between answers that is no outage: what a busy
// machine of two cores was seen to do to a service that did not fail.
const noise = 30 * time.Millisecond

// A measurement is under way.
type measurement struct {
	s      *stage
	probe  *lab.Probe
	census *lab.Census
	began  time.Time
}

func (s *stage) measure() (*measurement, error) {
	probe, err := s.lab.Probe(lab.Question{URL: "http://" + virtual.String() + "/"})
	if err != nil {
		return nil, err
	}
	census, err := s.lab.Census(virtual)
	if err != nil {
		return nil, err
	}
	_, err = probe.AwaitAnswer(soon(s.t), "")
	return &measurement{s: s, probe: probe, census: census, began: time.Now()}, err
}

// end stops measuring.
func (m *measurement) end() (cell, error) {
	h, err := m.s.watch.History()
	if err != nil {
		return cell{}, err
	}
	ended := time.Now()
	asked, err := m.probe.Stop()
	if err != nil {
		return cell{}, err
	}
	answers, err := m.census.Stop()
	if err != nil {
		return cell{}, err
	}
	within := func(spans []lab.Span, atLeast time.Duration) int {
		var sum time.Duration
		for _, s := range spans {
			if s.From.Before(m.began) {
				s.From = m.began
			}
			if s.To.After(ended) {
				s.To = ended
			}
			if s.Length() > atLeast {
				sum += s.Length()
			}
		}
		return int(sum.Round(time.Millisecond).Milliseconds())
	}
	var outages []lab.Span
	for _, g := range asked.Gaps(noise) {
		if g.Length()-g.Late >= noise {
			outages = append(outages, lab.Span{From: g.From.Add(g.Late), To: g.To})
		}
	}
	return cell{
		Held:     within(h.Overlaps(virtual), lab.Resolution),
		Answered: within(lab.TwoAnswered(answers), 0),
		None:     within(h.Vacancies(virtual), lab.Resolution),
		Outage:   within(outages, 0),
	}, nil
}

// healing is how long is watched after a fault is over. What has not settled by
// then is endless as far as the table is concerned.
func healing(deadtime time.Duration) time.Duration { return 2*deadtime + 20*time.Second }

// suffer has the node that serves suffer a fault, and measures until all is well
// again.
func (s *stage) suffer(f fault) (cell, error) {
	serves, err := s.serving()
	if err != nil {
		return cell{}, err
	}
	m, err := s.measure()
	if err != nil {
		return cell{}, err
	}
	ctx, cancel := context.WithTimeout(s.t.Context(), f.lasts(s.deadtime)+3*patience)
	defer cancel()
	failed := f.strike(ctx, s, serves)
	if failed == nil {
		failed = pass(ctx, f.lasts(s.deadtime))
	}
	if f.mend != nil {
		failed = errors.Join(failed, f.mend(ctx, s, serves))
	}
	if failed != nil {
		_, err := m.end()
		return cell{}, errors.Join(failed, err)
	}
	unsettled := s.settle(healing(s.deadtime))
	c, err := m.end()
	if unsettled != nil {
		s.t.Logf("%v", unsettled)
		c.Endless = true
	}
	return c, err
}
