package link

import (
	"context"
	"net/netip"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/systole-ha/systole/agent/wire"
)

// A udp is a link of datagrams. What sets one kind apart from another is where
// it sends.
type udp struct {
	base
	port   *port
	aim    aim
	flags  int    // of each send
	target string // the name of a ucast line's peer, where it is not an address

	destination unix.Sockaddr              // nil while there is none; of port.mu
	peer        atomic.Pointer[netip.Addr] // a ucast line's, once known
	unused      atomic.Bool                // a ucast line to this machine
}

// An aim says where a link sends to, from the interface as it is now. The
// address is invalid where there is none; state and reason say why.
type aim func(m *monitor, found iface) (to netip.AddrPort, state State, reason string)

func (l *udp) Format() wire.Format { return wire.Netstring }

func (l *udp) Send(packet []byte) error {
	switch {
	case l.unused.Load():
		return nil
	case l.life.Err() != nil:
		return l.count(0, &SendError{Link: l.name, Reason: SendNoDevice, Err: ErrNotOpen})
	}
	return l.count(len(packet), l.port.send(l, packet))
}

func (l *udp) Run(ctx context.Context) error {
	ctx, cancel := l.untilClosed(ctx)
	var resolving sync.WaitGroup
	defer resolving.Wait()
	defer cancel()
	if l.target != "" {
		resolving.Go(func() {
			if address, ok := resolve(ctx, l.target, l.port.family); ok {
				l.peer.Store(&address) // seen at the next look
			}
		})
	}
	return l.port.run(ctx)
}

func (l *udp) Drain(received func(*Packet)) { l.port.drain(received) }

// fit is how well a datagram fits the link: the more, the better.
func (l *udp) fit(d *datagram) int {
	if l.unused.Load() || l.life.Err() != nil {
		return -1
	}
	if l.kind == bcast {
		if d.broadcast {
			return 3
		}
		return 0
	}
	fit := 0
	if !d.broadcast {
		fit = 2
	}
	if peer := l.peer.Load(); peer != nil && d.source.Addr() == *peer {
		fit++
	}
	return fit
}

// follow aims anew at the interface as it is now, and reports the state.
func (l *udp) follow(m *monitor, found iface) {
	to, state, reason := l.aim(m, found)
	var destination unix.Sockaddr
	if to.IsValid() {
		destination = sockaddr(to, found.index)
	}
	l.port.mu.Lock()
	l.destination = destination
	l.port.mu.Unlock()
	switch {
	case state != StateOpen:
	case !found.up:
		state, reason = StateWaiting, DeviceDown
	case !found.running:
		state, reason = StateWaiting, NoCarrier
	}
	l.set(state, reason, nil)
}

// aimBroadcast aims at the broadcast address of the interface, or at that of
// every network where the interface has none.
func aimBroadcast(port uint16) aim {
	everybody := netip.AddrFrom4([4]byte{255, 255, 255, 255})
	return func(_ *monitor, found iface) (netip.AddrPort, State, string) {
		if found.broadcast.IsValid() {
			return netip.AddrPortFrom(found.broadcast, port), StateOpen, ""
		}
		return netip.AddrPortFrom(everybody, port), StateOpen, ""
	}
}

// aimMulticast aims at a group.
func aimMulticast(group netip.AddrPort) aim {
	return func(*monitor, iface) (netip.AddrPort, State, string) {
		return group, StateOpen, ""
	}
}

// joinGroup prepares a socket for a multicast group. Loop says whether our own
// packets come back.
func joinGroup(group netip.Addr, ttl int, loop bool) func(fd, index int) error {
	echo := 0
	if loop {
		echo = 1
	}
	if group.Is6() {
		return func(fd, index int) error {
			return firstError(
				unix.SetsockoptIPv6Mreq(fd, unix.IPPROTO_IPV6, unix.IPV6_JOIN_GROUP,
					&unix.IPv6Mreq{Multiaddr: group.As16(), Interface: uint32(index)}),
				unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_IF, index),
				unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_HOPS, ttl),
				unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_LOOP, echo),
			)
		}
	}
	return func(fd, index int) error {
		member := &unix.IPMreqn{Multiaddr: group.As4(), Ifindex: int32(index)}
		return firstError(
			unix.SetsockoptIPMreqn(fd, unix.IPPROTO_IP, unix.IP_ADD_MEMBERSHIP, member),
			unix.SetsockoptIPMreqn(fd, unix.IPPROTO_IP, unix.IP_MULTICAST_IF, &unix.IPMreqn{Ifindex: int32(index)}),
			unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MULTICAST_TTL, ttl),
			unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MULTICAST_LOOP, echo),
		)
	}
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
