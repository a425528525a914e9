package link

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/sys/unix"
)

// isOurs reports whether an address is one of this machine: the kernel has a
// route of type local to it. The index is that of the interface where the
// address is of link scope.
//
// That it could be bound to would not do, since ip_nonlocal_bind is a setting
// clusters like; nor would the source the kernel chooses to send from, since
// that is the first address of the subnet where this is the second.
func (m *monitor) isOurs(address netip.Addr, index int) bool {
	if unix.Sendto(m.routes, routeRequest(address, index), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}) != nil {
		return false
	}
	var answer [4096]byte
	n, _, err := unix.Recvfrom(m.routes, answer[:], 0)
	if err != nil || n < unix.SizeofNlMsghdr+unix.SizeofRtMsg {
		return false
	}
	kind := binary.NativeEndian.Uint16(answer[4:])
	// Anything but a route is an error message: there is no way there.
	return kind == unix.RTM_NEWROUTE && answer[unix.SizeofNlMsghdr+rtmType] == unix.RTN_LOCAL
}

// rtmType is where struct rtmsg has rtm_type. See rtnetlink(7).
const rtmType = 7

// routeRequest asks for the route to an address: struct nlmsghdr, struct rtmsg,
// and the attributes RTA_DST and, where the scope needs it, RTA_OIF.
func routeRequest(address netip.Addr, index int) []byte {
	family, bytes := byte(unix.AF_INET), address.AsSlice()
	if address.Is6() {
		family = unix.AF_INET6
	}
	b := make([]byte, unix.SizeofNlMsghdr+unix.SizeofRtMsg)
	binary.NativeEndian.PutUint16(b[4:], unix.RTM_GETROUTE)
	binary.NativeEndian.PutUint16(b[6:], unix.NLM_F_REQUEST)
	b[unix.SizeofNlMsghdr] = family
	b[unix.SizeofNlMsghdr+1] = byte(8 * len(bytes)) // rtm_dst_len
	b = appendAttribute(b, unix.RTA_DST, bytes)
	if address.IsLinkLocalUnicast() {
		b = appendAttribute(b, unix.RTA_OIF, binary.NativeEndian.AppendUint32(nil, uint32(index)))
	}
	binary.NativeEndian.PutUint32(b, uint32(len(b)))
	return b
}

// appendAttribute appends one struct rtattr. Values are of whole words, so that
// none needs padding.
func appendAttribute(b []byte, kind uint16, value []byte) []byte {
	b = binary.NativeEndian.AppendUint16(b, uint16(unix.SizeofRtAttr+len(value)))
	b = binary.NativeEndian.AppendUint16(b, kind)
	return append(b, value...)
}
