// Package keepalived reads keepalived.conf(5), as keepalived 2.2 does, and says
// what its virtual routers are in the words of systole's files.
package keepalived

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Bounds of what is read, so that a malicious file takes no time: a real one
// has some hundred lines. A sequence may make thousands of one.
const (
	maxFile   = 1 << 20 // bytes
	maxLines  = 50_000  // after all has been put in
	maxLine   = 1 << 16 // bytes, after parameters were put in
	maxNested = 32      // files that include files, braces in braces
	maxTaken  = 200_000 // lines looked at, those included that come to nothing
	maxPut    = 1000    // parameters put into one line
)

// A line is one that is to be parsed, with the place it stands at.
type line struct {
	file   string // as it was named
	number int    // from 1
	text   string
}

func (l line) where() string { return fmt.Sprintf("%s:%d", l.file, l.number) }

// A source reads lines, puts in what they include and the values of
// parameters, and leaves out what is for others.
type source struct {
	fsys     fs.FS
	id       string            // what lines that begin with @ are compared with: keepalived -i
	values   map[string]string // of parameters: one line, or several joined by newlines
	lines    []line
	taken    int
	problems []problem
	reading  []string // the files that include each other
}

// A problem is a place that was not understood.
type problem struct{ where, text string }

func (s *source) problem(l line, format string, args ...any) {
	if len(s.problems) < 100 {
		s.problems = append(s.problems, problem{l.where(), fmt.Sprintf(format, args...)})
	}
}

// read reads a file, named as path of fsys, shown under its name.
func (s *source) read(file, name string) error {
	text, err := fs.ReadFile(s.fsys, file)
	if err != nil {
		return err
	}
	if len(text) > maxFile {
		return fmt.Errorf("%s: more than %d bytes", name, maxFile)
	}
	s.reading = append(s.reading, file)
	defer func() { s.reading = s.reading[:len(s.reading)-1] }()
	s.values["_PWD"] = "/" + path.Dir(file)
	raw := strings.Split(string(text), "\n")
	for i := 0; i < len(raw); i++ {
		l := line{file: name, number: i + 1}
		parts, joint := []string{uncomment(strings.TrimSuffix(raw[i], "\r"))}, " "
		if isDefinition(parts[0]) {
			joint = "\n"
		}
		for strings.HasSuffix(parts[len(parts)-1], `\`) && i+1 < len(raw) {
			i++
			last := &parts[len(parts)-1]
			*last = strings.TrimRight(strings.TrimSuffix(*last, `\`), " \t")
			parts = append(parts, uncomment(strings.TrimSuffix(raw[i], "\r")))
		}
		l.text = strings.Join(parts, joint)
		s.take(l, 0)
	}
	return nil
}

// uncomment is a line without its comment and the blanks round it. Quotes
// protect # and !, and so does a backslash.
//
// Source: decomment in keepalived's lib/parser.c.
func uncomment(text string) string {
	quoted := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case (c == '#' || c == '!') && !quoted:
			return strings.Trim(text[:i], " \t")
		}
	}
	return strings.Trim(text, " \t")
}

// take keeps a line, or what stands for it.
func (s *source) take(l line, depth int) {
	switch {
	case l.text == "" || s.full(l):
		return
	case depth > maxNested:
		s.problem(l, "parameters that never end")
		return
	case len(l.text) > maxLine:
		s.problem(l, "more than %d bytes in one line", maxLine)
		return
	}
	if pattern, ok := included(l.text); ok {
		s.include(l, pattern)
		return
	}
	if l.text[0] == '@' {
		if text, mine := s.condition(l.text); mine {
			s.take(line{l.file, l.number, text}, depth+1)
		}
		return
	}
	if isDefinition(l.text) {
		s.define(l.text)
		return
	}
	text, ok := s.filled(l)
	switch {
	case !ok:
	case text != l.text:
		for part := range strings.SplitSeq(text, "\n") {
			s.take(line{l.file, l.number, strings.Trim(part, " \t")}, depth+1)
		}
	case text[0] == '~':
		s.repeat(l, depth)
	default:
		s.lines = append(s.lines, l)
	}
}

// filled is a line with the values of its parameters, up to the first of them
// that has several lines: those are taken one after the other.
func (s *source) filled(l line) (string, bool) {
	text := l.text
	for range maxPut {
		next, changed := s.substitute(text)
		if !changed || strings.Contains(next, "\n") {
			return next, true
		}
		if len(next) > maxLine {
			break
		}
		text = next
	}
	s.problem(l, "parameters that never end")
	return "", false
}

// full reports whether there is too much of it, and says so once.
func (s *source) full(l line) bool {
	s.taken++
	if len(s.lines) < maxLines && s.taken < maxTaken {
		return false
	}
	if s.taken < 2*maxTaken {
		s.problem(l, "more than %d lines: the rest is not read", maxLines)
		s.taken = 2 * maxTaken // said
	}
	return true
}

// included is what an include names. The variants say which errors keepalived
// is to report; here all are.
func included(text string) (pattern string, ok bool) {
	word, rest, _ := strings.Cut(text, " ")
	if !slices.Contains([]string{"include", "includer", "includem", "includew", "includeb", "includea"}, word) {
		return "", false
	}
	return strings.Trim(rest, " \t\"'"), true
}

// include reads the files that a pattern names, relative to the file it stands
// in. Alternatives in braces are not known.
func (s *source) include(l line, pattern string) {
	if len(s.reading) >= maxNested {
		s.problem(l, "files that include each other")
		return
	}
	full := strings.TrimPrefix(pattern, "/")
	if !path.IsAbs(pattern) {
		full = path.Join(path.Dir(s.reading[len(s.reading)-1]), pattern)
	}
	names, err := fs.Glob(s.fsys, full)
	if err != nil || len(names) == 0 {
		s.problem(l, "include %s: no such file", pattern)
		return
	}
	before := s.values["_PWD"]
	for _, name := range names {
		if err := s.read(name, path.Join(path.Dir(l.file), shortened(name, s.reading[0]))); err != nil {
			s.problem(l, "include %s: cannot be read", pattern)
		}
	}
	s.values["_PWD"] = before
}

// shortened is a file as seen from the folder of another one.
func shortened(name, from string) string {
	if rest, ok := strings.CutPrefix(name, path.Dir(from)+"/"); ok {
		return rest
	}
	return "/" + name
}

// condition is what follows @id or @^id, and whether it is meant for this node.
func (s *source) condition(text string) (rest string, mine bool) {
	id, rest, _ := strings.Cut(text[1:], " ")
	if tab := strings.IndexByte(id, '\t'); tab >= 0 {
		id, rest = id[:tab], id[tab+1:]+" "+rest
	}
	id, not := strings.CutPrefix(id, "^")
	return strings.Trim(rest, " \t"), (id == s.id) != not
}
