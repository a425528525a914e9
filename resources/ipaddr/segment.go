package ipaddr

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/mdlayher/arp"
	"github.com/mdlayher/ethernet"
	"github.com/mdlayher/ndp"
	"github.com/mdlayher/packet"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// How often an address that nobody answers for is asked for, and how long an
// answer may take. On one switch it takes well below a millisecond; a virtual
// machine may be a few hundred away from its turn.
const (
	probeRounds = 3
	probeWait   = 300 * time.Millisecond
)

// A segment is one interface, and one of ARP and neighbour discovery.
type segment struct {
	link    link
	ipv6    bool
	from    netip.Addr // of neighbour solicitations
	targets []*target
	strict  bool // only answers to our own questions count
	conn    *packet.Conn
}

func openSegment(l link, ipv6 bool) (*segment, error) {
	s := &segment{link: l, ipv6: ipv6}
	protocol, filter := unix.ETH_P_ARP, []bpf.RawInstruction(nil)
	if ipv6 {
		var err error
		if filter, err = bpf.Assemble(advertisementsOnly); err != nil {
			return nil, err
		}
		protocol = unix.ETH_P_IPV6
	}
	conn, err := packet.Listen(&net.Interface{Index: l.index, Name: l.name, HardwareAddr: l.mac}, packet.Raw, protocol, &packet.Config{Filter: filter})
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", l.name, err)
	}
	s.conn = conn
	return s, nil
}

// advertisementsOnly passes neighbour advertisements (ICMPv6 type 136), which
// come without extension headers (RFC 6980).
var advertisementsOnly = []bpf.Instruction{
	bpf.LoadAbsolute{Off: headerEthernet + 6, Size: 1}, // next header
	bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: unix.IPPROTO_ICMPV6, SkipTrue: 3},
	bpf.LoadAbsolute{Off: headerEthernet + headerIPv6, Size: 1}, // type
	bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: 136, SkipTrue: 1},
	bpf.RetConstant{Val: ^uint32(0)},
	bpf.RetConstant{Val: 0},
}

const headerEthernet = 14

// ask asks for every target, and again for those that nobody has answered for.
func (s *segment) ask(ctx context.Context, own []string) error {
	stop := context.AfterFunc(ctx, func() { s.conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	for range probeRounds {
		open, err := s.send()
		if err != nil {
			return fmt.Errorf("ask on %s: %w", s.link.name, err)
		}
		if open == 0 {
			return nil
		}
		if err := s.conn.SetReadDeadline(time.Now().Add(probeWait)); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := s.listen(own); err != nil {
			return fmt.Errorf("listen on %s: %w", s.link.name, err)
		}
	}
	return ctx.Err()
}

// send asks for the targets without an answer, and counts them.
func (s *segment) send() (open int, err error) {
	for _, t := range s.targets {
		if len(t.into.Others) > 0 || t.isVoid != nil && t.isVoid() {
			continue
		}
		f, err := s.question(t.ip)
		if err != nil {
			return 0, err
		}
		b, err := f.MarshalBinary()
		if err != nil {
			return 0, err
		}
		if _, err := s.conn.WriteTo(b, &packet.Addr{HardwareAddr: f.Destination}); err != nil {
			return 0, err
		}
		open++
	}
	return open, nil
}

func (s *segment) question(ip netip.Addr) (*ethernet.Frame, error) {
	if s.ipv6 {
		return solicitation(ip, s.from, s.link.mac)
	}
	return arpProbe(ip, s.link.mac)
}

// arpProbe asks who has an address without saying that we are anybody: no
// neighbour enters or changes anything on account of it (RFC 5227 section 2.1.1).
func arpProbe(ip netip.Addr, mac net.HardwareAddr) (*ethernet.Frame, error) {
	nobody := make(net.HardwareAddr, len(mac))
	p, err := arp.NewPacket(arp.OperationRequest, mac, netip.IPv4Unspecified(), nobody, ip)
	if err != nil {
		return nil, err
	}
	payload, err := p.MarshalBinary()
	return &ethernet.Frame{Destination: ethernet.Broadcast, Source: mac, EtherType: ethernet.EtherTypeARP, Payload: payload}, err
}

// solicitation asks who has an IPv6 address, of the few that listen to its
// group (RFC 4861 section 4.3, RFC 2464 section 7).
func solicitation(ip, from netip.Addr, mac net.HardwareAddr) (*ethernet.Frame, error) {
	group, err := ndp.SolicitedNodeMulticast(ip)
	if err != nil {
		return nil, err
	}
	message, err := ndp.MarshalMessageChecksum(&ndp.NeighborSolicitation{
		TargetAddress: ip,
		Options:       []ndp.Option{&ndp.LinkLayerAddress{Direction: ndp.Source, Addr: mac}},
	}, from, group)
	if err != nil {
		return nil, err
	}
	g := group.As16()
	return icmpFrame(from, group, mac, net.HardwareAddr{0x33, 0x33, g[12], g[13], g[14], g[15]}, message), nil
}

// listen takes answers until the deadline of the socket.
func (s *segment) listen(own []string) error {
	buffer := make([]byte, 2048)
	for {
		n, _, err := s.conn.ReadFrom(buffer)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return nil
		}
		if err != nil {
			return err
		}
		ip, mac := s.answer(buffer[:n])
		for _, t := range s.targets {
			if t.ip == ip {
				t.answered(mac, own)
			}
		}
	}
}

// answersProbe reports whether a packet answers an ARP probe of this interface:
// by RFC 826 it returns the sender's addresses of the question, of which a probe
// has no second.
func (s *segment) answersProbe(p *arp.Packet) bool {
	return p.Operation == arp.OperationReply && bytes.Equal(p.TargetHardwareAddr, s.link.mac) && p.TargetIP.IsUnspecified()
}

// answer reads who says that it has which address; the zero Addr for nobody.
// Any ARP packet says so by its sender address, a question too.
func (s *segment) answer(b []byte) (netip.Addr, net.HardwareAddr) {
	var f ethernet.Frame
	if f.UnmarshalBinary(b) != nil {
		return netip.Addr{}, nil
	}
	if !s.ipv6 {
		var p arp.Packet
		if p.UnmarshalBinary(f.Payload) != nil || s.strict && !s.answersProbe(&p) {
			return netip.Addr{}, nil
		}
		return p.SenderIP, p.SenderHardwareAddr
	}
	if len(f.Payload) < headerIPv6 || f.Payload[7] != ndp.HopLimit { // from beyond a router
		return netip.Addr{}, nil
	}
	message, err := ndp.ParseMessage(f.Payload[headerIPv6:])
	na, ok := message.(*ndp.NeighborAdvertisement)
	if err != nil || !ok || s.strict && !(na.Solicited && bytes.Equal(f.Destination, s.link.mac)) {
		return netip.Addr{}, nil
	}
	for _, option := range na.Options {
		if o, ok := option.(*ndp.LinkLayerAddress); ok && o.Direction == ndp.Target {
			return na.TargetAddress, o.Addr
		}
	}
	return na.TargetAddress, f.Source
}
