package link

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// Unicast is a ucast or ucast6 line.
type Unicast struct {
	Device string
	Target string // the peer's address or name; our own makes the line unused
	Port   uint16
	IPv6   bool // a ucast6 line
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

// aimUnicast aims at the peer of a ucast line. Where the line names this very
// machine, so that both nodes can have the same ha.cf, there is nothing to aim
// at. An address can come to be ours, or cease to be, at any time.
func aimUnicast(l *udp, port uint16) aim {
	return func(m *monitor, found iface) (to netip.AddrPort, _ State, reason string) {
		peer := l.peer.Load()
		if peer == nil {
			return to, StateWaiting, Unresolved
		}
		ours := m.isOurs(*peer, found.index)
		l.unused.Store(ours)
		if ours {
			return to, StateUnused, ""
		}
		return netip.AddrPortFrom(*peer, port), StateOpen, ""
	}
}

const (
	// resolveTimeout bounds one question to the resolver.
	resolveTimeout = 5 * time.Second

	// resolveInterval is between one answer that did not help and the next
	// question.
	resolveInterval = time.Second
)

// literal reads an address of the family. It is invalid, without an error, if
// the text is a name.
func literal(text string, family int) (netip.Addr, error) {
	address, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Addr{}, nil
	}
	address = address.Unmap().WithZone("")
	if address.Is6() != (family == unix.AF_INET6) {
		return netip.Addr{}, fmt.Errorf("%s is an address of the other IP version", text)
	}
	return address, nil
}

// resolve asks for the address of a name until there is one or ctx ends. A name
// that resolved once is not asked for again: the links of a running cluster
// must not hang on a name server.
func resolve(ctx context.Context, name string, family int) (netip.Addr, bool) {
	network := "ip4"
	if family == unix.AF_INET6 {
		network = "ip6"
	}
	for ctx.Err() == nil {
		attempt, cancel := context.WithTimeout(ctx, resolveTimeout)
		all, err := net.DefaultResolver.LookupNetIP(attempt, network, name)
		cancel()
		if err == nil && len(all) > 0 {
			return all[0].Unmap().WithZone(""), true
		}
		pause(ctx, resolveInterval)
	}
	return netip.Addr{}, false
}

// pause waits for a while, or for the end of ctx.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
