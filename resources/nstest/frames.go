package nstest

import (
	"bytes"
	"encoding/binary"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/mdlayher/arp"
	"github.com/mdlayher/ethernet"
	"github.com/mdlayher/ndp"
	"github.com/mdlayher/packet"
	"golang.org/x/sys/unix"
)

// A Frame is an ARP packet or a neighbour advertisement as it came off the
// cable: one of ARP and Advertisement is set.
type Frame struct {
	Source, Destination net.HardwareAddr
	ARP                 *arp.Packet
	Advertisement       *ndp.NeighborAdvertisement
	From, To            netip.Addr // of the IPv6 header
	HopLimit            int        // of the IPv6 header
}

// A Listener hears the ARP packets and neighbour advertisements that arrive at
// an interface, from the moment Listen returns.
type Listener struct {
	conn *packet.Conn
	own  net.HardwareAddr
}

// Listen starts to listen on an interface until the test ends.
func (n *Namespace) Listen(t testing.TB, device string) *Listener {
	t.Helper()
	var conn *packet.Conn
	var ifi *net.Interface
	var err error
	n.Do(t, func() {
		if ifi, err = net.InterfaceByName(device); err == nil {
			conn, err = packet.Listen(ifi, packet.Raw, unix.ETH_P_ALL, nil)
		}
	})
	if err != nil {
		t.Fatalf("%s: listen on %s: %v", n.Name, device, err)
	}
	t.Cleanup(func() { conn.Close() })
	return &Listener{conn: conn, own: ifi.HardwareAddr}
}

// Next returns the next frame from another node, and ends the test when none
// has come within a second.
func (l *Listener) Next(t testing.TB) Frame {
	t.Helper()
	f, ok := l.Within(t, time.Second)
	if !ok {
		t.Fatal("no ARP packet or neighbour advertisement came within 1 s")
	}
	return f
}

// NextAbout returns the next frame that speaks for ip, and passes over others.
func (l *Listener) NextAbout(t testing.TB, ip netip.Addr) Frame {
	t.Helper()
	for {
		f := l.Next(t)
		if f.ARP != nil && f.ARP.SenderIP == ip || f.Advertisement != nil && f.Advertisement.TargetAddress == ip {
			return f
		}
	}
}

// Within returns the first frame that was there before the time was up.
func (l *Listener) Within(t testing.TB, limit time.Duration) (Frame, bool) {
	t.Helper()
	if err := l.conn.SetReadDeadline(time.Now().Add(limit)); err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, 2048)
	for {
		size, _, err := l.conn.ReadFrom(buffer)
		if err != nil {
			if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
				return Frame{}, false
			}
			t.Fatalf("read frame: %v", err)
		}
		if f, ok := decode(bytes.Clone(buffer[:size])); ok && !bytes.Equal(f.Source, l.own) {
			return f, true
		}
	}
}

func decode(b []byte) (Frame, bool) {
	var eth ethernet.Frame
	if eth.UnmarshalBinary(b) != nil {
		return Frame{}, false
	}
	f := Frame{Source: eth.Source, Destination: eth.Destination}
	switch eth.EtherType {
	case ethernet.EtherTypeARP:
		f.ARP = new(arp.Packet)
		return f, f.ARP.UnmarshalBinary(eth.Payload) == nil
	case ethernet.EtherTypeIPv6:
		ok := f.decodeAdvertisement(eth.Payload)
		return f, ok
	}
	return Frame{}, false
}

// headerIPv6 is the length of an IPv6 header (RFC 8200 section 3).
const headerIPv6 = 40

// decodeAdvertisement reads an IPv6 packet whose first header is ICMPv6, and
// wants its checksum right.
func (f *Frame) decodeAdvertisement(b []byte) bool {
	if len(b) < headerIPv6 || b[6] != unix.IPPROTO_ICMPV6 {
		return false
	}
	size := int(binary.BigEndian.Uint16(b[4:]))
	if len(b) < headerIPv6+size {
		return false
	}
	body := b[headerIPv6 : headerIPv6+size]
	message, err := ndp.ParseMessage(body)
	if err != nil {
		return false
	}
	var ok bool
	if f.Advertisement, ok = message.(*ndp.NeighborAdvertisement); !ok {
		return false
	}
	f.HopLimit = int(b[7])
	f.From, _ = netip.AddrFromSlice(b[8:24])
	f.To, _ = netip.AddrFromSlice(b[24:40])
	return checksumHolds(body, b[8:40])
}

// checksumHolds reports whether the ones' complement sum of a message, its
// checksum included, and its pseudo header is all ones (RFC 4443 section 2.3).
func checksumHolds(body, addresses []byte) bool {
	sum := uint32(len(body)) + unix.IPPROTO_ICMPV6
	for _, part := range [][]byte{addresses, body} {
		for i, b := range part {
			sum += uint32(b) << (8 * (1 - uint(i)%2))
		}
	}
	for sum>>16 != 0 {
		sum = sum&0xffff + sum>>16
	}
	return sum == 0xffff
}
