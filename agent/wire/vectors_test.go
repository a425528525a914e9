package wire

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// A vector is a message captured from Heartbeat 3.0.6 (Debian 12). The keys
// were made for the capture.
type vector struct {
	Name       string
	Msgfmt     string // form on the wire: netstring, classic
	AuthMethod Method `json:"auth_method"`
	AuthNumber int    `json:"auth_number"`
	AuthKey    string `json:"auth_key"`
	Hex        string
	Fields     map[string]json.RawMessage // a string, or {"type":1,"hex":…}
	FieldOrder []string                   `json:"field_order"`
	Digests    map[string]any             // "tail", "inner" or both

	DecompressedHex string `json:"decompressed_hex"` // the message inside a compressed one
}

func vectors(t testing.TB) []vector {
	t.Helper()
	text, err := os.ReadFile("testdata/messages.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []vector
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

func (v *vector) packet(t testing.TB) []byte { return unhex(t, v.Hex) }

// format is the form the vector was captured in.
func (v *vector) format() Format {
	if v.Msgfmt == "classic" {
		return Classic
	}
	if _, inner := v.Digests["inner"]; inner {
		return NetstringAuth
	}
	return Netstring
}

func (v *vector) codec(t testing.TB) *Codec {
	return codecOf(t, v.AuthNumber, Key{v.AuthNumber, v.AuthMethod, []byte(v.AuthKey)})
}

// message is what the vector file says is in the packet, less the auth field.
func (v *vector) message(t testing.TB) Message {
	t.Helper()
	if v.DecompressedHex != "" {
		return readClassic(t, unhex(t, v.DecompressedHex))
	}
	var m Message
	for _, name := range v.FieldOrder {
		var text string
		var binary struct {
			Type FieldType
			Hex  string
		}
		switch {
		case name == "auth":
		case json.Unmarshal(v.Fields[name], &text) == nil:
			m.Set(name, text)
		case json.Unmarshal(v.Fields[name], &binary) == nil && binary.Type == Binary:
			m.SetBinary(name, unhex(t, binary.Hex))
		default:
			t.Fatalf("%s: cannot read the field %s of the vector", v.Name, name)
		}
	}
	return m
}

// readClassic reads the strings of a classic form the plain way.
func readClassic(t testing.TB, text []byte) Message {
	t.Helper()
	var m Message
	for line := range strings.Lines(strings.Trim(string(text), "\x00")) {
		line = strings.TrimSuffix(line, "\n")
		name, value, ok := strings.Cut(line, "=")
		switch {
		case line == ">>>" || line == "<<<" || name == "auth":
		case ok && strings.HasPrefix(name, "(1)"):
			m.SetBinary(name[3:], unbase64(t, value))
		case ok:
			m.Set(name, value)
		default:
			t.Fatalf("cannot read the line %q", line)
		}
	}
	return m
}

func TestVectorsDecodeToTheirFields(t *testing.T) {
	for _, v := range vectors(t) {
		var got Message
		if err := v.codec(t).Decode(v.packet(t), &got); err != nil {
			t.Errorf("%s: %v", v.Name, err)
			continue
		}
		if want := v.message(t); !equal(got, want) {
			t.Errorf("%s:\n got %v\nwant %v", v.Name, got, want)
		}
	}
}

func TestVectorsEncodeToTheirBytes(t *testing.T) {
	encoded := 0
	for _, v := range vectors(t) {
		if v.DecompressedHex != "" {
			continue // another compressor makes other bytes
		}
		var m Message
		codec := v.codec(t)
		if err := codec.Decode(v.packet(t), &m); err != nil {
			t.Errorf("%s: %v", v.Name, err)
			continue
		}
		if got, want := codec.Append(nil, &m, v.format()), v.packet(t); !bytes.Equal(got, want) {
			t.Errorf("%s:\n got %q\nwant %q", v.Name, got, want)
		}
		encoded++
	}
	if encoded < 120 {
		t.Errorf("encoded %d vectors, want at least 120", encoded)
	}
}

// Every bit of a packet is covered by its digest, or is the digest.
func TestVectorsWithOneByteChangedAreRefused(t *testing.T) {
	for _, v := range vectors(t) {
		codec, packet := v.codec(t), v.packet(t)
		for i := range packet {
			packet[i] ^= 1
			var m Message
			if err := codec.Decode(packet, &m); err == nil {
				t.Errorf("%s: accepted with byte %d changed: %q", v.Name, i, packet)
			} else if len(m.Fields) != 0 {
				t.Errorf("%s: refused with byte %d changed, but left %v", v.Name, i, m)
			}
			packet[i] ^= 1
		}
	}
}

// A packet cut short anywhere is refused; so is one with anything behind it,
// except a classic one with a NUL, as 3.0.6 sends them by datagram.
func TestVectorsCutOrLengthenedAreRefused(t *testing.T) {
	for _, v := range vectors(t) {
		codec, packet := v.codec(t), v.packet(t)
		var m Message
		for n := range packet {
			if codec.Decode(packet[:n], &m) == nil {
				t.Errorf("%s: accepted the first %d of %d bytes", v.Name, n, len(packet))
			}
		}
		for _, tail := range []string{"\n", "x", ",", "\x00", "\x00\x00", string(packet)} {
			err := codec.Decode(append(bytes.Clone(packet), tail...), &m)
			want := v.format() == Classic && tail == "\x00"
			if got := err == nil; got != want {
				t.Errorf("%s with %q behind it: accepted %v, want %v", v.Name, tail, got, want)
			}
		}
	}
}

func codecOf(t testing.TB, send int, keys ...Key) *Codec {
	t.Helper()
	ring, err := NewKeyring(send, keys)
	if err != nil {
		t.Fatal(err)
	}
	return ring.NewCodec()
}

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func equal(a, b Message) bool {
	if len(a.Fields) != len(b.Fields) {
		return false
	}
	for i, f := range a.Fields {
		g := b.Fields[i]
		if f.Type != g.Type || !bytes.Equal(f.Name, g.Name) || !bytes.Equal(f.Value, g.Value) {
			return false
		}
	}
	return true
}
