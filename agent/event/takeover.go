package event

import "time"

// TakeoverStarted reports the decision to acquire groups.
type TakeoverStarted struct {
	ID      uint64 // of this daemon's takeovers and releases, from 1
	Trigger string // peer_dead, peer_left, standby, takeover, failback, failure, start, carrier, ping
	Peer    string // from whom; empty at a start alone
	Groups  []string
	Trace   string // of the incident: 32 hex digits, the same on both nodes
}

// TakeoverPhase reports one finished part of a takeover. The phases of one ID
// follow each other without gaps, so that their sum is the whole.
type TakeoverPhase struct {
	ID    uint64
	Phase string // silence, confirm, fence, address, announce, services, verify
	Took  time.Duration
	Trace string // of the incident or the move: 32 hex digits
}

// TakeoverCompleted reports that every group of a takeover has settled.
type TakeoverCompleted struct {
	ID      uint64
	Trigger string
	Peer    string
	Groups  []string
	Result  string        // success, partial, failed
	Took    time.Duration // decision to last resource verified
	Outage  time.Duration // the longest of its groups had no proven owner: see OwnerChanged; 0 where there was no owner before
	Trace   string        // as TakeoverStarted has it
}

// TakeoverFailed reports a group that a takeover could not bring up.
type TakeoverFailed struct {
	ID        uint64
	Trigger   string
	Group     string
	Resource  string
	Operation string
	Error     string
	Next      string // what is done about it
	Trace     string // as TakeoverStarted has it; empty where the group failed outside a takeover
}

// ReleaseStarted reports the decision to give groups up.
type ReleaseStarted struct {
	ID      uint64
	Trigger string // standby, takeover, failback, shutdown, yield, failure, cleanup, lapse, carrier, ping
	Peer    string // to whom; empty for nobody
	Groups  []string
	Trace   string // of the incident: 32 hex digits, the same on both nodes
}

// ReleaseCompleted reports that every group of a release is stopped.
type ReleaseCompleted struct {
	ID      uint64
	Trigger string
	Peer    string
	Groups  []string
	Result  string // success, partial, failed
	Took    time.Duration
	Trace   string // as ReleaseStarted has it
}

// GroupStateChanged reports what became of one group on this node.
type GroupStateChanged struct {
	Group    string
	From, To string // stopped, starting, running, stopping, failed
}

// HoldChanged reports a new answer to what this node holds.
type HoldChanged struct {
	From, To string // none, local, foreign, all, transition
}

// ResourceOperation reports one finished operation on one resource.
type ResourceOperation struct {
	Group, Resource string
	Driver          string // ipaddr, systemd
	Operation       string // start, stop, status, announce
	Result          string // ok, failed, timeout
	Took            time.Duration
	Error           string
	Trace           string // of the newest move of the group; empty before there was one
}

// ResourceFailed reports a resource that would not do what it was told.
type ResourceFailed struct {
	Group, Resource string
	Operation       string
	Error           string
	Attempt         int    // from 1
	Trace           string // of the newest move of the group; empty before there was one
}

// SplitBrainSuspected reports evidence of two owners: the peer claims what we
// hold, or a daemon that died before this one left running what the peer holds.
type SplitBrainSuspected struct {
	Evidence string // peer_claims, left_running
	Peer     string
	Groups   []string // held by both
	Trace    string   // of the incident
}

// SplitBrainCleared reports that the two owners are one again.
type SplitBrainCleared struct {
	Peer     string
	Released string // the node that gave up; both where the groups ended differently
	Took     time.Duration
	Trace    string // of the incident
}

// MoveRefused reports a request to move groups that one node turned down.
type MoveRefused struct {
	Request string // standby, takeover
	By      string // node
	Groups  string // all, local, foreign
	Reason  string
}
