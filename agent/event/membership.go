package event

import "time"

// HeartbeatSent reports that a heartbeat was handed to the links.
type HeartbeatSent struct {
	Late time.Duration // after the instant it was due: our own fault, not the network's
}

// HeartbeatReceived reports one valid heartbeat heard on one link.
type HeartbeatReceived struct {
	Peer, Link  string
	Interval    time.Duration // since the previous heartbeat from Peer on Link; 0 for the first
	Silence     time.Duration // since the previous heartbeat from Peer on any link; 0 for the first and for copies
	Deadtime    time.Duration // the silence at which Peer would have been declared dead
	RoundTrip   time.Duration // there and back on Link, less the time Peer held our echo; 0 until it echoes
	Waited      time.Duration // between arrival and the loop's turn: our own delay
	Late        time.Duration // how late Peer says it was to send it; 0 where it does not say
	Variation   time.Duration // of the one-way transit against the previous one on Link, absolute; needs no common clock
	Offset      time.Duration // Peer's wall clock less ours; means nothing where OffsetError is 0
	OffsetError time.Duration // how far Offset can be off: half of RoundTrip; 0 where there is none
}

// HeartbeatLate reports a heartbeat that ended a silence longer than warntime.
// It comes before the heartbeat's own report.
type HeartbeatLate struct {
	Peer, Link         string
	Silence            time.Duration // on all links
	Warntime, Deadtime time.Duration
	Stall              time.Duration // the longest our own loop was late during the silence
	Trace              string        // of this silence alone: 32 hex digits
}

// HeartbeatLost reports sequence numbers of Peer that never came on Link.
type HeartbeatLost struct {
	Peer, Link string
	Count      uint64
}

// HeartbeatReordered reports a message of Peer that came on Link behind a newer one.
type HeartbeatReordered struct{ Peer, Link string }

// HeartbeatDuplicated reports a message of Peer that came twice on Link.
type HeartbeatDuplicated struct{ Peer, Link string }

// HeartbeatRejected reports datagrams on Link that were not believed.
type HeartbeatRejected struct {
	Link   string
	Source string // the last one's address; empty on serial lines
	Reason string // bad_signature, unknown_key, replay, malformed, unknown_node, oversize, wrong_cluster
	Count  uint64 // since the last report of this reason on this link
}

// SendFailed reports that the kernel would not take a datagram for Link.
type SendFailed struct {
	Link   string
	Reason string // busy, no_route, no_device, no_buffer, refused, other
}

// RetransmitRequested reports that messages were asked for again.
type RetransmitRequested struct {
	Peer      string
	Direction string // "sent" when we asked Peer, "received" when Peer asked us
	Count     int    // messages named in the request
}

// MessageLost reports a message of Peer that nobody has any more.
type MessageLost struct {
	Peer     string
	Sequence uint64
}

// LinkUp reports that Peer is heard on Link again, or for the first time.
type LinkUp struct {
	Peer, Link string
	Silence    time.Duration // since it was last heard there; 0 for the first time
}

// LinkDown reports that Peer has not been heard on Link for its deadtime.
type LinkDown struct {
	Peer, Link string
	Silence    time.Duration
	LinksLeft  int // on which Peer is still heard, those not counted that are about to go as well
}

// PeerStateChanged reports a new state of a peer or ping node.
type PeerStateChanged struct {
	Peer       string
	From, To   string // unknown, init, up, active, leaving, dead; of a ping node: ping, dead
	Generation uint64 // of the peer's daemon; 0 for ping nodes
}

// PeerIdentified reports what kind of daemon a peer turned out to be.
type PeerIdentified struct {
	Peer         string
	Wire         string // "systole" or "heartbeat3"
	Version      string // of systole; empty for heartbeat, which does not tell
	AutoFailback string // "on", "off", "legacy", or empty where not known
}

// PeerDead reports that Peer's silence reached its deadtime. A peer that was
// never heard since this daemon started stays in state unknown.
type PeerDead struct {
	Peer        string
	LastHeard   time.Time // on any link; the start where it was never heard
	Silence     time.Duration
	Deadtime    time.Duration // what Silence was judged by: initdead while the cluster starts
	NeverHeard  bool
	Sequence    uint64 // of the last message; 0 where never heard
	Stall       time.Duration
	ConfirmTook time.Duration // from the suspicion to this verdict: sockets emptied once more
	Trace       string        // of the incident: 32 hex digits, the same on both nodes; empty where never heard
}

// PeerReturned reports a heartbeat of a peer that had been declared dead.
type PeerReturned struct {
	Peer           string
	Away           time.Duration
	SameGeneration bool // it never restarted: it was cut off or frozen, not dead
}

// PeerFalseDeath reports that a peer declared dead had been alive all along.
type PeerFalseDeath struct {
	Peer    string
	Silence time.Duration
	Stall   time.Duration // ours
	Trace   string        // of the incident
}

// PeerRestarted reports a new incarnation of a peer that was not declared dead.
type PeerRestarted struct {
	Peer       string
	Generation uint64
	Away       time.Duration // from its last heartbeat to the first of the new incarnation
	Announced  bool          // the old one had said that it would be started again
}

// PingAnswered reports one echo reply of a ping node.
type PingAnswered struct {
	PingNode  string
	RoundTrip time.Duration
}

// AgentLate reports that our own loop ran later than it meant to.
type AgentLate struct {
	Late time.Duration
	Held bool // late enough for verdicts on peers to be put off
}

// ConfigDrift reports that the peer's file is not the same as ours, or, where
// Ours equals Theirs, that it is again.
type ConfigDrift struct {
	Peer, File string
	Ours       string // the hash, hex
	Theirs     string
}

// PingsCompared reports that the two nodes reach another number of ping nodes,
// or as many again. Groups move to the node that reaches more, when that has been
// so for 2 s or three keepalives.
type PingsCompared struct {
	Peer         string
	Ours, Theirs int // ping nodes and ping groups that answer
}

// ClockSkew reports that the peer's wall clock and ours differ by more than
// their error and a second, or, where Agrees, that they no longer do.
type ClockSkew struct {
	Peer        string
	Offset      time.Duration // the peer's clock less ours
	OffsetError time.Duration
	Agrees      bool
}
