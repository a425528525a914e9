package webhook

import "sync/atomic"

// Results are what can become of a post: it was taken; it was not and was made
// again; it was not and will not be.
var Results = []string{"ok", "retried", "given_up"}

type results struct{ ok, retried, givenUp atomic.Uint64 }

func (r *results) all() map[string]uint64 {
	return map[string]uint64{Results[0]: r.ok.Load(), Results[1]: r.retried.Load(), Results[2]: r.givenUp.Load()}
}
