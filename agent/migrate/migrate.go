// Package migrate says what moves from another failover software to systole
// means for one cluster: which files systole needs, and what will be different.
// It reads installations through an fs.FS and changes nothing before Write.
package migrate

import (
	"cmp"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// A Weight says how much a Finding matters.
type Weight int

const (
	Blocks  Weight = iota // nothing is written before it is cured
	Lost                  // the old software does it, systole will not
	Differs               // systole does it in another way
	Moot                  // it has no meaning here, and nothing is lost
)

// A Finding is one thing that will not be as it was, or that is to be done.
type Finding struct {
	Weight  Weight
	Where   string // "ha.cf:3", or a path; "" for the cluster as a whole
	Word    string // the directive or resource; "" where there is none to name
	Text    string // lower case, no full stop
	Instead string // what to do about it; "" for nothing
}

// String is one line in the form compilers use.
func (f Finding) String() string {
	var parts []string
	for _, p := range []string{f.Where, f.Word, f.Text} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	s := strings.Join(parts, ": ")
	if f.Instead != "" {
		s += "; " + f.Instead
	}
	return s
}

// A File is one that systole needs, whole.
type File struct {
	Path   string // absolute
	Mode   fs.FileMode
	Text   string
	Origin string // what it was made of, a path; "" for nothing
	Secret bool   // is not to be shown
}

// A Suggestion is a file that an operator may want to write: nobody but they
// can know whether it is right.
type Suggestion struct {
	Path string
	Why  string // a sentence without full stop
	Text string
}

// A Plan is what was found in an installation, and what would be done.
type Plan struct {
	Title       string      // what was read, on which node
	Found       [][2]string // rows of a table: what, and its value
	Findings    []Finding
	Files       []File // to be written, in this order
	Suggestions []Suggestion
	Steps       []string // what the operator does next, sentences
}

// Add notes a finding.
func (p *Plan) Add(w Weight, where, word, instead, format string, args ...any) {
	p.Findings = append(p.Findings, Finding{w, where, word, fmt.Sprintf(format, args...), instead})
}

// Row adds a row to the table of what was found.
func (p *Plan) Row(what, format string, args ...any) {
	p.Found = append(p.Found, [2]string{what, fmt.Sprintf(format, args...)})
}

// Blocked reports whether something must be cured before files are written.
func (p *Plan) Blocked() bool {
	return slices.ContainsFunc(p.Findings, func(f Finding) bool { return f.Weight == Blocks })
}

// Of are the findings of one weight, each once: by file and line, then those
// about the cluster as a whole.
func (p *Plan) Of(w Weight) (findings []Finding) {
	for _, f := range p.Findings {
		if f.Weight == w && !slices.Contains(findings, f) {
			findings = append(findings, f)
		}
	}
	slices.SortStableFunc(findings, byPlace)
	return findings
}

func byPlace(a, b Finding) int {
	fileA, lineA := place(a.Where)
	fileB, lineB := place(b.Where)
	return cmp.Or(cmp.Compare(fileA, fileB), cmp.Compare(lineA, lineB))
}

// place is a file and a line in it; what is about no file comes last.
func place(where string) (file string, line int) {
	file, number, _ := strings.Cut(where, ":")
	fmt.Sscanf(number, "%d", &line)
	return cmp.Or(file, "\xff"), line
}
