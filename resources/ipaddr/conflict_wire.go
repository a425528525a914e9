package ipaddr

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/mdlayher/arp"
	"github.com/mdlayher/ndp"
	"golang.org/x/net/bpf"
	"golang.org/x/net/ipv6"
	"golang.org/x/sys/unix"
)

// A wire is two sockets on which others are heard to claim addresses, on all
// interfaces. In the kernel each has a filter for the addresses that matter, so
// that no other packet wakes anybody.
//
// arp.Dial would bind one to an interface as it is at that moment. The one for
// neighbour advertisements is a raw ICMPv6 socket: a packet socket would look at
// every IPv6 packet of the machine.
type wire struct {
	arp    *os.File         // nil without IPv4 addresses
	ndp    *ipv6.PacketConn // nil without IPv6 addresses
	claims chan claim
}

// claimPause is the least time between two claims that are read. Whoever floods
// the network with them has 100 a second heard, and the kernel drops the rest.
const claimPause = 10 * time.Millisecond

// claimBuffer is how many bytes of claims wait, as the kernel counts them: some
// 40 packets. What is there when a flood ends is read within half a second.
const claimBuffer = 16 << 10

func openWire(ctx context.Context, v4, v6 bool, readers *sync.WaitGroup) (w *wire, err error) {
	w = &wire{claims: make(chan claim)}
	if v4 {
		if w.arp, err = openARP(); err != nil {
			return nil, err
		}
		readers.Go(func() { w.pass(ctx, w.readARP) })
	}
	if v6 {
		if w.ndp, err = openNDP(); err != nil {
			w.close()
			return nil, err
		}
		readers.Go(func() { w.pass(ctx, w.readNDP) })
	}
	return w, nil
}

func (w *wire) close() {
	if w.arp != nil {
		_ = w.arp.Close()
	}
	if w.ndp != nil {
		_ = w.ndp.Close()
	}
}

// pass hands on the claims that read finds until ctx ends and its socket is
// closed.
func (w *wire) pass(ctx context.Context, read func() (claim, bool, error)) {
	for ctx.Err() == nil {
		c, ok, err := read()
		if ok && err == nil {
			select {
			case w.claims <- c:
			case <-ctx.Done():
				return
			}
		}
		time.Sleep(claimPause) // also after an error: an interface that goes down says so to every socket
	}
}

// listen sets the filters.
func (w *wire) listen(addresses []netip.Addr) {
	var v4, v6 []uint32
	for _, ip := range addresses {
		b := ip.AsSlice()
		word := binary.BigEndian.Uint32(b[len(b)-4:])
		if ip.Is4() {
			v4 = append(v4, word)
		} else {
			v6 = append(v6, word)
		}
	}
	// A filter that the kernel refuses leaves the one there is. It refuses none of these.
	if w.arp != nil {
		_ = attach(w.arp, arpFilter(v4))
	}
	if w.ndp != nil {
		_ = w.ndp.SetBPF(assemble(ndpFilter(v6)))
	}
}

// openARP opens a packet socket for ARP, without Ethernet's header. Its filter
// is there before it is bound to the protocol and hears anything.
func openARP() (*os.File, error) {
	const kind = unix.SOCK_DGRAM | unix.SOCK_CLOEXEC | unix.SOCK_NONBLOCK
	fd, err := unix.Socket(unix.AF_PACKET, kind, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	f := os.NewFile(uintptr(fd), "arp")
	const protocol = unix.ETH_P_ARP<<8&0xff00 | unix.ETH_P_ARP>>8 // network byte order
	err = errors.Join(
		attach(f, arpFilter(nil)),
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, claimBuffer),
		unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: protocol}))
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

func (w *wire) readARP() (c claim, ok bool, err error) {
	conn, err := w.arp.SyscallConn()
	if err != nil {
		return claim{}, false, err
	}
	var buffer [128]byte
	var size int
	var from unix.Sockaddr
	var failed error
	err = conn.Read(func(fd uintptr) bool {
		size, from, failed = unix.Recvfrom(int(fd), buffer[:], 0)
		return failed != unix.EAGAIN
	})
	if err := errors.Join(err, failed); err != nil {
		return claim{}, false, err
	}
	at, isLink := from.(*unix.SockaddrLinklayer)
	var p arp.Packet
	if !isLink || at.Pkttype == unix.PACKET_OUTGOING || p.UnmarshalBinary(buffer[:size]) != nil {
		return claim{}, false, nil
	}
	return claim{ip: p.SenderIP, mac: p.SenderHardwareAddr, link: at.Ifindex}, true, nil
}

// openNDP opens a socket for neighbour advertisements.
func openNDP() (*ipv6.PacketConn, error) {
	raw, err := net.ListenPacket("ip6:ipv6-icmp", "::")
	if err != nil {
		return nil, err
	}
	conn := ipv6.NewPacketConn(raw)
	var kinds ipv6.ICMPFilter
	kinds.SetAll(true)
	kinds.Accept(ipv6.ICMPTypeNeighborAdvertisement)
	err = errors.Join(
		conn.SetBPF(assemble(ndpFilter(nil))),
		conn.SetICMPFilter(&kinds),
		conn.SetControlMessage(ipv6.FlagHopLimit|ipv6.FlagInterface, true),
		raw.(*net.IPConn).SetReadBuffer(claimBuffer))
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}

// readNDP reads an advertisement that says a hardware address. One that came
// over a router, whose hop limit is less, is no neighbour's (RFC 4861 section
// 7.1.2).
func (w *wire) readNDP() (c claim, ok bool, err error) {
	buffer := make([]byte, 1500)
	size, control, _, err := w.ndp.ReadFrom(buffer)
	if err != nil || control == nil || control.HopLimit != ndp.HopLimit {
		return claim{}, false, err
	}
	message, err := ndp.ParseMessage(buffer[:size])
	if err != nil {
		return claim{}, false, nil
	}
	advertisement, isOne := message.(*ndp.NeighborAdvertisement)
	if !isOne {
		return claim{}, false, nil
	}
	for _, option := range advertisement.Options {
		if l, is := option.(*ndp.LinkLayerAddress); is && l.Direction == ndp.Target {
			return claim{ip: advertisement.TargetAddress, mac: l.Addr, link: control.IfIndex}, true, nil
		}
	}
	return claim{}, false, nil
}

// arpFilter lets pass what has one of the addresses as the sender's.
func arpFilter(addresses []uint32) []bpf.Instruction {
	const lengths, senderIP = 4, 14 // offsets in the packet of RFC 826
	return append([]bpf.Instruction{
		bpf.LoadAbsolute{Off: lengths, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0x0604, SkipTrue: 1}, // Ethernet and IPv4
		bpf.RetConstant{Val: 0},
	}, oneOf(senderIP, addresses)...)
}

// ndpFilter lets pass what has one of these as the last word of its target. The
// rest of the address is looked at later.
func ndpFilter(words []uint32) []bpf.Instruction {
	const target = 8 // offset in the message of RFC 4861 section 4.4
	return oneOf(target+12, words)
}

// filterMost is how many words a filter compares at most, for the kernel takes
// 4096 instructions (BPF_MAXINSNS). Beyond it nothing is filtered.
const filterMost = 2000

// oneOf lets pass what has one of the words at an offset.
func oneOf(offset uint32, words []uint32) []bpf.Instruction {
	program := []bpf.Instruction{bpf.LoadAbsolute{Off: offset, Size: 4}}
	if len(words) > filterMost {
		return append(program, bpf.RetConstant{Val: whole})
	}
	for _, word := range words {
		program = append(program, bpf.JumpIf{Cond: bpf.JumpEqual, Val: word, SkipFalse: 1}, bpf.RetConstant{Val: whole})
	}
	return append(program, bpf.RetConstant{Val: 0})
}

// whole lets a packet pass uncut.
const whole = 1 << 16

func assemble(program []bpf.Instruction) []bpf.RawInstruction {
	raw, err := bpf.Assemble(program)
	if err != nil {
		panic("ipaddr: a filter that cannot be: " + err.Error())
	}
	return raw
}

// attach sets the filter of a packet socket.
func attach(f *os.File, program []bpf.Instruction) error {
	raw := assemble(program)
	filter := make([]unix.SockFilter, len(raw))
	for i, r := range raw {
		filter[i] = unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = conn.Control(func(fd uintptr) {
		failed = unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]})
	})
	return errors.Join(err, os.NewSyscallError("setsockopt", failed))
}
