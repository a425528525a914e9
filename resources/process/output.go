package process

import (
	"bytes"
	"slices"
	"strings"
)

const (
	// MostOutput bounds what is kept of what a program says, in bytes. The longest
	// metadata of an agent of Debian 12 has 32 KB.
	MostOutput = 64 << 10
	// mostSaid bounds what of that goes into an error, in bytes.
	mostSaid = 200
)

// An Output keeps the beginning of what is written to it.
type Output struct{ bytes.Buffer }

func (o *Output) Write(p []byte) (int, error) {
	o.Buffer.Write(p[:min(len(p), max(0, MostOutput-o.Len()))])
	return len(p), nil
}

// LastLine is the last line of a text that says something, shortened to what an
// error can hold; empty for none.
func LastLine(text string) string {
	for _, line := range slices.Backward(strings.Split(text, "\n")) {
		line = strings.ToValidUTF8(strings.TrimSpace(line), "?")
		if line == "" {
			continue
		}
		if len(line) > mostSaid {
			line = strings.ToValidUTF8(line[:mostSaid], "") + "…"
		}
		return line
	}
	return ""
}

// ocfReason marks the line with the reason for a failure in what an OCF agent
// says (ocf_exit_reason of resource-agents' ocf-shellfuncs).
const ocfReason = "ocf-exit-reason:"

// Reason is why a program has failed, as far as it says so: the last line that it
// marks as such, or else the last one.
func Reason(text string) string {
	if at := strings.LastIndex(text, ocfReason); at >= 0 && (at == 0 || text[at-1] == '\n') {
		reason, _, _ := strings.Cut(text[at+len(ocfReason):], "\n")
		return LastLine(reason)
	}
	return LastLine(text)
}
