package replay

import (
	"encoding/binary"
	"fmt"
	"time"
)

// A Frame is one captured Ethernet frame.
type Frame struct {
	At    time.Time
	Bytes []byte
}

// The limits and magic numbers of a capture file.
const (
	pcapHeader   = 24
	frameHeader  = 16
	ethernet     = 1       // LINKTYPE_ETHERNET
	maxFrame     = 1 << 18 // what tcpdump keeps of a frame at most
	microseconds = 0xa1b2c3d4
	nanoseconds  = 0xa1b23c4d
)

// ReadPcap reads a capture in the classic format, of either byte order, with
// microseconds or nanoseconds. The frames share the bytes of b. It refuses
// captures of anything but Ethernet, and those that end within a frame.
//
// Source: draft-ietf-opsawg-pcap.
func ReadPcap(b []byte) ([]Frame, error) {
	if len(b) < pcapHeader {
		return nil, fmt.Errorf("pcap: %d bytes are no header", len(b))
	}
	order, unit, err := byteOrder(b)
	if err != nil {
		return nil, err
	}
	if link := order.Uint32(b[20:]) & 0xffff; link != ethernet {
		return nil, fmt.Errorf("pcap: link type %d is not Ethernet", link)
	}
	var frames []Frame
	for rest := b[pcapHeader:]; len(rest) > 0; {
		if len(rest) < frameHeader {
			return nil, fmt.Errorf("pcap: frame %d has %d bytes of a header", len(frames), len(rest))
		}
		seconds, fraction := order.Uint32(rest), order.Uint32(rest[4:])
		kept := order.Uint32(rest[8:])
		rest = rest[frameHeader:]
		if kept > maxFrame || int(kept) > len(rest) {
			return nil, fmt.Errorf("pcap: frame %d has %d of %d bytes", len(frames), len(rest), kept)
		}
		at := time.Unix(int64(seconds), int64(fraction)*int64(unit)).UTC()
		frames = append(frames, Frame{at, rest[:kept:kept]})
		rest = rest[kept:]
	}
	return frames, nil
}

// byteOrder reads the magic number: the order of the file's numbers and the
// unit of its fractions of seconds.
func byteOrder(b []byte) (binary.ByteOrder, time.Duration, error) {
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		switch order.Uint32(b) {
		case microseconds:
			return order, time.Microsecond, nil
		case nanoseconds:
			return order, time.Nanosecond, nil
		}
	}
	return nil, 0, fmt.Errorf("pcap: unknown magic number %x", b[:4])
}

// A Datagram is a UDP datagram.
type Datagram struct {
	At      time.Time
	Payload []byte // shares the bytes of the frame
}

// The numbers of what a Datagram comes from (RFC 894, RFC 791, RFC 768).
const (
	etherHeader = 14
	etherIPv4   = 0x0800
	protoUDP    = 17
	udpHeader   = 8
)

// Datagram reads what a frame carries. It is false for all but whole UDP
// datagrams by IPv4; a fragment is none.
func (f Frame) Datagram() (Datagram, bool) {
	if len(f.Bytes) < etherHeader+20 || binary.BigEndian.Uint16(f.Bytes[12:]) != etherIPv4 {
		return Datagram{}, false
	}
	ip := f.Bytes[etherHeader:]
	header, total := int(ip[0]&15)*4, int(binary.BigEndian.Uint16(ip[2:]))
	fragment := binary.BigEndian.Uint16(ip[6:])&0x3fff != 0
	if ip[0]>>4 != 4 || header < 20 || total < header+udpHeader || total > len(ip) || fragment || ip[9] != protoUDP {
		return Datagram{}, false
	}
	udp := ip[header:total]
	length := int(binary.BigEndian.Uint16(udp[4:]))
	if length < udpHeader || length > len(udp) {
		return Datagram{}, false
	}
	return Datagram{At: f.At, Payload: udp[udpHeader:length:length]}, true
}
