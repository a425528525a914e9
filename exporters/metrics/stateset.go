package metrics

import (
	"slices"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// A stateSet is one series for each of a closed set of states, of which exactly
// one is 1, or none where it is unset: in every scrape, since all are made from one
// load.
type stateSet struct {
	desc    *prometheus.Desc
	states  []string
	current atomic.Int32 // index into states; -1: unset
}

// newStateSet has its states under label.
func newStateSet(opts prometheus.Opts, label string, states []string) *stateSet {
	return &stateSet{
		desc:   prometheus.NewDesc(opts.Name, opts.Help, []string{label}, opts.ConstLabels),
		states: states,
	}
}

// set makes state the true one; one that is not in the set changes nothing.
func (s *stateSet) set(state string) {
	if i := slices.Index(s.states, state); i >= 0 {
		s.current.Store(int32(i))
	}
}

// unset makes no state true: nobody has looked so far.
func (s *stateSet) unset() { s.current.Store(-1) }

// now is the state that is true.
func (s *stateSet) now() string { return s.states[s.current.Load()] }

func (s *stateSet) Describe(descs chan<- *prometheus.Desc) { descs <- s.desc }

func (s *stateSet) Collect(metrics chan<- prometheus.Metric) {
	current := int(s.current.Load())
	for i, state := range s.states {
		metrics <- prometheus.MustNewConstMetric(s.desc, prometheus.GaugeValue, oneIf(i == current), state)
	}
}
