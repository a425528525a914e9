// Package event holds what can happen: one struct a fact, in the past tense.
// The event that moves a takeover on is the very one every exporter sees, so
// no metric, journal entry, webhook or span can disagree with what was done.
//
// Catalogue lists every kind with its severity and MESSAGE_ID; docs/events.md
// is generated from it.
package event

import "time"

// An Event is one fact. Its concrete types are the structs of this package;
// their fields are plain values, durations where a name says so, and zero means
// "not known" or "none" unless the field's comment says otherwise.
type Event interface {
	// Kind is the stable name, noun.participle: "peer.dead".
	Kind() string
	isEvent()
}

// A Record is an event with the place and instant at which it came to be true.
type Record struct {
	Sequence uint64    // 1 for the first since this daemon started, without gaps
	Time     time.Time // the loop's instant, with its monotonic part
	Cluster  string
	Node     string // who reports it
	Event    Event
}

// A Sink is told of every record, in order, by the goroutine that owns the
// core. It must not block and must not keep what it is told longer than the
// call, except by copying.
type Sink interface {
	Record(Record)
}

// Severity orders events by how much an operator should care.
type Severity int

const (
	Sample   Severity = iota // a measurement, many a second: metrics only, never a log
	Info                     // a step of something else
	Notice                   // normal, but worth a line in the log
	Warning                  // not normal; nothing is lost yet
	Error                    // something failed
	Critical                 // somebody should look now
)

func (s Severity) String() string {
	return [...]string{"sample", "info", "notice", "warning", "error", "critical"}[s]
}

// Priority is the syslog priority of RFC 5424 for the severity; samples are
// debug.
func (s Severity) Priority() int {
	return [...]int{7, 6, 5, 4, 3, 2}[s]
}
