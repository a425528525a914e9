package link

import (
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/systole-ha/systole/agent/wire"
)

// The directives of ha.cf that make links, which are their kinds.
const (
	bcast      = "bcast"
	mcast      = "mcast"
	mcast6     = "mcast6"
	ucast      = "ucast"
	ucast6     = "ucast6"
	serialLine = "serial"
)

// A Medium is one medium of ha.cf: a Broadcast, Multicast, Unicast or Serial.
type Medium interface {
	open(*opener, int) (Link, error)
}

// Broadcast is a bcast (or udp) interface.
type Broadcast struct {
	Device string
	Port   uint16
}

// Multicast is an mcast or mcast6 line, as the group is IPv4 or IPv6.
type Multicast struct {
	Device string
	Group  netip.Addr
	Port   uint16
	TTL    int  // hop limit: 0 stays on this machine, 1 on this network
	Loop   bool // whether our own packets come back
}

// Unicast is a ucast or ucast6 line.
type Unicast struct {
	Device string
	Target string // the peer's address or name; our own makes the line unused
	Port   uint16
	IPv6   bool // a ucast6 line
}

// Serial is a serial device.
type Serial struct {
	Device string // full path
	Baud   int    // one of Bauds
}

// Open makes the links of a node, in the order of ha.cf. Links are opened by
// their Run; an error here is a medium that makes no sense, as *MediumError.
//
// All are made at once because bcast and ucast lines of one interface and port
// share a socket.
func Open(ring *wire.Keyring, h Handler, media ...Medium) ([]Link, error) {
	o := &opener{ring: ring, handler: h, ports: map[portKey]*port{}}
	all := make([]Link, 0, len(media))
	for i, m := range media {
		l, err := m.open(o, i)
		if err != nil {
			return nil, &MediumError{Index: i, Err: err}
		}
		all = append(all, l)
	}
	return all, nil
}

// A MediumError says which medium makes no sense.
type MediumError struct {
	Index int
	Err   error
}

func (e *MediumError) Error() string { return fmt.Sprintf("medium %d: %v", e.Index, e.Err) }
func (e *MediumError) Unwrap() error { return e.Err }

// An opener makes the links of one node.
type opener struct {
	ring    *wire.Keyring
	handler Handler
	ports   map[portKey]*port
}

type portKey struct {
	device string
	family int
	port   uint16
}

// shared is the port that bcast and ucast lines of one interface have together.
func (o *opener) shared(device string, family int, number uint16) *port {
	key := portKey{device, family, number}
	if o.ports[key] == nil {
		anybody := netip.IPv4Unspecified()
		if family == unix.AF_INET6 {
			anybody = netip.IPv6Unspecified()
		}
		o.ports[key] = newPort(device, family, netip.AddrPortFrom(anybody, number), o.handler)
	}
	return o.ports[key]
}

func (o *opener) attach(p *port, kind string, index int) *udp {
	l := &udp{port: p}
	l.init(p.device, kind, index, o.ring, o.handler)
	p.links = append(p.links, l)
	return l
}

func (b Broadcast) open(o *opener, index int) (Link, error) {
	if err := check(b.Device, b.Port); err != nil {
		return nil, err
	}
	p := o.shared(b.Device, unix.AF_INET, b.Port)
	p.prepare = allowBroadcast
	l := o.attach(p, bcast, index)
	l.aim, l.flags = aimBroadcast(b.Port), unix.MSG_DONTROUTE
	return l, nil
}

func allowBroadcast(fd, _ int) error {
	return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_BROADCAST, 1)
}

func (m Multicast) open(o *opener, index int) (Link, error) {
	if err := check(m.Device, m.Port); err != nil {
		return nil, err
	}
	group := m.Group.Unmap().WithZone("")
	if !group.IsMulticast() {
		return nil, fmt.Errorf("%s is not a multicast group", m.Group)
	}
	if m.TTL < 0 || m.TTL > 255 {
		return nil, fmt.Errorf("ttl %d is not between 0 and 255", m.TTL)
	}
	kind, family := mcast, unix.AF_INET
	if group.Is6() {
		kind, family = mcast6, unix.AF_INET6
	}
	to := netip.AddrPortFrom(group, m.Port)
	p := newPort(m.Device, family, to, o.handler)
	p.prepare = joinGroup(group, m.TTL, m.Loop)
	l := o.attach(p, kind, index)
	l.aim = aimMulticast(to)
	return l, nil
}

func (u Unicast) open(o *opener, index int) (Link, error) {
	if err := check(u.Device, u.Port); err != nil {
		return nil, err
	}
	if u.Target == "" {
		return nil, fmt.Errorf("ucast without a peer")
	}
	kind, family := ucast, unix.AF_INET
	if u.IPv6 {
		kind, family = ucast6, unix.AF_INET6
	}
	address, err := literal(u.Target, family)
	if err != nil {
		return nil, err
	}
	l := o.attach(o.shared(u.Device, family, u.Port), kind, index)
	l.aim = aimUnicast(l, u.Port)
	if address.IsValid() {
		l.peer.Store(&address)
	} else {
		l.target = u.Target
	}
	return l, nil
}

// check refuses what no kernel will ever take.
func check(device string, port uint16) error {
	if device == "" || len(device) >= unix.IFNAMSIZ {
		return fmt.Errorf("%q is not the name of an interface", device)
	}
	if port == 0 {
		return fmt.Errorf("port 0")
	}
	return nil
}
