package replay

import (
	"bytes"
	"encoding/binary"
	"os"
	"strings"
	"testing"
	"time"
)

// capture writes a file of one frame at 1.5 s.
func capture(order binary.ByteOrder, magic uint32, fraction uint32, frame []byte) []byte {
	b := make([]byte, pcapHeader+frameHeader)
	order.PutUint32(b, magic)
	order.PutUint16(b[4:], 2)
	order.PutUint16(b[6:], 4)
	order.PutUint32(b[16:], maxFrame)
	order.PutUint32(b[20:], ethernet)
	order.PutUint32(b[24:], 1)
	order.PutUint32(b[28:], fraction)
	order.PutUint32(b[32:], uint32(len(frame)))
	order.PutUint32(b[36:], uint32(len(frame)))
	return append(b, frame...)
}

// frame is a UDP datagram in Ethernet.
func frame(payload string) []byte {
	b := make([]byte, etherHeader+20+udpHeader, etherHeader+20+udpHeader+len(payload))
	binary.BigEndian.PutUint16(b[12:], etherIPv4)
	ip := b[etherHeader:]
	ip[0], ip[9] = 4<<4|5, protoUDP
	binary.BigEndian.PutUint16(ip[2:], uint16(20+udpHeader+len(payload)))
	binary.BigEndian.PutUint16(ip[20+4:], uint16(udpHeader+len(payload)))
	return append(b, payload...)
}

func TestReadPcap(t *testing.T) {
	little, big := binary.LittleEndian, binary.BigEndian
	good := capture(little, microseconds, 500000, frame("beat"))
	changed := func(at int, to byte) []byte {
		b := bytes.Clone(good)
		b[at] = to
		return b
	}
	tests := []struct {
		name  string
		file  []byte
		error string // part of it; empty for none
	}{
		{"microseconds, little endian", good, ""},
		{"microseconds, big endian", capture(big, microseconds, 500000, frame("beat")), ""},
		{"nanoseconds, little endian", capture(little, nanoseconds, 500000000, frame("beat")), ""},
		{"nothing at all", nil, "no header"},
		{"a header cut short", good[:pcapHeader-1], "no header"},
		{"another kind of file", changed(0, 0x0a), "magic"},
		{"a capture of another kind of network", changed(20, 113), "not Ethernet"},
		{"the header of a frame cut short", good[:pcapHeader+frameHeader-1], "15 bytes of a header"},
		{"a frame cut short", good[:len(good)-1], "frame 0 has"},
		{"a frame longer than any", changed(pcapHeader+11, 0xff), "frame 0 has"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			frames, err := ReadPcap(tt.file)
			if tt.error != "" {
				if err == nil || !strings.Contains(err.Error(), tt.error) {
					t.Errorf("error %v, want one about %q", err, tt.error)
				}
				return
			}
			if err != nil || len(frames) != 1 {
				t.Fatalf("%d frames, %v", len(frames), err)
			}
			d, ok := frames[0].Datagram()
			if got, want := d.At, time.Unix(1, 500000000).UTC(); !ok || !got.Equal(want) || string(d.Payload) != "beat" {
				t.Errorf("read %q at %v, want beat at %v", d.Payload, got, want)
			}
		})
	}
}

func TestWhatIsNoDatagram(t *testing.T) {
	for name, change := range map[string]func([]byte) []byte{
		"ARP":                           func(b []byte) []byte { b[13] = 6; return b },
		"IP version 6 in a frame of 4":  func(b []byte) []byte { b[etherHeader] = 6<<4 | 5; return b },
		"a header shorter than any":     func(b []byte) []byte { b[etherHeader] = 4<<4 | 4; return b },
		"a header longer than the rest": func(b []byte) []byte { b[etherHeader] = 4<<4 | 15; return b },
		"TCP":                           func(b []byte) []byte { b[etherHeader+9] = 6; return b },
		"the first fragment":            func(b []byte) []byte { b[etherHeader+6] = 0x20; return b },
		"a later fragment":              func(b []byte) []byte { b[etherHeader+7] = 1; return b },
		"a packet cut short":            func(b []byte) []byte { return b[:len(b)-1] },
		"a length beyond the packet":    func(b []byte) []byte { b[etherHeader+20+5]++; return b },
		"a length below its own header": func(b []byte) []byte { b[etherHeader+20+5] = 7; return b },
		"a frame of one byte":           func(b []byte) []byte { return b[:1] },
	} {
		if d, ok := (Frame{Bytes: change(frame("beat"))}).Datagram(); ok {
			t.Errorf("%s: read %q", name, d.Payload)
		}
	}
}

// FuzzReadPcap holds that whatever is read was there: the frames and their
// headers are the whole file, and a datagram lies within its frame.
func FuzzReadPcap(f *testing.F) {
	f.Add(capture(binary.LittleEndian, microseconds, 500000, frame("beat")))
	f.Add(capture(binary.BigEndian, nanoseconds, 500000, frame("")))
	if real, err := os.ReadFile("testdata/ucast.pcap"); err == nil {
		f.Add(real[:1024])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		frames, err := ReadPcap(b)
		if err != nil {
			return
		}
		size := pcapHeader
		for _, fr := range frames {
			size += frameHeader + len(fr.Bytes)
			if d, ok := fr.Datagram(); ok && !bytes.Contains(fr.Bytes, d.Payload) {
				t.Errorf("a datagram %q that is not in its frame %q", d.Payload, fr.Bytes)
			}
		}
		if size != len(b) {
			t.Errorf("read %d of %d bytes", size, len(b))
		}
	})
}
