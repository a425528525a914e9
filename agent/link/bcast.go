package link

import (
	"net/netip"

	"golang.org/x/sys/unix"
)

// Broadcast is a bcast (or udp) interface.
type Broadcast struct {
	Device string
	Port   uint16
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
