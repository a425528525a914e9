package wire

import (
	"bytes"
	"strconv"
)

const netstringStart, netstringEnd = "###\n", "%%%\n"

func appendNetstringField(dst []byte, f *Field) []byte {
	dst = strconv.AppendInt(dst, int64(len("(0)=")+len(f.Name)+len(f.Value)), 10)
	dst = append(dst, ':', '(', '0'+byte(f.Type), ')')
	dst = append(dst, f.Name...)
	dst = append(dst, '=')
	dst = append(dst, f.Value...)
	return append(dst, ',')
}

// parseNetstring adds the fields of a netstring form without tail.
func parseNetstring(text []byte, into *Message) error {
	fields, ok := bytes.CutPrefix(text, []byte(netstringStart))
	if !ok {
		return errStart
	}
	fields, ok = bytes.CutSuffix(fields, []byte(netstringEnd))
	if !ok {
		return errNoTail
	}
	for len(fields) > 0 {
		var field []byte
		if field, fields, ok = cutNetstring(fields); !ok {
			return errLength
		}
		if len(field) < 3 || field[0] != '(' || field[2] != ')' || !isType(field[1]) {
			return errType
		}
		name, value, ok := cutName(field[3:])
		if !ok {
			return errName
		}
		if err := add(into, name, value, FieldType(field[1]-'0')); err != nil {
			return err
		}
	}
	return nil
}

// cutNetstring cuts "LEN:" LEN bytes "," off the front. LEN has no leading zero.
func cutNetstring(text []byte) (content, rest []byte, ok bool) {
	word, _, ok := bytes.Cut(text[:min(len(text), len("2097152:"))], []byte(":"))
	length, isNumber := parseUint(word, 10)
	if !ok || !isNumber || word[0] == '0' && len(word) > 1 {
		return nil, nil, false
	}
	rest = text[len(word)+1:]
	if length >= uint64(len(rest)) || rest[length] != ',' {
		return nil, nil, false
	}
	content, rest = cut(rest, int(length))
	return content, rest[1:], true
}
