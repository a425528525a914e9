package wire

import (
	"math"
	"slices"
)

// A FieldType says how the value of a field is written. The digit in the packet
// is '0' plus the type.
type FieldType byte

const (
	String     FieldType = iota // bytes as they are
	Binary                      // raw in netstring form, base64 in classic form
	Struct                      // a nested message; kept as the bytes it came in
	List                        // a list of strings; likewise
	Compressed                  // a compressed nested message; likewise
)

// A Field is one name and its value.
type Field struct {
	Name, Value []byte
	Type        FieldType
}

// A Message is an ordered list of fields. A name may occur more than once; the
// methods that take a name mean its first occurrence, as Heartbeat does.
//
// The zero Message is empty and ready to use.
type Message struct {
	Fields []Field
}

// New makes a message of string fields from names and values in turn. It
// panics if a name has no value.
func New(kv ...string) Message {
	if len(kv)%2 != 0 {
		panic("wire: New: a name without a value")
	}
	m := Message{Fields: make([]Field, 0, len(kv)/2)}
	for i := 0; i < len(kv); i += 2 {
		m.Fields = append(m.Fields, field(kv[i], kv[i+1]))
	}
	return m
}

// field is a string field, whose name and value are one piece of memory: of a
// heartbeat there are dozens.
func field(name, value string) Field {
	both := make([]byte, len(name)+len(value))
	copy(both, name)
	copy(both[len(name):], value)
	return Field{Name: both[:len(name):len(name)], Value: both[len(name):]}
}

// Grow makes room for so many more fields.
func (m *Message) Grow(fields int) { m.Fields = slices.Grow(m.Fields, fields) }

// ValidName reports whether a field can have this name: at least one byte, no
// control character, no '=', and none of '(', '<', '>' in front, with which
// the classic form starts a type, its end and its beginning. Decode refuses
// other names and Append panics on them.
func ValidName(name []byte) bool {
	if len(name) == 0 || name[0] == '(' || name[0] == '<' || name[0] == '>' {
		return false
	}
	for _, b := range name {
		if b < ' ' || b == '=' || b == 0x7f {
			return false
		}
	}
	return true
}

// Reset empties the message and keeps the room it has for fields.
func (m *Message) Reset() { m.Fields = m.Fields[:0] }

// Get returns the value of a field, of whatever type, or nil when there is no
// such field. An empty value is not nil.
func (m *Message) Get(name string) []byte {
	if i := m.index(name); i >= 0 {
		return m.Fields[i].Value
	}
	return nil
}

// Has reports whether there is a field of that name.
func (m *Message) Has(name string) bool { return m.index(name) >= 0 }

// Set gives a field a string value, in its place if there is one of that name,
// at the end if not. Bytes the old value shared with others are not touched.
func (m *Message) Set(name, value string) {
	if i := m.index(name); i >= 0 {
		m.Fields[i].Value, m.Fields[i].Type = []byte(value), String
		return
	}
	m.Fields = append(m.Fields, field(name, value))
}

// SetBinary is Set for a binary value, which it copies.
func (m *Message) SetBinary(name string, value []byte) {
	value = append([]byte{}, value...)
	if i := m.index(name); i >= 0 {
		m.Fields[i].Value, m.Fields[i].Type = value, Binary
		return
	}
	m.Fields = append(m.Fields, Field{Name: []byte(name), Value: value, Type: Binary})
}

// Delete removes the first field of that name, if there is one.
func (m *Message) Delete(name string) {
	if i := m.index(name); i >= 0 {
		m.Fields = append(m.Fields[:i], m.Fields[i+1:]...)
	}
}

// Clone returns a copy that shares no bytes with m: a decoded message must be
// cloned to outlive its packet.
func (m *Message) Clone() Message {
	size := 0
	for _, f := range m.Fields {
		size += len(f.Name) + len(f.Value)
	}
	own := make([]byte, 0, size)
	keep := func(b []byte) []byte {
		own = append(own, b...)
		return own[len(own)-len(b) : len(own) : len(own)]
	}
	c := Message{Fields: make([]Field, len(m.Fields))}
	for i, f := range m.Fields {
		c.Fields[i] = Field{Name: keep(f.Name), Value: keep(f.Value), Type: f.Type}
	}
	return c
}

// Hex returns the value of a field that holds a hexadecimal number without
// prefix, such as seq, hg, ts and dt. It is false when there is no such field
// or when it is empty, holds anything else, or does not fit.
func (m *Message) Hex(name string) (uint64, bool) { return parseUint(m.Get(name), 16) }

// Decimal is Hex for a field that holds a decimal number: ttl, protocol, and
// the firstseq and lastseq of NS_rexmit.
func (m *Message) Decimal(name string) (uint64, bool) { return parseUint(m.Get(name), 10) }

func (m *Message) index(name string) int {
	for i := range m.Fields {
		if string(m.Fields[i].Name) == name {
			return i
		}
	}
	return -1
}

// parseUint reads a number that is nothing but digits of base 10 or 16.
func parseUint(b []byte, base uint64) (n uint64, ok bool) {
	for _, c := range b {
		digit := base
		switch {
		case c >= '0' && c <= '9':
			digit = uint64(c - '0')
		case c >= 'a' && c <= 'f':
			digit = uint64(c-'a') + 10
		case c >= 'A' && c <= 'F':
			digit = uint64(c-'A') + 10
		}
		if digit >= base || n > (math.MaxUint64-digit)/base {
			return 0, false
		}
		n = n*base + digit
	}
	return n, len(b) > 0
}
