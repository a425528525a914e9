package link

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/systole-ha/systole/agent/wire"
)

// A Link is one heartbeat medium of this node. Its methods may be called from
// any goroutine.
type Link interface {
	// Name is the link's name as Heartbeat has it: the interface, or the device
	// of a serial line. Two ucast lines of one interface share it.
	Name() string

	// Index is the link's place among the media of ha.cf, from 0.
	Index() int

	// Kind is the directive: bcast, mcast, ucast, mcast6, ucast6, serial.
	Kind() string

	// Format is how packets for Send are to be encoded.
	Format() wire.Format

	// Send hands a packet to the kernel and never waits. Errors are of type
	// *SendError. On a ucast link to this very machine it does nothing.
	Send(packet []byte) error

	// Run opens the link and reads it until ctx ends or the link is closed,
	// both of which return nil. What time can mend it waits for; an error is
	// what time cannot. It is called once.
	Run(ctx context.Context) error

	// Drain hands what waits in the kernel at this instant to received, in the
	// caller's goroutine and without waiting for more. received releases each
	// packet. Packets may belong to another link: those that share a socket are
	// drained together. A packet the reader has in hand is waited for, 5 ms at
	// most, until Handler.Received has it.
	Drain(received func(*Packet))

	// SetKeyring changes the keys packets are checked with, from the next one on.
	SetKeyring(*wire.Keyring)

	// Stats returns the counts since the link was made.
	Stats() Stats

	// Close ends Run. Nothing is sent or received afterwards.
	Close() error
}

// A Handler is told what happens on links, from their goroutines, or from that
// of whoever drains. It should not keep them long: while Received does not
// return, packets wait in the kernel, and a goroutine in Drain waits 5 ms for
// the one in hand. Once the context of Run has ended it must return.
type Handler interface {
	// Received takes over an authentic packet and releases it exactly once.
	// Our own packets are among them where the medium brings them back.
	Received(*Packet)

	// Rejected reports datagrams that were not believed: the first of a reason
	// at once, then at most one call per link and reason every 100 ms.
	Rejected(Rejection)

	// Changed reports that a link opened, or what it waits for.
	Changed(Change)
}

// A Rejection is a number of packets refused for one reason.
type Rejection struct {
	Link     string
	Index    int
	Reason   string         // a wire.Reason
	Source   netip.AddrPort // of the last one; zero on serial lines
	At       time.Time      // of the last one
	Count    uint64         // since the last report of this reason on this link
	Overflow uint64         // datagrams the kernel had no room for, since the last report on this link
}

// A State is what has become of a link.
type State string

const (
	StateOpen    State = "open"    // packets go out and come in, as far as this machine is concerned
	StateWaiting State = "waiting" // they do not; Change.Reason says why
	StateUnused  State = "unused"  // a ucast line that names this very machine
)

// Why a link waits. The set is closed.
const (
	NoDevice   = "no_device"  // no interface or serial device of that name
	DeviceDown = "down"       // the interface is administratively down
	NoCarrier  = "no_carrier" // nothing at the other end of the cable, as the kernel sees it
	Unresolved = "unresolved" // the peer's name has no address yet
	InUse      = "in_use"     // another process has the port or the serial line
	Denied     = "denied"     // the right to do it is missing
	HungUp     = "hung_up"    // the serial line was hung up
	Stuck      = "stuck"      // the serial line does not take bytes
	Other      = "other"      // Change.Err says what
)

// A Change is a new State of a link, or a new reason to wait.
type Change struct {
	Link   string
	Index  int
	At     time.Time
	State  State
	Reason string // of StateWaiting only
	Err    error  // what the kernel said, where it said something
}

// Stats are counts since the link was made.
type Stats struct {
	Sent, SentBytes         uint64 // packets the kernel took
	SendErrors              uint64
	Received, ReceivedBytes uint64            // authentic packets
	Rejected                map[string]uint64 // by reason; every reason is there
	Dropped                 uint64            // datagrams the kernel had no room for, as far as it has told
}

// Why a packet could not be sent. The set is closed.
const (
	SendBusy     = "busy"      // the buffer is full
	SendNoRoute  = "no_route"  // the network is not reachable
	SendNoDevice = "no_device" // the link is not open
	SendNoBuffer = "no_buffer" // the kernel is out of memory, or the packet too big
	SendRefused  = "refused"   // a filter does not let it out
	SendOther    = "other"
)

// A SendError says why a link did not take a packet.
type SendError struct {
	Link   string
	Reason string // one of the Send constants
	Err    error
}

func (e *SendError) Error() string { return "send on " + e.Link + ": " + e.Err.Error() }
func (e *SendError) Unwrap() error { return e.Err }

// ErrBusy is wrapped by the SendError of a link whose buffer is full.
var ErrBusy = errors.New("buffer full")

// ErrNotOpen is wrapped by the SendError of a link that is not open.
var ErrNotOpen = errors.New("link is not open")
