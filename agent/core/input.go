package core

import (
	"fmt"
	"time"

	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/agent/permission"
	"github.com/systole-ha/systole/agent/takeover"
	"github.com/systole-ha/systole/agent/wire"
)

// An Input is something the core is told.
type Input interface{ isInput() }

// A Tick says that time has come to Output.Wake or beyond.
type Tick struct{}

// Looked answers Output.Look: everything that was waiting in the sockets has
// been stepped.
type Looked struct{}

// Received is one authentic message. Its bytes are read during the step and not
// kept.
type Received struct {
	At      time.Time // of arrival, by the kernel's stamp
	Link    int       // index in Config.Links
	Message *wire.Message
	Source  fmt.Stringer // address, for reports; nil on serial lines
	Key     int          // the number of the key it was signed with
}

// Rejected is datagrams that were not believed.
type Rejected struct {
	Link   int
	Source string // the last one's
	Reason string // see event.HeartbeatRejected
	Count  uint64
}

// SendFailed says that a link would not take a message.
type SendFailed struct {
	Link   int
	Reason string // see event.SendFailed
}

// LinkState says whether this node can use a link, as far as that is its own
// affair: the interface is there and up, the port is ours. A cable without a
// carrier is not: the peer at its other end may be dead.
type LinkState struct {
	Link   int
	Usable bool
	Closed bool // nothing can be sent on it, whoever's affair that is
}

// Carriers says what became of the interfaces of addresses: those that have
// lost their carrier or have it again, and at first all. What changed at once
// comes at once: groups that move together should.
type Carriers struct{ Changed []takeover.Carrier }

// Unused says that a link leads to this very machine: the other node's line in
// a ha.cf that both share. Nobody will be heard on it.
type Unused struct{ Link int }

// Pinged is an echo reply.
type Pinged struct {
	At        time.Time
	PingNode  string
	RoundTrip time.Duration
}

// Done is the end of an order.
type Done struct{ takeover.Done }

// FenceDone is the end of a try to fence the peer.
type FenceDone struct{ takeover.FenceDone }

// Request is an operator's wish, answered by one Reply.
type Request struct{ takeover.Request }

// Lost says that somebody else has taken an address away that this node holds:
// see takeover.Lost.
type Lost struct {
	Event     event.AddressLost
	Resources []string // with that address
}

// Contested says that another machine has an address that this node holds.
type Contested struct {
	Event     event.AddressConflict
	Resources []string // with that address
}

// Fact is an event established by the shell itself. It changes no judgement
// and goes straight into the stream, in its place among the others.
type Fact struct{ Event event.Event }

// Lapsed says that the leases have run out: see takeover.Lapsed.
type Lapsed struct{}

// Answered is what became of a question to an arbiter.
type Answered struct{ permission.Answer }

// Suspended says that the machine was suspended for a while, which the clock of
// the instants that the core is handed does not show.
type Suspended struct{ For time.Duration }

// Stop says that this daemon is to hand over and stop.
type Stop struct{ Reason string }

// Restart says that this daemon is to end and will be started again: it gives
// nothing up.
type Restart struct{}

func (Tick) isInput()       {}
func (Looked) isInput()     {}
func (Received) isInput()   {}
func (Rejected) isInput()   {}
func (SendFailed) isInput() {}
func (LinkState) isInput()  {}
func (Unused) isInput()     {}
func (Carriers) isInput()   {}
func (Pinged) isInput()     {}
func (Done) isInput()       {}
func (FenceDone) isInput()  {}
func (Request) isInput()    {}
func (Fact) isInput()       {}
func (Lapsed) isInput()     {}
func (Answered) isInput()   {}
func (Suspended) isInput()  {}
func (Lost) isInput()       {}
func (Contested) isInput()  {}
func (Stop) isInput()       {}
func (Restart) isInput()    {}

// An Output is what follows from one Input. Nothing in it depends on the order
// in which its fields are acted on: where one thing must wait for another, the
// core waits for the Input that reports the other done.
type Output struct {
	Send      []wire.Message        // to every link, in order
	Key       int                   // the number of the key to sign them with; OwnKey for the one of authkeys
	Renew     bool                  // renew every lease before anything of Send leaves
	Revoke    bool                  // end every lease at once, before anything else
	Allow     bool                  // leases may begin again, before Orders
	Questions []permission.Question // each answered later by one Answered
	Ping      bool                  // ask every ping node for an echo
	Orders    []takeover.Order      // each answered later by one Done
	Fences    []takeover.Fence      // likewise by one FenceDone
	Cancel    []uint64              // orders whose result is no longer wanted; each is still answered
	Events    []event.Event         // in the order they came to be true
	Replies   []takeover.Reply
	Look      bool      // empty the sockets without waiting, step what was there, then step Looked
	Left      bool      // everything is released and said: the daemon may end
	Memory    *Memory   // what to leave to the next daemon, where that has changed
	Wake      time.Time // tick no later than this
}
