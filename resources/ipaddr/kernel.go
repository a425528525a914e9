package ipaddr

import (
	"context"
	"encoding/binary"
	"errors"
	"iter"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// A kernel is one netlink socket and the few requests that are made on it, in
// the network namespace of the thread that opened it. It is for one goroutine
// at a time.
//
// The kernel answers a request before the system call that sends it returns.
// There is nothing to wait for, and nothing that a context could cut short.
//
// The requests are written out, and not left to the library's Handle, for the
// sake of groups of hundreds of addresses: with 500 addresses present its
// AddrList takes 1.0 ms and this one 0.2 ms, its LinkByName 60 us and this one
// 15 us. The flags of promotion and forwarding are not in its answers at all.
type kernel struct {
	sockets map[int]*nl.SocketHandle
	packets int // the packet socket of frames.go; -1 before it is needed

	lifetime uint32 // of the addresses that it adds, in seconds, or forever
}

func openKernel() (*kernel, error) {
	socket, err := nl.Subscribe(unix.NETLINK_ROUTE) // to no group: a plain socket
	if err != nil {
		return nil, err
	}
	err = errors.Join(
		socket.SetExtAck(true),                           // errors in the kernel's words
		socket.SetReceiveTimeout(&unix.Timeval{Sec: 10})) // no answer is a defect; not to hang on it
	if err != nil {
		socket.Close()
		return nil, err
	}
	sockets := map[int]*nl.SocketHandle{unix.NETLINK_ROUTE: {Socket: socket}}
	return &kernel{sockets: sockets, packets: -1, lifetime: forever}, nil
}

func (k *kernel) close() {
	k.sockets[unix.NETLINK_ROUTE].Close()
	if k.packets >= 0 {
		unix.Close(k.packets)
	}
}

func (k *kernel) request(kind, flags int, parts ...nl.NetlinkRequestData) *nl.NetlinkRequest {
	r := nl.NewNetlinkRequest(kind, flags)
	r.Sockets = k.sockets
	r.Data = parts
	return r
}

// do sends a request whose answer is an acknowledgement.
func (k *kernel) do(kind, flags int, parts ...nl.NetlinkRequestData) error {
	return k.get(0, k.request(kind, flags|unix.NLM_F_ACK, parts...), nil)
}

// get sends a request and hands each answer of the given kind to read.
func (k *kernel) get(kind uint16, r *nl.NetlinkRequest, read func([]byte)) error {
	return r.ExecuteIter(unix.NETLINK_ROUTE, kind, func(message []byte) bool {
		read(message)
		return true
	})
}

// dump is a get of a whole table. It starts again, after forget, when the table
// changed while it was read, since what it read may have holes then.
func (k *kernel) dump(ctx context.Context, kind uint16, r func() *nl.NetlinkRequest, forget func(), read func([]byte)) error {
	for {
		forget()
		err := k.get(kind, r(), read)
		if !errors.Is(err, nl.ErrDumpInterrupted) {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// attributes walks the attributes of a message, or those nested in one.
func attributes(b []byte) iter.Seq2[uint16, []byte] {
	return func(yield func(uint16, []byte) bool) {
		for len(b) >= unix.SizeofRtAttr {
			size := int(binary.NativeEndian.Uint16(b))
			if size < unix.SizeofRtAttr || size > len(b) {
				return
			}
			kind := binary.NativeEndian.Uint16(b[2:]) & attributeType
			if !yield(kind, b[unix.SizeofRtAttr:size]) {
				return
			}
			b = b[min((size+3)&^3, len(b)):] // attributes begin at multiples of 4
		}
	}
}

// attributeType is NLA_TYPE_MASK of linux/netlink.h: a type without its flags.
const attributeType = 0x3fff

// A link is an interface as it is now.
type link struct {
	index    int
	name     string
	flags    uint32 // unix.IFF_...
	mac      net.HardwareAddr
	promotes bool // IPv4 promote_secondaries of this interface
	forwards bool // IPv6 forwarding: the node is a router there
}

func (l link) up() bool { return l.flags&unix.IFF_UP != 0 }

// carries reports that the interface can send, as far as its driver knows.
func (l link) carries() bool { return l.up() && l.flags&unix.IFF_RUNNING != 0 }

// linkNamed looks an interface up by its name or one of its other names. The
// error is unix.ENODEV if there is none.
func (k *kernel) linkNamed(name string) (link, error) {
	return k.link(nl.NewIfInfomsg(unix.AF_UNSPEC), nl.NewRtAttr(unix.IFLA_IFNAME, nl.ZeroTerminated(name)))
}

// linkAt looks an interface up by its index.
func (k *kernel) linkAt(index int) (link, error) {
	header := nl.NewIfInfomsg(unix.AF_UNSPEC)
	header.Index = int32(index)
	return k.link(header)
}

func (k *kernel) link(parts ...nl.NetlinkRequestData) (found link, err error) {
	parts = append(parts, nl.NewRtAttr(unix.IFLA_EXT_MASK, nl.Uint32Attr(skipStatistics)))
	err = k.get(unix.RTM_NEWLINK, k.request(unix.RTM_GETLINK, 0, parts...), func(m []byte) { found = readLink(m) })
	return found, err
}

// skipStatistics is RTEXT_FILTER_SKIP_STATS of linux/rtnetlink.h.
const skipStatistics = 1 << 3

// links lists all interfaces.
func (k *kernel) links(ctx context.Context) (list []link, err error) {
	all := func() *nl.NetlinkRequest {
		return k.request(unix.RTM_GETLINK, unix.NLM_F_DUMP, nl.NewIfInfomsg(unix.AF_UNSPEC))
	}
	err = k.dump(ctx, unix.RTM_NEWLINK, all, func() { list = nil }, func(m []byte) {
		list = append(list, readLink(m))
	})
	return list, err
}

func readLink(m []byte) link {
	header := nl.DeserializeIfInfomsg(m)
	l := link{index: int(header.Index), flags: header.Flags}
	for kind, value := range attributes(m[unix.SizeofIfInfomsg:]) {
		switch kind {
		case unix.IFLA_IFNAME:
			l.name = unix.ByteSliceToString(value)
		case unix.IFLA_ADDRESS:
			l.mac = net.HardwareAddr(value)
		case unix.IFLA_AF_SPEC:
			l.readFamilies(value)
		}
	}
	return l
}

// Settings of an interface by protocol, in the arrays that its message carries:
// the first are numbered from 1 (linux/ip.h), the second from 0 (linux/ipv6.h).
const (
	promoteSecondaries = 20 // IPV4_DEVCONF_PROMOTE_SECONDARIES
	forwardingIPv6     = 0  // DEVCONF_FORWARDING
)

func (l *link) readFamilies(b []byte) {
	for family, settings := range attributes(b) {
		for kind, value := range attributes(settings) {
			switch {
			case family == unix.AF_INET && kind == unix.IFLA_INET_CONF:
				l.promotes = setting(value, promoteSecondaries-1)
			case family == unix.AF_INET6 && kind == unix.IFLA_INET6_CONF:
				l.forwards = setting(value, forwardingIPv6)
			}
		}
	}
}

func setting(array []byte, i int) bool {
	return len(array) >= 4*(i+1) && binary.NativeEndian.Uint32(array[4*i:]) != 0
}

// setPromotes switches promote_secondaries of one interface, as
// /proc/sys/net/ipv4/conf/NAME does, which a hardened service cannot write to.
func (k *kernel) setPromotes(index int, on uint32) error {
	families := nl.NewRtAttr(unix.IFLA_AF_SPEC, nil)
	settings := families.AddRtAttr(unix.AF_INET, nil).AddRtAttr(unix.IFLA_INET_CONF, nil)
	settings.AddRtAttr(promoteSecondaries, nl.Uint32Attr(on))
	header := nl.NewIfInfomsg(unix.AF_UNSPEC)
	header.Index = int32(index)
	return k.do(unix.RTM_SETLINK, 0, header, families)
}

func family(ip netip.Addr) int {
	if ip.Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}
