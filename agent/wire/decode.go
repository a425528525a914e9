package wire

import "bytes"

// Decode verifies one packet and fills a message with its fields. It takes the
// netstring form, with or without an auth field inside, and the classic form,
// with or without a NUL at the end; nothing may stand behind either. A
// compressed message (zlib, bz2) is replaced by the one inside it.
//
// The packet must be authentic: its tail in the netstring form, its auth field
// in the classic form, must verify. A packet that names key number N is right
// if its digest is that of key N. It is also right if its digest is that of the
// method of key N with the secret of our own sending key, because this is how
// 3.0.6 computes what it compares with; crc has no secret and takes no part in
// this. LastKey tells which it was.
//
// Fields called auth are not among those returned: they speak about the packet,
// not the message, and Append makes its own. All others come in their order,
// repeated names included. Names and values share the bytes of the packet, or
// of the codec, and hold until the packet is overwritten or the codec decodes
// again: Clone what is to be kept.
//
// Every error is an *Error prepared in advance; the message is then empty.
// Refusing a packet that is not authentic does not allocate.
func (c *Codec) Decode(packet []byte, into *Message) error {
	into.Reset()
	err := c.open(packet, into)
	if err == nil && into.Has(payloadName) {
		err = c.inflate(into)
	}
	if err != nil {
		into.Reset()
	}
	return err
}

func (c *Codec) open(packet []byte, into *Message) error {
	switch {
	case len(packet) > MaxPacket:
		return errPacketLong
	case bytes.HasPrefix(packet, []byte(netstringStart)):
		return c.openNetstring(packet, into)
	case bytes.HasPrefix(packet, []byte(classicStart)):
		return c.openClassic(packet, into)
	}
	return errStart
}

// maxTail bounds where the %%% of a packet can be: the tail of sha512 with a
// key number of two digits is "131:15 ", 128 digits and a comma.
const maxTail = 7 + 128 + 1

func (c *Codec) openNetstring(packet []byte, into *Message) error {
	from := max(0, len(packet)-maxTail-len(netstringEnd))
	at := bytes.LastIndex(packet[from:], []byte(netstringEnd))
	if at < 0 {
		return errNoTail
	}
	covered, tail := cut(packet, from+at+len(netstringEnd))
	auth, rest, ok := cutNetstring(tail)
	if !ok || len(rest) > 0 {
		return errTail
	}
	if err := c.verify(auth, covered, nil); err != nil {
		return err
	}
	return parseNetstring(covered, into)
}

func (c *Codec) openClassic(packet []byte, into *Message) error {
	lines, ok := classicLines(packet)
	if !ok {
		return errNoEnd
	}
	before, auth, after, ok := cutAuth(lines)
	if !ok {
		return errNoAuth
	}
	if err := c.verify(auth, before, after); err != nil {
		return err
	}
	return c.parseLines(lines, into)
}

// add adds one field, unless it is an authentication.
func add(into *Message, name, value []byte, t FieldType) error {
	if string(name) == authName {
		return nil
	}
	if len(into.Fields) == MaxFields {
		return errFields
	}
	into.Fields = append(into.Fields, Field{Name: name, Value: value, Type: t})
	return nil
}

// cutName splits "NAME=VALUE".
func cutName(text []byte) (name, value []byte, ok bool) {
	at := bytes.IndexByte(text, '=')
	if at < 0 || !ValidName(text[:at]) {
		return nil, nil, false
	}
	return text[:at:at], text[at+1 : len(text) : len(text)], true
}

// isType reports whether a digit is a type that travels.
func isType(digit byte) bool { return digit >= '0' && digit <= '0'+byte(Compressed) }

// cut splits b at i so that appending to the first part copies it.
func cut(b []byte, i int) (before, after []byte) { return b[:i:i], b[i:] }
