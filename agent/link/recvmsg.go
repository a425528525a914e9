package link

import (
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// maxDatagram is the largest UDP payload: 65535 less the IP and UDP headers.
const maxDatagram = 65507

// A datagram is what recvmsg tells about one, apart from its bytes.
type datagram struct {
	bytes     []byte
	source    netip.AddrPort
	stamp     int64 // wall clock, in nanoseconds; 0 where the kernel gave none
	dropped   uint32
	broadcast bool // sent to no address of ours in particular
}

// A receiver reads datagrams from one socket, one at a time, into memory of
// its own. It goes round package net because that parks when there is nothing
// to read, and round unix.Recvmsg because that allocates the source address.
type receiver struct {
	header  unix.Msghdr
	iovec   unix.Iovec
	name    unix.RawSockaddrInet6 // and, in its first bytes, a RawSockaddrInet4
	control [16]uint64            // of words, since control messages are aligned to them
	buffer  [maxDatagram + 1]byte
}

// next takes one datagram off the socket. The error is EAGAIN when there is
// none. The datagram's bytes hold until the following call.
func (r *receiver) next(fd uintptr) (datagram, unix.Errno) {
	r.iovec.Base = &r.buffer[0]
	r.iovec.SetLen(len(r.buffer))
	r.header = unix.Msghdr{
		Name:    (*byte)(unsafe.Pointer(&r.name)),
		Namelen: unix.SizeofSockaddrInet6,
		Iov:     &r.iovec,
		Control: (*byte)(unsafe.Pointer(&r.control)),
	}
	r.header.SetIovlen(1)
	r.header.SetControllen(len(r.control) * 8)
	for {
		n, _, errno := unix.Syscall(unix.SYS_RECVMSG, fd, uintptr(unsafe.Pointer(&r.header)), unix.MSG_DONTWAIT)
		if errno == unix.EINTR {
			continue
		}
		if errno != 0 {
			return datagram{}, errno
		}
		d := datagram{bytes: r.buffer[:n], source: r.source()}
		r.walk(&d)
		return d, 0
	}
}

func (r *receiver) source() netip.AddrPort {
	switch r.name.Family {
	case unix.AF_INET:
		sa := (*unix.RawSockaddrInet4)(unsafe.Pointer(&r.name))
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), swap(sa.Port))
	case unix.AF_INET6:
		// Without its zone: that would be a string, and the link says it.
		return netip.AddrPortFrom(netip.AddrFrom16(r.name.Addr), swap(r.name.Port))
	}
	return netip.AddrPort{}
}

// swap turns a port from network into host order.
func swap(port uint16) uint16 {
	b := (*[2]byte)(unsafe.Pointer(&port))
	return uint16(b[0])<<8 | uint16(b[1])
}

// walk reads the control messages, in place. See cmsg(3).
func (r *receiver) walk(d *datagram) {
	all := unsafe.Slice((*byte)(unsafe.Pointer(&r.control)), len(r.control)*8)
	rest := all[:r.header.Controllen]
	head := unix.CmsgLen(0)
	for len(rest) >= head {
		h := (*unix.Cmsghdr)(unsafe.Pointer(&rest[0]))
		if int(h.Len) < head || int(h.Len) > len(rest) {
			return
		}
		d.note(h.Level, h.Type, rest[head:h.Len])
		rest = rest[min(unix.CmsgSpace(int(h.Len)-head), len(rest)):]
	}
}

func (d *datagram) note(level, kind int32, data []byte) {
	switch {
	case level == unix.SOL_SOCKET && kind == unix.SO_TIMESTAMPNS && len(data) >= int(unsafe.Sizeof(unix.Timespec{})):
		d.stamp = (*unix.Timespec)(unsafe.Pointer(&data[0])).Nano()
	case level == unix.SOL_SOCKET && kind == unix.SO_RXQ_OVFL && len(data) >= 4:
		d.dropped = *(*uint32)(unsafe.Pointer(&data[0]))
	case level == unix.IPPROTO_IP && kind == unix.IP_PKTINFO && len(data) >= unix.SizeofInet4Pktinfo:
		// Spec_dst is our address the packet was for. It is the one in the
		// header, unless that is a broadcast or multicast address. See ip(7).
		info := (*unix.Inet4Pktinfo)(unsafe.Pointer(&data[0]))
		d.broadcast = info.Addr != info.Spec_dst
	}
}
