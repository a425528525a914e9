package config

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Severity says what follows from a Diagnostic.
type Severity int

const (
	Error   Severity = iota // the configuration cannot be run
	Warning                 // it runs, but not as somebody may expect
	Note                    // it runs, and this is worth knowing
)

func (s Severity) String() string {
	switch s {
	case Error:
		return "error"
	case Warning:
		return "warning"
	}
	return "note"
}

// A Diagnostic is one thing to say about one place in the configuration.
type Diagnostic struct {
	Severity Severity
	File     string // "ha.cf", without its folder
	Line     int    // from 1; 0 for what concerns the file as a whole
	Word     string // the directive or resource; "" where there is none to name
	Text     string // what is wrong, lower case, no full stop
	Hint     string // what to write instead; "" if there is nothing to say
}

// String is one line in the form compilers use, so that editors find the place:
//
//	ha.cf:5: logacility: unknown directive, did you mean logfacility?
//	ha.cf: warning: auto_failback: not set, ...
func (d Diagnostic) String() string {
	var b strings.Builder
	b.WriteString(d.File)
	if d.Line > 0 {
		fmt.Fprintf(&b, ":%d", d.Line)
	}
	b.WriteString(": ")
	if d.Severity != Error {
		b.WriteString(d.Severity.String() + ": ")
	}
	if d.Word != "" {
		b.WriteString(printable(d.Word) + ": ")
	}
	b.WriteString(d.Text)
	if d.Hint != "" {
		separator := "; "
		if strings.HasSuffix(d.Hint, "?") {
			separator = ", "
		}
		b.WriteString(separator + d.Hint)
	}
	return b.String()
}

// order is the place in the file; what concerns the file as a whole comes last.
func (d Diagnostic) order() int {
	if d.Line == 0 {
		return math.MaxInt
	}
	return d.Line
}

// Diagnostics is everything there is to say about a configuration.
type Diagnostics []Diagnostic

// Count is the number of diagnostics of one severity.
func (ds Diagnostics) Count(s Severity) int {
	n := 0
	for _, d := range ds {
		if d.Severity == s {
			n++
		}
	}
	return n
}

// Err is nil unless there are errors; then it is an error that lists them, a
// line each.
func (ds Diagnostics) Err() error {
	if ds.Count(Error) == 0 {
		return nil
	}
	errs := slices.DeleteFunc(slices.Clone(ds), func(d Diagnostic) bool { return d.Severity != Error })
	return errors.New(strings.TrimSuffix(errs.String(), "\n"))
}

// String is a line for each diagnostic.
func (ds Diagnostics) String() string {
	var b strings.Builder
	for _, d := range ds {
		b.WriteString(d.String() + "\n")
	}
	return b.String()
}

// readingOrder is the order of the files in a report: the cluster, what it
// runs, what protects it, and what is systole's own.
var readingOrder = []string{HaCf, Haresources, Authkeys, SystoleYAML}

// Sort orders by file, by line and, on one line, by severity. Equals keep their
// order.
func (ds Diagnostics) Sort() {
	slices.SortStableFunc(ds, func(a, b Diagnostic) int {
		return cmp.Or(
			cmp.Compare(slices.Index(readingOrder, a.File), slices.Index(readingOrder, b.File)),
			cmp.Compare(a.order(), b.order()),
			cmp.Compare(a.Severity, b.Severity),
		)
	})
}

// maxReports bounds the diagnostics of one severity about one file: whoever has
// a hundred errors has the wrong file.
const maxReports = 100

// A reporter collects the diagnostics of one file.
type reporter struct {
	file    string
	list    Diagnostics
	stopped bool
}

// add reports, unless there are maxReports of this severity already.
func (r *reporter) add(s Severity, line int, word, text, hint string) {
	if r.list.Count(s) < maxReports {
		r.list = append(r.list, Diagnostic{s, r.file, line, word, text, hint})
	}
}

// full reports whether reading on would be of no use, and says so once, at the
// line that is not read.
func (r *reporter) full(line int) bool {
	if !r.stopped && r.list.Count(Error) >= maxReports {
		r.stopped = true
		r.list = append(r.list, Diagnostic{Error, r.file, line, "", fmt.Sprintf("the rest is not read after %d errors", maxReports), "is this the right file?"})
	}
	return r.stopped
}

// maxWord bounds what a message repeats of a file, in bytes.
const maxWord = 80

// printable is the word as a terminal may show it: quoted where it holds
// anything but visible characters, and cut after maxWord bytes.
func printable(word string) string {
	cut := ""
	if len(word) > maxWord {
		word, cut = word[:maxWord], "..."
	}
	if !visible(word) {
		word = strconv.Quote(word)
	}
	return word + cut
}

// visible reports whether a terminal may be shown the text as it is.
func visible(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsGraphic(r) })
}

// A problem is what is wrong with a value, for the caller who knows where it
// stands. It is a warning if the value is obeyed all the same.
type problem struct {
	severity Severity
	text     string
	hint     string
}

// bad is a problem that makes the value unusable.
func bad(hint, format string, args ...any) *problem {
	return &problem{Error, fmt.Sprintf(format, args...), hint}
}

// odd is a problem the value is obeyed in spite of.
func odd(hint, format string, args ...any) *problem {
	return &problem{Warning, fmt.Sprintf(format, args...), hint}
}
