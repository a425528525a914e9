package control

import (
	"slices"

	"github.com/systole-ha/systole/agent/event"
)

// takeoversKept bounds the takeovers kept: what fits a screen, and days of
// trouble.
const takeoversKept = 16

// takeovers is the last takeovers of this node, oldest first. One that is
// overtaken by 16 others before it ends is forgotten; one of no groups, when an
// operator asked for what is here already, is not worth a place.
type takeovers []Takeover

func (t *takeovers) note(r event.Record) {
	switch e := r.Event.(type) {
	case event.TakeoverStarted:
		if len(e.Groups) == 0 {
			return
		}
		if len(*t) == takeoversKept {
			*t = slices.Delete(*t, 0, 1)
		}
		*t = append(*t, Takeover{
			ID: e.ID, Trigger: e.Trigger, Peer: e.Peer, Groups: slices.Clone(e.Groups), Started: wall(r.Time),
			Phases: []Phase{},
		})
	case event.TakeoverPhase:
		if k := t.find(e.ID); k != nil {
			k.Phases = append(k.Phases, Phase{e.Phase, Seconds(e.Took)})
		}
	case event.TakeoverFailed:
		if k := t.find(e.ID); k != nil {
			k.Failures = append(k.Failures, Failure{e.Group, e.Resource, e.Error, e.Next})
		}
	case event.TakeoverCompleted:
		if k := t.find(e.ID); k != nil {
			k.Finished, k.Result, k.Took, k.Outage = wall(r.Time), e.Result, Seconds(e.Took), Seconds(e.Outage)
			k.Groups = slices.Clone(e.Groups)
		}
	}
}

func (t *takeovers) find(id uint64) *Takeover {
	for i := range *t {
		if (*t)[i].ID == id {
			return &(*t)[i]
		}
	}
	return nil
}

func (t takeovers) clone() takeovers {
	c := slices.Clone(t)
	for i := range c {
		c[i].Phases, c[i].Failures = slices.Clone(c[i].Phases), slices.Clone(c[i].Failures)
	}
	return c
}
