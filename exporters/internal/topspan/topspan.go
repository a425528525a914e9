// Package topspan says which trace an event belongs to, and which span of it.
// The exporters of spans, log records and webhooks derive the same ids from it,
// without having heard of each other.
package topspan

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/systole-ha/systole/agent/event"
)

// What a node can have one top span of in one trace. A node that was taken for
// dead has its half of the incident under the name of a takeover: what it was
// the other cannot know when it names it.
const (
	Takeover = "takeover"
	Release  = "release"
	Join     = "join"
)

// ID is the id of a node's top span in a trace: the first 8 bytes of
// SHA-256 over the trace's id, the node's name and what it is the top of. So
// each node can name the other's span without having heard of it.
func ID(trace [16]byte, node, what string) (id [8]byte) {
	h := sha256.New()
	h.Write([]byte("systole span\x00"))
	h.Write(trace[:])
	h.Write([]byte(node + "\x00" + what))
	copy(id[:], h.Sum(nil))
	return id
}

// A Place is a top span in a trace.
type Place struct {
	Trace [16]byte
	Span  [8]byte
}

// Traceparent is the place as W3C Trace Context writes it.
func (p Place) Traceparent() string {
	return "00-" + hex.EncodeToString(p.Trace[:]) + "-" + hex.EncodeToString(p.Span[:]) + "-01"
}

// Of is the place of an event: the top span that the node which reports it has
// in the trace. Most events have none.
func Of(r event.Record) (p Place, ok bool) {
	text, what := traceOf(r)
	id, err := hex.DecodeString(text)
	if err != nil || len(id) != len(p.Trace) || [16]byte(id) == [16]byte{} {
		return Place{}, false
	}
	p.Trace = [16]byte(id)
	p.Span = ID(p.Trace, r.Node, what)
	return p, true
}

func traceOf(r event.Record) (trace, what string) {
	switch e := r.Event.(type) {
	case event.NodeJoined:
		return e.Trace, Join
	case event.PeerDead:
		return e.Trace, Takeover
	case event.PeerFalseDeath:
		return e.Trace, Takeover
	case event.SplitBrainSuspected:
		return e.Trace, Takeover
	case event.SplitBrainCleared:
		return e.Trace, Takeover
	case event.FenceStarted:
		return e.Trace, Takeover
	case event.FenceAttempted:
		return e.Trace, Takeover
	case event.FenceCompleted:
		return e.Trace, Takeover
	case event.FenceFailed:
		return e.Trace, Takeover
	case event.TakeoverStarted:
		return e.Trace, Takeover
	case event.TakeoverPhase:
		return e.Trace, Takeover
	case event.TakeoverCompleted:
		return e.Trace, Takeover
	case event.TakeoverFailed:
		return e.Trace, Takeover
	case event.ReleaseStarted:
		return e.Trace, releaseOf(e.Trigger)
	case event.ReleaseCompleted:
		return e.Trace, releaseOf(e.Trigger)
	case event.ResourceOperation:
		return e.Trace, topOf(e.Operation)
	case event.ResourceFailed:
		return e.Trace, topOf(e.Operation)
	case event.HeartbeatLate:
		return e.Trace, e.Kind()
	case event.OwnerChanged:
		if e.From == r.Node {
			return e.Trace, releaseOf(e.Cause)
		}
		return e.Trace, Takeover
	}
	return "", ""
}

// releaseOf is the top of a release: what a node gives up because it stood still
// is its half of an incident, as a takeover is.
func releaseOf(trigger string) string {
	if trigger == "lapse" {
		return Takeover
	}
	return Release
}

// topOf is the top that most operations of a name belong to. A group that would
// not start is stopped under its takeover; its trace is right, its span is not.
func topOf(operation string) string {
	if operation == "stop" {
		return Release
	}
	return Takeover
}
