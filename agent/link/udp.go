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
