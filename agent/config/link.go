package config

import (
	"fmt"
	"net/netip"
	"strings"
)

// A Kind of link is the directive that makes it.
type Kind string

const (
	Bcast  Kind = "bcast"  // UDP broadcast on an interface
	Mcast  Kind = "mcast"  // UDP to an IPv4 multicast group
	Ucast  Kind = "ucast"  // UDP to one IPv4 address
	Mcast6 Kind = "mcast6" // UDP to an IPv6 multicast group
	Ucast6 Kind = "ucast6" // UDP to one IPv6 address
	Serial Kind = "serial" // a tty
)

// A Link is one medium that heartbeats go over. Which fields have a meaning
// depends on Kind.
type Link struct {
	Kind   Kind
	Name   string // as cl_status knows it: the device. Two links may share one
	Device string // interface, or path of the tty
	Line   int    // in ha.cf

	Port   uint16     // all but serial
	Group  netip.Addr // mcast, mcast6
	TTL    int        // mcast, mcast6: 0 to 4
	Loop   bool       // mcast, mcast6: our own messages come back to us
	Target string     // ucast, ucast6: the peer's address or name, as written
	Baud   int        // serial

	// Address is what the Host found a message goes to, or zero if it was not
	// asked: the broadcast address of a bcast link, the peer's of a ucast one.
	Address netip.Addr
	// Local says that a ucast link's Address is one of this very machine: the
	// line is for the other node's copy of the file, and unused here.
	Local bool
}

// Destination says where the link sends, for people: "192.168.1.255 port 694".
func (l Link) Destination() string {
	switch {
	case l.Kind == Serial:
		return fmt.Sprintf("%d baud", l.Baud)
	case l.Group.IsValid():
		return fmt.Sprintf("%s port %d, ttl %d, loop %t", l.Group, l.Port, l.TTL, l.Loop)
	}
	to := l.Target
	if l.Address.IsValid() && l.Address.String() != to {
		to = strings.TrimSpace(to + " " + l.Address.String())
	}
	to = strings.TrimSpace(fmt.Sprintf("%s port %d", to, l.Port))
	if l.Local {
		to += ", which is this node: unused"
	}
	return to
}

// Limits of heartbeat 3.0.6 (heartbeat.h: MAXMEDIA, MAXNODE, HOSTLENG).
const (
	maxLinks    = 64
	maxNodes    = 100 // ping nodes included
	maxNodeName = 99  // bytes
)
