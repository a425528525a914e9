package interop

import (
	"regexp"
	"testing"
	"time"

	"github.com/systole-ha/systole/test/book"
)

// TestMatrix walks through the life of a cluster in every configuration, and
// writes down what each step cost the client. It takes a quarter of an hour:
// make interop. Without -update each of the two is the preferred node once,
// only the steps that every cluster knows are taken, and nothing is written.
func TestMatrix(t *testing.T) {
	switch {
	case *record:
		each(t, configurations, recordReference)
	case *update:
		b := book.Read[matrix](t, kept)
		each(t, configurations, b.fill)
	default:
		first := configurations[0]
		first.parts = moving | starting
		each(t, []configuration{first, common}, life)
	}
}

func each(t *testing.T, all []configuration, walk func(t *testing.T, cfg configuration)) {
	for _, cfg := range all {
		if regexp.MustCompile(*only).MatchString(cfg.String()) {
			t.Run(cfg.String(), func(t *testing.T) { walk(t, cfg) })
		}
	}
}

// life takes the steps that every cluster knows, and one that only two different
// daemons do.
func life(t *testing.T, cfg configuration) {
	s := newStage(t, cfg, systole, heartbeat)
	for _, step := range walk(cfg.parts) {
		if step.core && step.possible(s) {
			c := s.take(step)
			t.Logf("%-45s %-20s placed after %5d ms, %5d ms in all", step.name, c, c.Placed, c.Took)
		}
	}
	if cfg.failback == "on" {
		s.killed()
	}
}

// fill takes all steps and enters what they cost.
func (b *matrix) fill(t *testing.T, cfg configuration) {
	began := time.Now()
	s := newStage(t, cfg, systole, heartbeat)
	column := b.column(cfg)
	for _, step := range walk(cfg.parts) {
		if step.possible(s) {
			c := s.take(step)
			t.Logf("%-45s %-20s placed after %5d ms, %5d ms in all", step.name, c, c.Placed, c.Took)
			column.enter(step, c)
			column.Took = int(time.Since(began).Seconds())
			b.write(t)
		}
	}
}
