package ipaddr

import (
	"context"
	"encoding/binary"
	"errors"
	"net/netip"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// A route is one way of this machine to other addresses, or to itself.
type route struct {
	network netip.Prefix // of length 0: the default route
	link    int          // index
	metric  uint32
	table   uint32
	kind    uint8 // unix.RTN_UNICAST, unix.RTN_LOCAL, ...
	direct  bool  // no gateway
}

// isLocal reports that the destination is this machine itself.
func (r route) isLocal() bool { return r.kind == unix.RTN_LOCAL }

// connects reports that the destination is in a network of the link itself.
func (r route) connects() bool {
	return r.kind == unix.RTN_UNICAST && r.direct && r.network.Bits() > 0
}

// lookup asks the kernel for its route to ip. Of an address that this machine
// holds it is the route to itself, with the interface that has the address. The
// zero route is no route.
func (k *kernel) lookup(ip netip.Addr) (found route, err error) {
	header := routeHeader(ip)
	header.Dst_len = uint8(ip.BitLen())
	header.Flags = unix.RTM_F_FIB_MATCH // the entry, not what would be sent: it names the interface
	r := k.request(unix.RTM_GETROUTE, 0, header, nl.NewRtAttr(unix.RTA_DST, ip.AsSlice()))
	err = k.get(unix.RTM_NEWROUTE, r, func(m []byte) { found = readRoute(m, ip) })
	for _, none := range []error{unix.ENETUNREACH, unix.EHOSTUNREACH, unix.EINVAL, unix.EACCES} { // the last two: blackhole, prohibit
		if errors.Is(err, none) {
			return route{}, nil
		}
	}
	return found, err
}

// routes lists the main table, of the family of ip.
func (k *kernel) routes(ctx context.Context, ip netip.Addr) (list []route, err error) {
	all := func() *nl.NetlinkRequest {
		return k.request(unix.RTM_GETROUTE, unix.NLM_F_DUMP, routeHeader(ip))
	}
	err = k.dump(ctx, unix.RTM_NEWROUTE, all, func() { list = list[:0] }, func(m []byte) {
		if r := readRoute(m, ip); r.table == unix.RT_TABLE_MAIN {
			list = append(list, r)
		}
	})
	return list, err
}

func routeHeader(ip netip.Addr) *nl.RtMsg {
	return &nl.RtMsg{RtMsg: unix.RtMsg{Family: uint8(family(ip))}}
}

// readRoute reads a message about a route of the family of ip.
func readRoute(m []byte, ip netip.Addr) route {
	header := nl.DeserializeRtMsg(m)
	r := route{table: uint32(header.Table), kind: header.RtMsg.Type, direct: true}
	destination := netip.IPv6Unspecified()
	if ip.Is4() {
		destination = netip.IPv4Unspecified()
	}
	for kind, value := range attributes(m[unix.SizeofRtMsg:]) {
		switch kind {
		case unix.RTA_DST:
			destination, _ = netip.AddrFromSlice(value)
		case unix.RTA_OIF:
			r.link = int(binary.NativeEndian.Uint32(value))
		case unix.RTA_PRIORITY:
			r.metric = binary.NativeEndian.Uint32(value)
		case unix.RTA_TABLE:
			r.table = binary.NativeEndian.Uint32(value)
		case unix.RTA_GATEWAY, unix.RTA_VIA:
			r.direct = false
		case unix.RTA_MULTIPATH:
			r.readFirstHop(value)
		}
	}
	r.network = netip.PrefixFrom(destination, int(header.Dst_len))
	return r
}

// readFirstHop takes the first of several ways for the route's: a struct
// rtnexthop of linux/rtnetlink.h, with attributes behind it.
func (r *route) readFirstHop(b []byte) {
	if len(b) < unix.SizeofRtNexthop {
		return
	}
	size := int(binary.NativeEndian.Uint16(b))
	r.link = int(binary.NativeEndian.Uint32(b[4:]))
	if size < unix.SizeofRtNexthop || size > len(b) {
		return
	}
	for kind := range attributes(b[unix.SizeofRtNexthop:size]) {
		if kind == unix.RTA_GATEWAY || kind == unix.RTA_VIA {
			r.direct = false
		}
	}
}

// longest finds the route to ip that the kernel would use if ip was not held
// here: of the longest prefix, then of the lowest metric. A link that is not 0
// is the only one considered.
func longest(routes []route, list []held, ip netip.Addr, link int) (best route) {
	for _, r := range routes {
		if r.kind != unix.RTN_UNICAST || !r.network.Contains(ip) || link != 0 && r.link != link || owed(r, list, ip) {
			continue
		}
		longer := r.network.Bits() - best.network.Bits()
		if best.kind == 0 || longer > 0 || longer == 0 && r.metric < best.metric {
			best = r
		}
	}
	return best
}

// owed reports whether a route is there on account of ip alone, which says
// nothing about where ip belongs.
func owed(r route, list []held, ip netip.Addr) bool {
	by := false
	for _, h := range list {
		if h.link != r.link || h.network() != r.network {
			continue
		}
		if h.ip != ip {
			return false
		}
		by = true
	}
	return by
}
