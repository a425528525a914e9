package ipaddr

import (
	"context"
	"encoding/binary"
	"errors"
	"net/netip"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// A held is one address that an interface of this machine has.
type held struct {
	link   int // index
	ip     netip.Addr
	peer   netip.Addr // of a point-to-point interface, else ip
	prefix int
	flags  uint32 // unix.IFA_F_...
}

// network is the prefix by which the kernel groups IPv4 addresses: that of the
// far end where there is one.
func (h held) network() netip.Prefix {
	return netip.PrefixFrom(h.peer, h.prefix).Masked()
}

// addresses lists the addresses of all interfaces, up or down, of the family
// of ip.
func (k *kernel) addresses(ctx context.Context, ip netip.Addr) (list []held, err error) {
	all := func() *nl.NetlinkRequest {
		return k.request(unix.RTM_GETADDR, unix.NLM_F_DUMP, nl.NewIfAddrmsg(family(ip)))
	}
	err = k.dump(ctx, unix.RTM_NEWADDR, all, func() { list = list[:0] }, func(m []byte) {
		list = append(list, readHeld(m))
	})
	return list, err
}

func readHeld(m []byte) held {
	header := nl.DeserializeIfAddrmsg(m)
	h := held{link: int(header.Index), prefix: int(header.Prefixlen), flags: uint32(header.IfAddrmsg.Flags)}
	for kind, value := range attributes(m[unix.SizeofIfAddrmsg:]) {
		switch kind {
		case unix.IFA_LOCAL:
			h.ip, _ = netip.AddrFromSlice(value)
		case unix.IFA_ADDRESS:
			h.peer, _ = netip.AddrFromSlice(value)
		case unix.IFA_FLAGS:
			h.flags = binary.NativeEndian.Uint32(value)
		}
	}
	if !h.ip.IsValid() { // IPv6 without a far end has no IFA_LOCAL
		h.ip = h.peer
	}
	return h
}

// add gives an interface an address. The error is unix.EEXIST if it has it.
//
// An IPv6 address is usable at once, since two nodes that hand it over would
// fail each other's duplicate detection. It is deprecated from the start: it
// answers, but the node does not choose it as the source of what it sends
// itself, which would break when the address moves on (RFC 6724 rule 3). IPv4
// has that by itself, where the address is a secondary one.
//
// An IPv6 address brings a route to its prefix only where there is none. Beside
// the route of a daemon that manages the network it would be a second one, and
// preferred for its metric. IPv4 addresses all bring theirs: the kernel uses
// only that of the first address of a prefix, and when that one goes the next
// is promoted, whose route must then be there.
//
// It lasts for this many seconds, or for good with forever.
func (k *kernel) add(p place, a Address, seconds uint32) error {
	return k.give(unix.NLM_F_CREATE|unix.NLM_F_EXCL, p, a, seconds)
}

// renew lets an address that is there last for this many seconds from now. It
// is told to everybody who listens, as if it was new. An address that is not
// there any more is added.
func (k *kernel) renew(p place, a Address, seconds uint32) error {
	return k.give(unix.NLM_F_REPLACE, p, a, seconds)
}

func (k *kernel) give(flags int, p place, a Address, seconds uint32) error {
	header := nl.NewIfAddrmsg(family(a.IP))
	header.Prefixlen = uint8(p.prefix)
	header.Index = uint32(p.link.index)
	parts := []nl.NetlinkRequestData{header,
		nl.NewRtAttr(unix.IFA_LOCAL, a.IP.AsSlice()),
		nl.NewRtAttr(unix.IFA_ADDRESS, a.IP.AsSlice()),
	}
	if a.IP.Is6() {
		flags := uint32(unix.IFA_F_NODAD)
		if p.covered {
			flags |= unix.IFA_F_NOPREFIXROUTE
		}
		parts = append(parts, nl.NewRtAttr(unix.IFA_FLAGS, nl.Uint32Attr(flags)), lifetime(0, seconds))
	} else if seconds != forever {
		parts = append(parts, lifetime(seconds, seconds))
	}
	if broadcast := broadcastOf(a, p.prefix); broadcast.IsValid() {
		parts = append(parts, nl.NewRtAttr(unix.IFA_BROADCAST, broadcast.AsSlice()))
	}
	if a.Label != "" {
		parts = append(parts, nl.NewRtAttr(unix.IFA_LABEL, nl.ZeroTerminated(a.Label)))
	}
	return k.do(unix.RTM_NEWADDR, flags, parts...)
}

// lifetime says how long an address is chosen as a source, and how long it is
// there, in seconds.
func lifetime(preferred, valid uint32) *nl.RtAttr {
	info := nl.IfaCacheInfo{IfaCacheinfo: unix.IfaCacheinfo{Prefered: preferred, Valid: valid}}
	return nl.NewRtAttr(unix.IFA_CACHEINFO, info.Serialize())
}

// forever is INFINITY_LIFE_TIME of the kernel's net/addrconf.h.
const forever = 0xffffffff

// broadcastOf is the broadcast address to set: the configured one, else the
// last of the network, as heartbeat's findif calculates it.
func broadcastOf(a Address, prefix int) netip.Addr {
	if a.Broadcast.IsValid() || a.IP.Is6() || prefix > 30 {
		return a.Broadcast
	}
	return lastOf(netip.PrefixFrom(a.IP, prefix))
}

// remove takes an address away and leaves every other where it is; list is all
// the addresses there are. The error is unix.EADDRNOTAVAIL if it is gone
// already, or unix.ENODEV if its interface is.
//
// The kernel removes with a primary IPv4 address all the secondary ones of its
// network, unless promote_secondaries is on. A virtual address is primary if it
// came before the node's own, after a restart of the network say. Then
// promotion is switched on while the address goes.
func (k *kernel) remove(h held, list []held) error {
	if !carries(h, list) {
		return k.delete(h)
	}
	l, err := k.linkAt(h.link)
	if err != nil || l.promotes {
		return errors.Join(err, k.delete(h))
	}
	if err := k.setPromotes(h.link, 1); err != nil {
		return err
	}
	return errors.Join(k.delete(h), k.setPromotes(h.link, 0))
}

// carries reports whether h is a primary address with secondary ones.
func carries(h held, list []held) bool {
	if h.ip.Is6() || h.flags&unix.IFA_F_SECONDARY != 0 {
		return false
	}
	for _, other := range list {
		if other.link == h.link && other.flags&unix.IFA_F_SECONDARY != 0 && other.network() == h.network() {
			return true
		}
	}
	return false
}

func (k *kernel) delete(h held) error {
	header := nl.NewIfAddrmsg(family(h.ip))
	header.Prefixlen = uint8(h.prefix)
	header.Index = uint32(h.link)
	return k.do(unix.RTM_DELADDR, 0, header,
		nl.NewRtAttr(unix.IFA_LOCAL, h.ip.AsSlice()),
		nl.NewRtAttr(unix.IFA_ADDRESS, h.peer.AsSlice()))
}
