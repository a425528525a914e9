package wire

import (
	"bytes"
	"encoding/base64"
	"slices"
)

const classicStart, classicEnd = ">>>\n", "<<<\n"

// appendLines appends the lines of the classic form that its digest covers.
func appendLines(dst []byte, m *Message) []byte {
	for i := range m.Fields {
		if f := &m.Fields[i]; string(f.Name) != authName {
			dst = appendLine(dst, f)
			dst = append(dst, '\n')
		}
	}
	return dst
}

func appendLine(dst []byte, f *Field) []byte {
	if f.Type == String && isLine(f.Value) {
		dst = append(dst, f.Name...)
		dst = append(dst, '=')
		return append(dst, f.Value...)
	}
	t := max(f.Type, Binary)
	dst = append(dst, '(', '0'+byte(t), ')')
	dst = append(dst, f.Name...)
	dst = append(dst, '=')
	return base64.StdEncoding.AppendEncode(dst, f.Value)
}

// isLine reports whether a value comes through as part of a line.
func isLine(value []byte) bool {
	return bytes.IndexByte(value, '\n') < 0 &&
		bytes.IndexByte(value, '\r') < 0 &&
		bytes.IndexByte(value, 0) < 0
}

// classicLines returns what stands between >>> and <<<: whole lines.
func classicLines(text []byte) ([]byte, bool) {
	text = bytes.TrimSuffix(text, []byte{0})
	lines, started := bytes.CutPrefix(text, []byte(classicStart))
	lines, ended := bytes.CutSuffix(lines, []byte(classicEnd))
	return lines, started && ended && (len(lines) == 0 || lines[len(lines)-1] == '\n')
}

// cutAuth cuts the first auth line out. Heartbeat writes it last, but takes it
// anywhere.
func cutAuth(lines []byte) (before, auth, after []byte, ok bool) {
	start := 0
	if !bytes.HasPrefix(lines, []byte(authName+"=")) {
		start = bytes.Index(lines, []byte("\n"+authName+"=")) + 1
		if start == 0 {
			return nil, nil, nil, false
		}
	}
	before, line := cut(lines, start)
	line, after, _ = bytes.Cut(line, []byte("\n"))
	return before, line[len(authName)+1:], after, true
}

// parseLines adds the fields of the lines of a classic form.
func (c *Codec) parseLines(lines []byte, into *Message) error {
	c.plain = slices.Grow(c.plain[:0], len(lines)) // once, for all values
	for len(lines) > 0 {
		var line []byte
		line, lines, _ = bytes.Cut(lines, []byte("\n"))
		t := String
		if len(line) >= 3 && line[0] == '(' && line[2] == ')' {
			if !isType(line[1]) || line[1] == '0' {
				return errType
			}
			t, line = FieldType(line[1]-'0'), line[3:]
		}
		name, value, ok := cutName(line)
		if !ok {
			return errName
		}
		if !isLine(value) {
			return errValue
		}
		if t != String {
			if value, ok = c.unbase64(value); !ok {
				return errValue
			}
		}
		if err := add(into, name, value, t); err != nil {
			return err
		}
	}
	return nil
}

var strictBase64 = base64.StdEncoding.Strict()

func (c *Codec) unbase64(text []byte) (value []byte, ok bool) {
	start := len(c.plain)
	plain, err := strictBase64.AppendDecode(c.plain, text)
	if err != nil {
		return nil, false
	}
	c.plain = plain
	return plain[start:len(plain):len(plain)], true
}
