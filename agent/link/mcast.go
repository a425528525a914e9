package link

import (
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// Multicast is an mcast or mcast6 line, as the group is IPv4 or IPv6.
type Multicast struct {
	Device string
	Group  netip.Addr
	Port   uint16
	TTL    int  // hop limit: 0 stays on this machine, 1 on this network
	Loop   bool // whether our own packets come back
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
