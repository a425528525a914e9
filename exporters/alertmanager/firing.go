package alertmanager

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/exporters/internal/sentence"
	"github.com/systole-ha/systole/exporters/internal/topspan"
)

// The alerts of alerts/systole.rules.yml that events say as much about as
// metrics do.
const (
	nodeDead         = "SystoleNodeDead"
	splitBrain       = "SystoleSplitBrain"
	takeoverFailed   = "SystoleTakeoverFailed"
	duplicateAddress = "SystoleDuplicateAddress"
	fencingFailed    = "SystoleFencingFailed"
)

const runbooks = "https://github.com/systole-ha/systole/blob/main/docs/runbooks/"

// An alert is one as the v2 API takes it.
type alert struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	StartsAt    time.Time         `json:"startsAt"`
	EndsAt      time.Time         `json:"endsAt"`
}

// A state is what is known of one alert.
type state struct {
	alert
	over time.Time // since when it is over; zero while it is not
}

// Firing is what fires, by what tells the alerts apart.
type firing struct {
	cluster, node string
	repeat        time.Duration // how often it is told
	alerts        map[string]*state
	failed        map[string]bool // groups that a takeover could not bring up and nobody has
}

func newFiring(cluster, node string, repeat time.Duration) *firing {
	return &firing{cluster: cluster, node: node, repeat: repeat, alerts: map[string]*state{}, failed: map[string]bool{}}
}

// matters reports whether take would look at an event of its kind.
func matters(e event.Event) bool {
	switch e.(type) {
	case event.PeerDead, event.PeerReturned, event.PeerStateChanged, event.SplitBrainSuspected, event.SplitBrainCleared,
		event.TakeoverFailed, event.TakeoverCompleted, event.GroupStateChanged, event.OwnerChanged,
		event.AddressConflict, event.AddressConflictCleared, event.FenceFailed, event.FenceCompleted:
		return true
	}
	return false
}

// take follows one record. It reports whether an alert has begun.
func (f *firing) take(r event.Record) (news bool) {
	switch e := r.Event.(type) {
	case event.PeerDead:
		if e.NeverHeard {
			return false // as with the rule: nobody has ever depended on it
		}
		return f.raise(r, nodeDead+e.Peer, fmt.Sprintf("Node %s of cluster %s is dead", e.Peer, f.cluster), nodeDead, "node", e.Peer, "peer", e.Peer)
	case event.PeerReturned:
		f.clear(r, nodeDead+e.Peer)
	case event.PeerStateChanged:
		if e.From == "dead" {
			f.clear(r, nodeDead+e.Peer)
		}
	case event.SplitBrainSuspected:
		return f.raise(r, splitBrain, "Split brain in cluster "+f.cluster, splitBrain)
	case event.SplitBrainCleared:
		f.clear(r, splitBrain)
	case event.TakeoverFailed:
		f.failed[e.Group] = true
		return f.raise(r, takeoverFailed, fmt.Sprintf("Takeover by %s in cluster %s failed", f.node, f.cluster), takeoverFailed, "node", f.node)
	case event.TakeoverCompleted:
		if e.Result == "success" {
			f.served(r, e.Groups...)
		}
	case event.GroupStateChanged:
		if e.To == "running" {
			f.served(r, e.Group)
		}
	case event.OwnerChanged:
		if e.To != "" {
			f.served(r, e.Group)
		}
	case event.AddressConflict:
		return f.raise(r, duplicateAddress+e.Address, fmt.Sprintf("%s of cluster %s is used by another machine", e.Address, f.cluster),
			duplicateAddress, "node", f.node, "address", e.Address)
	case event.AddressConflictCleared:
		f.clear(r, duplicateAddress+e.Address)
	case event.FenceFailed:
		return f.raise(r, fencingFailed, fmt.Sprintf("%s of cluster %s could not make sure that its dead peer is off", f.node, f.cluster), fencingFailed, "node", f.node)
	case event.FenceCompleted:
		f.clear(r, fencingFailed)
	}
	return false
}

// raise begins an alert, or goes on with one that has only just been over.
func (f *firing) raise(r event.Record, key, summary, name string, labels ...string) (news bool) {
	s := f.alerts[key]
	if s == nil {
		s = &state{alert: alert{
			Labels:   map[string]string{"alertname": name, "cluster": f.cluster, "severity": "critical"},
			StartsAt: r.Time.UTC(),
		}}
		for i := 0; i < len(labels); i += 2 {
			s.Labels[labels[i]] = labels[i+1]
		}
		f.alerts[key], news = s, true
	}
	s.over = time.Time{}
	s.Annotations = map[string]string{
		"summary": summary, "description": r.Node + ": " + sentence.Of(r),
		"runbook_url": runbooks + name + ".md",
	}
	if place, ok := topspan.Of(r); ok {
		s.Annotations["trace_id"] = fmt.Sprintf("%x", place.Trace)
	}
	return news
}

func (f *firing) clear(r event.Record, key string) {
	if s := f.alerts[key]; s != nil && s.over.IsZero() {
		s.over = r.Time
	}
}

// served notes that groups are held, here or by the peer.
func (f *firing) served(r event.Record, groups ...string) {
	for _, g := range groups {
		delete(f.failed, g)
	}
	if len(f.failed) == 0 {
		f.clear(r, takeoverFailed)
	}
}

// at is what is to be told at the instant now, always in the same order; what has
// been over for long enough is forgotten.
func (f *firing) at(now time.Time) []alert {
	var all []alert
	for _, key := range slices.Sorted(maps.Keys(f.alerts)) {
		s := f.alerts[key]
		if !s.over.IsZero() && now.Sub(s.over) >= holdFor*f.repeat {
			delete(f.alerts, key)
			continue
		}
		told := s.alert
		told.EndsAt = now.Add(lease * f.repeat).UTC()
		if !s.over.IsZero() {
			told.EndsAt = s.over.Add(holdFor * f.repeat).UTC()
		}
		all = append(all, told)
	}
	return all
}
