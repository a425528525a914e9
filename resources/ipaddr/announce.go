package ipaddr

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/mdlayher/arp"
	"github.com/mdlayher/ethernet"
	"github.com/mdlayher/ndp"
	"golang.org/x/sys/unix"
)

// announce sends what makes neighbours turn to this node. The hardware address
// is that of the moment. A packet that is not sent keeps none from being sent
// after it.
func announce(k *kernel, a Address) (done Announcement, err error) {
	to, err := k.lookup(a.IP)
	if err != nil {
		return done, err
	}
	if !to.isLocal() {
		return done, fmt.Errorf("%s is not held here", a.IP)
	}
	l, err := k.linkAt(to.link)
	if err != nil {
		return done, err
	}
	if l.flags&(unix.IFF_LOOPBACK|unix.IFF_NOARP) != 0 || len(l.mac) == 0 {
		return done, nil // nobody keeps hardware addresses of such an interface
	}
	frames, err := announcement(a.IP, l)
	if err != nil {
		return done, fmt.Errorf("announce on %s: %w", l.name, err)
	}
	done.Interface = l.name
	for _, f := range frames {
		if failed := k.send(l, f); failed != nil {
			err = fmt.Errorf("announce on %s: %w", l.name, failed)
			done.Failed++
			done.Error = failed.Error()
			continue
		}
		done.Sent++
	}
	return done, err
}

func announcement(ip netip.Addr, l link) ([]*ethernet.Frame, error) {
	if ip.Is4() {
		return gratuitousARP(ip, l.mac)
	}
	f, err := unsolicitedAdvertisement(ip, l)
	return []*ethernet.Frame{f}, err
}

// gratuitousARP makes both forms of an ARP announcement (RFC 5227 section 3),
// for broadcast.
//
// A Linux neighbour overwrites an entry younger than a second (locktime in
// arp(7)) on the request form, with no target hardware address, and on a reply
// only if it names the sender as the target. Other systems want one or the
// other.
func gratuitousARP(ip netip.Addr, mac net.HardwareAddr) ([]*ethernet.Frame, error) {
	nobody := make(net.HardwareAddr, len(mac))
	request, err := arpFrame(arp.OperationRequest, ip, mac, nobody)
	if err != nil {
		return nil, err
	}
	reply, err := arpFrame(arp.OperationReply, ip, mac, mac)
	return []*ethernet.Frame{request, reply}, err
}

func arpFrame(op arp.Operation, ip netip.Addr, mac, target net.HardwareAddr) (*ethernet.Frame, error) {
	packet, err := arp.NewPacket(op, mac, ip, target, ip)
	if err != nil {
		return nil, err
	}
	payload, err := packet.MarshalBinary()
	return &ethernet.Frame{
		Destination: ethernet.Broadcast,
		Source:      mac,
		EtherType:   ethernet.EtherTypeARP,
		Payload:     payload,
	}, err
}

// Where an unsolicited advertisement goes: all nodes (RFC 4861 section 7.2.6)
// and the Ethernet address of that group (RFC 2464 section 7).
var (
	allNodes    = netip.MustParseAddr("ff02::1")
	allNodesMAC = net.HardwareAddr{0x33, 0x33, 0, 0, 0, 1}
)

// unsolicitedAdvertisement makes a neighbour advertisement that overrides what
// the neighbours know.
//
// It says whether the node is a router, since a neighbour that has it as its
// default router drops it on an advertisement that denies it (RFC 4861 section
// 7.2.5).
func unsolicitedAdvertisement(ip netip.Addr, l link) (*ethernet.Frame, error) {
	message, err := ndp.MarshalMessageChecksum(&ndp.NeighborAdvertisement{
		Router:        l.forwards,
		Override:      true,
		TargetAddress: ip,
		Options:       []ndp.Option{&ndp.LinkLayerAddress{Direction: ndp.Target, Addr: l.mac}},
	}, ip, allNodes)
	if err != nil {
		return nil, err
	}
	return icmpFrame(ip, allNodes, l.mac, allNodesMAC, message), nil
}

// icmpFrame puts a message of neighbour discovery into a packet, and that into
// a frame.
func icmpFrame(from, to netip.Addr, source, destination net.HardwareAddr, message []byte) *ethernet.Frame {
	packet := make([]byte, headerIPv6, headerIPv6+len(message))
	packet[0] = 6 << 4 // version
	packet[4], packet[5] = byte(len(message)>>8), byte(len(message))
	packet[6] = unix.IPPROTO_ICMPV6
	packet[7] = ndp.HopLimit
	copy(packet[8:], from.AsSlice())
	copy(packet[24:], to.AsSlice())
	return &ethernet.Frame{
		Destination: destination,
		Source:      source,
		EtherType:   ethernet.EtherTypeIPv6,
		Payload:     append(packet, message...),
	}
}

// headerIPv6 is the length of an IPv6 header (RFC 8200 section 3).
const headerIPv6 = 40

// send puts a frame on the wire, behind the back of routing and packet filters.
//
// The socket is bound to no interface, so that one serves all of them, and
// those yet to come. arp.Dial and ndp.Listen would tie one to an interface, its
// addresses and its hardware address as they are at that moment. It has no
// protocol and so receives nothing.
func (k *kernel) send(l link, f *ethernet.Frame) (err error) {
	if k.packets < 0 {
		const kind = unix.SOCK_RAW | unix.SOCK_CLOEXEC | unix.SOCK_NONBLOCK
		if k.packets, err = unix.Socket(unix.AF_PACKET, kind, 0); err != nil {
			return fmt.Errorf("open packet socket: %w", err)
		}
	}
	b, err := f.MarshalBinary()
	if err != nil {
		return err
	}
	protocol := uint16(f.EtherType)
	return unix.Sendto(k.packets, b, 0, &unix.SockaddrLinklayer{
		Ifindex:  l.index,
		Protocol: protocol<<8 | protocol>>8, // network byte order
	})
}
