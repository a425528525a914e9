package link

import (
	"encoding/binary"
	"os"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// The types of echo messages: RFC 792 and RFC 4443 section 4.
const (
	echoRequest4 = 8
	echoReply4   = 0
	echoRequest6 = 128
	echoReply6   = 129
)

// An echo is what we put into a request and want back in the reply. The token
// is random, so that nobody who has not seen the request can make the reply.
type echo struct {
	id, sequence uint16
	token        [16]byte
}

const (
	echoHeader = 8
	echoLength = echoHeader + 16
)

// appendRequest appends an echo request. The kernel fills in the checksum of
// IPv6, which covers addresses we do not know.
func appendRequest(b []byte, e echo, ipv6 bool) []byte {
	from := len(b)
	kind := byte(echoRequest4)
	if ipv6 {
		kind = echoRequest6
	}
	b = append(b, kind, 0, 0, 0)
	b = binary.BigEndian.AppendUint16(b, e.id)
	b = binary.BigEndian.AppendUint16(b, e.sequence)
	b = append(b, e.token[:]...)
	if !ipv6 {
		binary.BigEndian.PutUint16(b[from+2:], checksum(b[from:]))
	}
	return b
}

// parseReply reads an echo reply as a raw socket gives it: with the IP header
// before it in IPv4, without in IPv6. The kernel has checked the checksum of
// IPv6; that of IPv4 is left to us.
func parseReply(b []byte, ipv6 bool) (e echo, ok bool) {
	kind := byte(echoReply6)
	if !ipv6 {
		kind = echoReply4
		if len(b) < 20 || len(b) < headerLength(b) {
			return echo{}, false
		}
		b = b[headerLength(b):]
	}
	if len(b) != echoLength || b[0] != kind || b[1] != 0 || !ipv6 && checksum(b) != 0 {
		return echo{}, false
	}
	e.id = binary.BigEndian.Uint16(b[4:])
	e.sequence = binary.BigEndian.Uint16(b[6:])
	copy(e.token[:], b[echoHeader:])
	return e, true
}

// headerLength is the length of an IPv4 header with its options, in bytes.
func headerLength(b []byte) int { return int(b[0]&0xf) * 4 }

// checksum is that of RFC 1071, over an even number of bytes. Over a message
// whose checksum is right it is 0.
func checksum(b []byte) uint16 {
	var sum uint32
	for i := 0; i+1 < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	for sum>>16 != 0 {
		sum = sum&0xffff + sum>>16
	}
	return ^uint16(sum)
}

// openICMP opens a raw socket that is given echo replies to one id only, so
// that floods of anything else do not wake us. See raw(7), icmp(7).
func openICMP(ipv6 bool, id uint16) (int, error) {
	family, protocol := unix.AF_INET, unix.IPPROTO_ICMP
	if ipv6 {
		family, protocol = unix.AF_INET6, unix.IPPROTO_ICMPV6
	}
	fd, err := unix.Socket(family, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, protocol)
	if err != nil {
		return -1, os.NewSyscallError("raw socket", err)
	}
	if err := setUpICMP(fd, ipv6, id); err != nil {
		unix.Close(fd)
		return -1, os.NewSyscallError("setsockopt", err)
	}
	return fd, nil
}

func setUpICMP(fd int, ipv6 bool, id uint16) error {
	err := firstError(
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1),
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PRIORITY, priority),
		growBuffer(fd),
	)
	if err != nil {
		return err
	}
	if err := attach(fd, ipv6, id); err != nil {
		return err
	}
	if ipv6 {
		pass := &unix.ICMPv6Filter{}
		for i := range pass.Data {
			pass.Data[i] = ^uint32(0) // a bit that is set keeps its type out
		}
		pass.Data[echoReply6/32] &^= 1 << (echoReply6 % 32)
		return unix.SetsockoptICMPv6Filter(fd, unix.SOL_ICMPV6, unix.ICMPV6_FILTER, pass)
	}
	return unix.SetsockoptInt(fd, unix.SOL_RAW, unix.ICMP_FILTER, ^(1 << echoReply4))
}

// attach attaches a filter for the id.
func attach(fd int, ipv6 bool, id uint16) error {
	program := []bpf.Instruction{
		bpf.LoadMemShift{Off: 0},          // X = length of the IPv4 header
		bpf.LoadIndirect{Off: 4, Size: 2}, // A = id
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(id), SkipFalse: 1},
		bpf.RetConstant{Val: ^uint32(0)},
		bpf.RetConstant{Val: 0},
	}
	if ipv6 {
		program = append([]bpf.Instruction{bpf.LoadAbsolute{Off: 4, Size: 2}}, program[2:]...)
	}
	raw, err := bpf.Assemble(program)
	if err != nil {
		return err
	}
	filter := make([]unix.SockFilter, len(raw))
	for i, r := range raw {
		filter[i] = unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
		&unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]})
}
