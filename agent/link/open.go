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
