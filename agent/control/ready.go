package control

import (
	"slices"
	"time"

	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/agent/readiness"
)

// A Ready is the answer to whether a takeover would work.
type Ready struct {
	Judged bool    `json:"judged"` // there are verdicts
	Ready  bool    `json:"ready"`
	Reason string  `json:"reason,omitempty"` // why there are none
	Checks []Check `json:"checks"`
}

// A Check is the verdict of one readiness check.
type Check struct {
	Check  string    `json:"check"` // units_loadable, interface_up, …
	Ready  bool      `json:"ready"`
	Reason string    `json:"reason,omitempty"` // what is wrong, or what was looked at
	Since  time.Time `json:"since,omitzero"`   // of the verdict; none in the answer to a question
}

// A Pending is a file on disk that is not what runs.
type Pending struct {
	File  string    `json:"file"`
	Error string    `json:"error,omitempty"` // why the daemon would not start with it
	Since time.Time `json:"since"`
}

func readyOf(r readiness.Report) *Ready {
	ready := &Ready{Judged: r.Unjudged == "", Ready: r.Ready(), Reason: r.Unjudged, Checks: []Check{}}
	for _, v := range r.Verdicts {
		ready.Checks = append(ready.Checks, Check{Check: v.Check, Ready: v.Ready, Reason: v.Reason})
	}
	return ready
}

// checked is the verdicts with a new one, in the order in which they first
// came. Since when a check fails does not begin anew with another reason.
func checked(checks []Check, r event.Record, e event.ReadinessChanged) []Check {
	now := Check{Check: e.Check, Ready: e.Ready, Reason: e.Reason, Since: wall(r.Time)}
	i := slices.IndexFunc(checks, func(c Check) bool { return c.Check == e.Check })
	if i < 0 {
		return append(slices.Clip(checks), now)
	}
	if checks[i].Ready == e.Ready {
		now.Since = checks[i].Since
	}
	checks = slices.Clone(checks) // somebody may be reading the old ones
	checks[i] = now
	return checks
}

func pending(files []Pending, r event.Record, e event.ConfigPending) []Pending {
	files = slices.DeleteFunc(slices.Clone(files), func(p Pending) bool { return p.File == e.File })
	if !e.Agrees {
		files = append(files, Pending{e.File, e.Error, wall(r.Time)})
	}
	return files
}
