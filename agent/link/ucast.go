package link

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// unicast is the aim of a ucast line.
type unicast struct {
	link   *udp
	target string
	port   uint16
	found  netip.Addr // what target turned out to be; kept from then on
}

// aim aims at the peer. Where the line names this very machine, so that both
// nodes can have the same ha.cf, there is nothing to aim at. An address can
// come to be ours, or cease to be, at any time.
func (u *unicast) aim(ctx context.Context, m *monitor, found iface) (to netip.AddrPort, _ State, reason string, err error) {
	if !u.found.IsValid() {
		u.found, err = resolve(ctx, u.target, u.link.port.family)
		if err != nil {
			return to, StateWaiting, Unresolved, err
		}
	}
	u.link.peer.Store(&u.found)
	ours := m.isOurs(u.found, found.index)
	u.link.unused.Store(ours)
	if ours {
		return to, StateUnused, "", nil
	}
	return netip.AddrPortFrom(u.found, u.port), StateOpen, "", nil
}

// resolveTimeout bounds one question to the resolver, which is asked again at
// the next look. A name that resolved once is not asked for again: the links
// of a running cluster must not hang on a name server.
const resolveTimeout = 5 * time.Second

// resolve turns an address or name into an address of the family.
func resolve(ctx context.Context, target string, family int) (netip.Addr, error) {
	network := "ip4"
	if family == unix.AF_INET6 {
		network = "ip6"
	}
	if address, err := netip.ParseAddr(target); err == nil {
		address = address.Unmap().WithZone("")
		if address.Is6() != (network == "ip6") {
			return netip.Addr{}, fmt.Errorf("%s is not an %s address", target, network)
		}
		return address, nil
	}
	ctx, cancel := context.WithTimeout(ctx, resolveTimeout)
	defer cancel()
	all, err := net.DefaultResolver.LookupNetIP(ctx, network, target)
	if err != nil {
		return netip.Addr{}, err
	}
	return all[0].Unmap().WithZone(""), nil
}
