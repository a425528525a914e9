package wire

import (
	"encoding/hex"
	"strconv"
)

// Longest value String shows in full, in bytes. The longest of Heartbeat's own,
// the node list of a large cluster, is rarely seen; a UUID has 16.
const (
	maxShownString = 256
	maxShownBinary = 64
)

// String returns the message as one line for logs and transcripts:
// name=value with blanks between, in order, without the auth field. A value
// that is not plain printable ASCII without blanks, quotes and equal signs is
// quoted as Go quotes strings; one that is not a string (a UUID) is written as
// hexadecimal digits. What is left out of a long value is counted.
func (m Message) String() string {
	var line []byte
	for _, f := range m.Fields {
		if string(f.Name) == authName {
			continue
		}
		if len(line) > 0 {
			line = append(line, ' ')
		}
		line = appendShown(line, f.Name)
		line = append(line, '=')
		if f.Type == String {
			value, rest := cutLong(f.Value, maxShownString)
			line = appendShown(line, value)
			line = appendRest(line, rest)
		} else {
			value, rest := cutLong(f.Value, maxShownBinary)
			line = hex.AppendEncode(line, value)
			line = appendRest(line, rest)
		}
	}
	return string(line)
}

func cutLong(value []byte, limit int) (shown []byte, rest int) {
	if len(value) <= limit {
		return value, 0
	}
	return value[:limit], len(value) - limit
}

func appendRest(line []byte, rest int) []byte {
	if rest == 0 {
		return line
	}
	line = append(line, "…+"...)
	return strconv.AppendInt(line, int64(rest), 10)
}

func appendShown(line, text []byte) []byte {
	for _, b := range text {
		if b <= ' ' || b >= 0x7f || b == '"' || b == '\\' || b == '=' {
			return strconv.AppendQuoteToASCII(line, string(text))
		}
	}
	return append(line, text...)
}
