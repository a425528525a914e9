package wire

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
)

// fuzzKeys are those of the vectors. With crc among them a fuzzer can, in
// principle, sign.
var fuzzKeys = []Key{{1, CRC, nil}, {2, SHA1, []byte("cle-secrete-2")}, {3, MD5, []byte("mot_de_passe")}}

// FuzzDecode feeds packets as they come from the network. None may panic, and
// whatever is accepted must survive being sent on.
func FuzzDecode(f *testing.F) {
	for _, v := range vectors(f) {
		f.Add(v.packet(f))
	}
	for _, packet := range []string{
		"", "###\n", "%%%\n", ">>>\n<<<\n", "###\n%%%\n10:1 ffffffff,", ">>>\nauth=1 ffffffff\n<<<\n\x00",
		"###\n99999999999999999999:(0)a=b,%%%\n0:,", "###\n8:(9)src=a,%%%\n34:3 x,",
	} {
		f.Add([]byte(packet))
	}
	codec := codecOf(f, 1, fuzzKeys...)
	f.Fuzz(func(t *testing.T, packet []byte) {
		var m Message
		if err := codec.Decode(packet, &m); err != nil {
			checkError(t, err, m)
			return
		}
		checkResend(t, m.Clone())
	})
}

// FuzzSigned reaches the parsers behind the digest: it signs any text as the
// fields of either form, and as the inside of a compressed message.
func FuzzSigned(f *testing.F) {
	for _, v := range vectors(f) {
		packet := v.packet(f)
		if v.format() == Classic {
			packet = bytes.TrimSuffix(bytes.TrimPrefix(packet, []byte(classicStart)), []byte(classicEnd))
		} else {
			packet = packet[len(netstringStart):bytes.LastIndex(packet, []byte(netstringEnd))]
		}
		f.Add(packet)
		if v.DecompressedHex != "" {
			f.Add(unhex(f, v.DecompressedHex))
		}
	}
	for _, fields := range []string{
		"8:(2)m=###,", "6:(0)a=1,6:(0)a=2,", "(1)a=Zh==\n", "auth=1 0\na=1\n", compressedFields("bz2", unhex(f, bz2Status)),
		">>>\na=1\n<<<\n", "###\n6:(0)a=1,%%%\n\x00",
	} {
		f.Add([]byte(fields))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		packets := [][]byte{
			sealNetstring(t, netstringStart+string(text)+netstringEnd),
			sealClassic(t, string(text)),
			sealNetstring(t, netstringStart+compressedFields("zlib", deflate(t, string(text)))+netstringEnd),
			sealNetstring(t, netstringStart+compressedFields("bz2", text)+netstringEnd),
		}
		for _, packet := range packets {
			var m Message
			if err := codecOf(t, 3, testKey).Decode(packet, &m); err != nil {
				checkError(t, err, m)
				continue
			}
			checkResend(t, m.Clone())
		}
	})
}

// FuzzFields makes messages of any names, values and types, for the encoder
// first and the parser after it.
func FuzzFields(f *testing.F) {
	for _, v := range vectors(f) {
		f.Add(pack(v.message(f)))
	}
	f.Add(pack(New("a", "x\nt=shutdone", "b", "\x00", "(1)c", "no name", "a", "%%%\n")))
	f.Fuzz(func(t *testing.T, data []byte) {
		m := unpack(data)
		m.Fields = slices.DeleteFunc(m.Fields, func(f Field) bool {
			return !ValidName(f.Name) || string(f.Name) == authName || string(f.Name) == payloadName
		})
		m.Fields = m.Fields[:min(len(m.Fields), MaxFields)]
		checkResend(t, m)
	})
}

// checkResend checks that a message arrives as it was sent, in each form, and
// that appending what arrived makes the same bytes.
func checkResend(t *testing.T, sent Message) {
	t.Helper()
	codec := codecOf(t, 1, fuzzKeys...)
	for _, key := range fuzzKeys {
		for _, f := range []Format{Netstring, NetstringAuth, Classic} {
			packet := codec.AppendWithKey(nil, &sent, f, key.Number)
			if len(packet) > MaxPacket {
				continue // only what was compressed can be that long
			}
			want := sent.Clone()
			if f == Classic {
				linesOnly(&want)
			}
			var got Message
			if err := codec.Decode(packet, &got); err != nil || !equal(got, want) {
				t.Fatalf("form %d, key %v: %v\n got %v\nwant %v\nin %q", f, key, err, got, want, packet)
			}
			if number, secret := codec.LastKey(); number != key.Number || secret != key.Number {
				t.Fatalf("LastKey %d, %d, want %d", number, secret, key.Number)
			}
			if again := codec.AppendWithKey(nil, &got, f, key.Number); !bytes.Equal(again, packet) {
				t.Fatalf("form %d, key %v:\n got %q\nwant %q", f, key, again, packet)
			}
		}
	}
}

// linesOnly makes binary what the classic form cannot carry as a string.
func linesOnly(m *Message) {
	for i := range m.Fields {
		if f := &m.Fields[i]; f.Type == String && bytes.ContainsAny(f.Value, "\n\r\x00") {
			f.Type = Binary
		}
	}
}

func checkError(t *testing.T, err error, m Message) {
	t.Helper()
	switch reason(err) {
	case BadSignature, UnknownKey, Malformed, Oversize:
	default:
		t.Fatalf("a reason outside the set: %v", err)
	}
	if len(m.Fields) != 0 {
		t.Fatalf("refused with %v, but left %v", err, m)
	}
}

// pack and unpack are a way to write any message, or anything, as bytes: per
// field its type, the length of its name, the name, two bytes of length, the
// value.
func pack(m Message) []byte {
	var b []byte
	for _, f := range m.Fields {
		b = fmt.Appendf(b, "%c%c%s%c%c%s", rune(f.Type), rune(len(f.Name)), f.Name, rune(len(f.Value)>>7), rune(len(f.Value)&0x7f), f.Value)
	}
	return b
}

func unpack(b []byte) (m Message) {
	next := func(n int) []byte {
		n = min(n, len(b))
		var part []byte
		part, b = cut(b, n)
		return part
	}
	number := func() int {
		if part := next(1); len(part) == 1 {
			return int(part[0] & 0x7f)
		}
		return 0
	}
	for len(b) > 0 {
		f := Field{Type: FieldType(number() % (int(Compressed) + 1))}
		f.Name = next(number())
		f.Value = next(number()<<7 | number())
		m.Fields = append(m.Fields, f)
	}
	return m
}
