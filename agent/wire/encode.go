package wire

import "strconv"

// A Format is a form in which Append writes a message.
type Format int

const (
	Netstring     Format = iota // for datagrams: the digest in the tail only
	NetstringAuth               // the same with an auth field inside: what 3.0.6 sends by default
	Classic                     // lines, the digest in the auth field: for serial lines
)

// Append signs a message with the key that authkeys says to send with, appends
// it to dst in the given form and returns the longer slice. It does not
// allocate when dst has room.
//
// Fields called auth are left out: the authentication is made here, and comes
// last. Append panics if a field has a name that ValidName refuses or a type
// that does not exist, since both are constants of the program; no message that
// came out of Decode has either. The length is not checked: what is longer than
// MaxPacket no Decode will take.
//
// The classic form has no way to quote. A string whose value would not come
// through as one line is therefore written there as if it were binary, and
// arrives as binary: one with a newline, a NUL (at which C ends a string) or a
// carriage return (which 3.0.6 drops from what a serial line brings, IGNCR in
// its serial.c). So no value can add a line, and no two messages have the same
// text or digest but for this change of type. Fields of type Struct, List and
// Compressed are written as base64 too; 3.0.6 never writes these in classic
// form.
func (c *Codec) Append(dst []byte, m *Message, f Format) []byte {
	return c.AppendWithKey(dst, m, f, c.ring.send)
}

// AppendWithKey is Append with a key of another number, such as the one a peer
// signs with during a key roll (see LastKey). A number that the keyring does
// not have means the key to send with: authkeys may have been read again since
// the peer was heard.
func (c *Codec) AppendWithKey(dst []byte, m *Message, f Format, number int) []byte {
	if c.ring.key(number) == nil {
		number = c.ring.send
	}
	mustBeSound(m)
	switch f {
	case Netstring, NetstringAuth:
		return c.appendNetstring(dst, m, f == NetstringAuth, number)
	case Classic:
		return c.appendClassic(dst, m, number)
	}
	panic("wire: unknown format " + strconv.Itoa(int(f)))
}

func (c *Codec) appendNetstring(dst []byte, m *Message, inner bool, number int) []byte {
	start := len(dst)
	dst = append(dst, netstringStart...)
	for i := range m.Fields {
		if f := &m.Fields[i]; string(f.Name) != authName {
			dst = appendNetstringField(dst, f)
		}
	}
	if inner {
		c.text = appendLines(c.text[:0], m)
		c.digest = c.appendAuth(c.digest[:0], number, c.text)
		dst = appendNetstringField(dst, &Field{Name: []byte(authName), Value: c.digest})
	}
	dst = append(dst, netstringEnd...)
	c.digest = c.appendAuth(c.digest[:0], number, dst[start:])
	dst = strconv.AppendInt(dst, int64(len(c.digest)), 10)
	dst = append(dst, ':')
	dst = append(dst, c.digest...)
	return append(dst, ',')
}

func (c *Codec) appendClassic(dst []byte, m *Message, number int) []byte {
	dst = append(dst, classicStart...)
	start := len(dst)
	dst = appendLines(dst, m)
	lines := dst[start:]
	dst = append(dst, authName+"="...)
	dst = c.appendAuth(dst, number, lines)
	dst = append(dst, '\n')
	return append(dst, classicEnd...)
}

// appendAuth appends "NUMBER DIGEST" for a text.
func (c *Codec) appendAuth(dst []byte, number int, text []byte) []byte {
	dst = strconv.AppendInt(dst, int64(number), 10)
	dst = append(dst, ' ')
	return c.own[number].append(dst, text, nil)
}

// mustBeSound panics if the program made a message that has no encoding.
func mustBeSound(m *Message) {
	for i := range m.Fields {
		if f := &m.Fields[i]; !ValidName(f.Name) || f.Type > Compressed {
			panic("wire: cannot encode the field " + strconv.Quote(string(f.Name)) +
				" of type " + strconv.Itoa(int(f.Type)))
		}
	}
}
