package metrics

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// series makes the children of the families by name, at creation, so that
// nothing is looked up by label later. A name or number of labels that is not
// in the table is a mistake in this package and panics.
type series struct {
	registry   *prometheus.Registry
	constant   prometheus.Labels
	byName     map[string]family
	counters   map[string]*prometheus.CounterVec
	gauges     map[string]*prometheus.GaugeVec
	histograms map[string]*prometheus.HistogramVec
	booked     map[[2]string]bool // group and cause
	errs       []error            // of registering
}

func newSeries(cluster, node string) *series {
	c := &series{
		registry:   prometheus.NewRegistry(),
		constant:   prometheus.Labels{"cluster": valid(cluster), "node": valid(node)},
		byName:     map[string]family{},
		counters:   map[string]*prometheus.CounterVec{},
		gauges:     map[string]*prometheus.GaugeVec{},
		histograms: map[string]*prometheus.HistogramVec{},
		booked:     map[[2]string]bool{},
	}
	for _, f := range families {
		c.add(f)
	}
	return c
}

func (s *series) add(f family) {
	s.byName[f.name] = f
	opts := prometheus.Opts{Name: f.name, Help: f.help, ConstLabels: s.constant}
	switch f.kind {
	case counter:
		s.counters[f.name] = prometheus.NewCounterVec(prometheus.CounterOpts(opts), f.labels)
		s.register(s.counters[f.name])
	case gauge:
		s.gauges[f.name] = prometheus.NewGaugeVec(prometheus.GaugeOpts(opts), f.labels)
		s.register(s.gauges[f.name])
	case histogram:
		s.histograms[f.name] = prometheus.NewHistogramVec(s.histogramOpts(f), f.labels)
		s.register(s.histograms[f.name])
	case gaugeFunc, counterFunc, stateful: // registered one by one
	default:
		panic(fmt.Sprintf("metrics: %s is of no known kind %q", f.name, f.kind))
	}
}

// histogramOpts are those of a classic and native histogram in one. The native
// figures bound its memory: buckets a tenth apart, 160 of them as
// OpenTelemetry's SDKs have it, coarser when there are more, reset at most once
// an hour.
func (s *series) histogramOpts(f family) prometheus.HistogramOpts {
	return prometheus.HistogramOpts{
		Name: f.name, Help: f.help, ConstLabels: s.constant,
		Buckets:                         f.bounds,
		NativeHistogramBucketFactor:     1.1,
		NativeHistogramZeroThreshold:    1e-6,
		NativeHistogramMaxBucketNumber:  160,
		NativeHistogramMinResetDuration: time.Hour,
	}
}

func (s *series) counter(name string, values ...string) prometheus.Counter {
	return s.counters[name].WithLabelValues(allValid(values)...)
}

func (s *series) gauge(name string, values ...string) prometheus.Gauge {
	return s.gauges[name].WithLabelValues(allValid(values)...)
}

func (s *series) histogram(name string, values ...string) prometheus.Observer {
	return s.histograms[name].WithLabelValues(allValid(values)...)
}

// forget takes one series of a gauge away: its value is no longer known.
func (s *series) forget(name string, values ...string) {
	s.gauges[name].DeleteLabelValues(allValid(values)...)
}

// stateSet adds the series of one state set; first is 1 until it is told
// otherwise.
func (s *series) stateSet(name string, states []string, first string, values ...string) *stateSet {
	last := s.byName[name].labels[len(s.byName[name].labels)-1]
	set := newStateSet(s.funcOpts(name, values), last, states)
	set.set(first)
	s.register(set)
	return set
}

// gaugeFunc adds a series whose value is computed by each scrape.
func (s *series) gaugeFunc(name string, f func() float64, values ...string) {
	s.register(prometheus.NewGaugeFunc(prometheus.GaugeOpts(s.funcOpts(name, values)), f))
}

// counterFunc adds a series whose value is counted elsewhere.
func (s *series) counterFunc(name string, f func() float64, values ...string) {
	s.register(prometheus.NewCounterFunc(prometheus.CounterOpts(s.funcOpts(name, values)), f))
}

// funcOpts are those of one series: all its labels are constant, save the state
// of a state set.
func (s *series) funcOpts(name string, values []string) prometheus.Opts {
	f := s.byName[name]
	all := prometheus.Labels{}
	for label, value := range s.constant {
		all[label] = value
	}
	for i, value := range values {
		all[f.labels[i]] = valid(value)
	}
	return prometheus.Opts{Name: f.name, Help: f.help, ConstLabels: all}
}

// countersBy has a counter for each value of a closed set, which is the last label.
func (s *series) countersBy(name string, set []string, values ...string) counters {
	return by(set, values, func(v ...string) prometheus.Counter { return s.counter(name, v...) })
}

// countersByTwo has them for two closed sets, which are all its labels.
func (s *series) countersByTwo(name string, first, second []string) map[string]counters {
	children := make(map[string]counters, len(first))
	for _, value := range first {
		children[value] = s.countersBy(name, second, value)
	}
	return children
}

// observersBy has a histogram for each value of a closed set, which is the last label.
func (s *series) observersBy(name string, set []string, values ...string) observers {
	return by(set, values, func(v ...string) prometheus.Observer { return s.histogram(name, v...) })
}

func by[T any](set, values []string, child func(...string) T) map[string]T {
	children := make(map[string]T, len(set))
	for _, value := range set {
		children[value] = child(append(values[:len(values):len(values)], value)...)
	}
	return children
}

// counters of a closed set; a value outside it is counted nowhere.
type counters map[string]prometheus.Counter

func (c counters) add(value string, n float64) {
	if counter, ok := c[value]; ok {
		counter.Add(n)
	}
}

// observers of a closed set; a value outside it is observed nowhere.
type observers map[string]prometheus.Observer

func (s *series) register(collector prometheus.Collector) {
	if err := s.registry.Register(collector); err != nil {
		s.errs = append(s.errs, fmt.Errorf("metrics: %w", err))
	}
}

func (s *series) err() error { return errors.Join(s.errs...) }

// valid makes a name of the configuration a proper label value.
func valid(name string) string { return strings.ToValidUTF8(name, "\uFFFD") }

func allValid(names []string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = valid(name)
	}
	return out
}
