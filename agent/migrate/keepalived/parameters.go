package keepalived

import (
	"strconv"
	"strings"
)

// isDefinition reports whether a line gives a parameter its value: $NAME=VALUE,
// with nothing between the name and the sign.
func isDefinition(text string) bool {
	name, _, ok := strings.Cut(text, "=")
	return ok && len(name) > 1 && name[0] == '$' && nameLength(name[1:]) == len(name)-1
}

// nameLength is how much of a text is the name of a parameter.
func nameLength(text string) int {
	for i, r := range text {
		letter := r == '_' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return i
		}
	}
	return len(text)
}

// define keeps a parameter. Its value is used as it is by then, with what is in
// it put in when it is used.
func (s *source) define(text string) {
	name, value, _ := strings.Cut(text[1:], "=")
	s.values[name] = strings.Trim(value, " \t\n")
}

// substitute puts in the first parameter of a line that has a value: $NAME
// before a blank or the end, or ${NAME}. One without a value stays as it is.
func (s *source) substitute(text string) (string, bool) {
	for i := 0; i < len(text); i++ {
		if text[i] != '$' {
			continue
		}
		name, rest := text[i+1:], ""
		if strings.HasPrefix(name, "{") {
			inside, after, ok := strings.Cut(name[1:], "}")
			if !ok {
				continue
			}
			name, rest = inside, after
		} else {
			end := nameLength(name)
			if end < len(name) && !strings.ContainsRune(" \t\n", rune(name[end])) {
				continue
			}
			name, rest = name[:end], name[end:]
		}
		if value, ok := s.value(name); ok {
			return text[:i] + value + rest, true
		}
	}
	return text, false
}

// value is what a parameter stands for. Of those that keepalived defines
// itself, _RANDOM, _HASH and _BANG are left alone: what they make is no name.
func (s *source) value(name string) (string, bool) {
	if name == "_INSTANCE" {
		return s.id, true
	}
	value, ok := s.values[name]
	return value, ok
}

// repeat takes a line once for each value that ~SEQ or ~LST names.
//
// Source: keepalived.conf(5), "Sequence blocks" and "List blocks".
func (s *source) repeat(l line, depth int) {
	head, rest, ok := strings.Cut(l.text, ")")
	kind, arguments, begun := strings.Cut(head, "(")
	for ok && begun && strings.Count(arguments, "{") > strings.Count(arguments, "}") {
		var more string
		more, rest, ok = strings.Cut(rest, ")")
		arguments += ")" + more
	}
	if !ok || !begun {
		s.problem(l, "%s without its values in parentheses", kind)
		return
	}
	var names []string
	var rounds [][]string
	switch kind {
	case "~SEQ", "~SEQx":
		names, rounds = sequence(arguments, kind == "~SEQx")
	case "~LST":
		names, rounds = list(arguments)
	}
	if len(rounds) == 0 {
		s.problem(l, "%s(%s) not understood", kind, arguments)
		return
	}
	for _, values := range rounds {
		if s.full(l) {
			return
		}
		for i, name := range names {
			s.values[name] = values[i]
		}
		s.take(line{l.file, l.number, strings.Trim(rest, " \t")}, depth+1)
	}
	for _, name := range names {
		delete(s.values, name)
	}
}

// sequence is the values of ~SEQ(name, start, step, end), where step and start
// may be missing.
func sequence(arguments string, hex bool) (names []string, rounds [][]string) {
	parts := commas(arguments)
	if len(parts) < 2 || len(parts) > 4 {
		return nil, nil
	}
	var n []int64
	for _, p := range parts[1:] {
		v, err := strconv.ParseInt(p, 0, 32)
		if err != nil {
			return nil, nil
		}
		n = append(n, v)
	}
	end := n[len(n)-1]
	start, step := int64(1), int64(1)
	if end <= 0 {
		start = -1
	}
	if len(n) > 1 {
		start = n[0]
	}
	if end < start {
		step = -1
	}
	if len(n) > 2 {
		step = n[1]
	}
	if step == 0 {
		return nil, nil
	}
	base := 10
	if hex {
		base = 16
	}
	for v := start; (step > 0 && v <= end || step < 0 && v >= end) && len(rounds) < maxLines; v += step {
		rounds = append(rounds, []string{strconv.FormatInt(v, base)})
	}
	return parts[:1], rounds
}

// list is the values of ~LST(name, a, b) or ~LST({name, name}, {a, b}, {c, d}).
func list(arguments string) (names []string, rounds [][]string) {
	parts := commas(arguments)
	if len(parts) < 2 {
		return nil, nil
	}
	names = braced(parts[0])
	for _, p := range parts[1:] {
		values := braced(p)
		if len(values) != len(names) {
			return nil, nil
		}
		rounds = append(rounds, values)
	}
	return names, rounds
}

// commas splits at the commas outside of braces.
func commas(text string) (parts []string) {
	depth, begin := 0, 0
	for i := range len(text) {
		switch text[i] {
		case '{':
			depth++
		case '}':
			depth--
		case ',':
			if depth == 0 {
				parts = append(parts, strings.TrimSpace(text[begin:i]))
				begin = i + 1
			}
		}
	}
	return append(parts, strings.TrimSpace(text[begin:]))
}

// braced is what stands between braces, or the text itself.
func braced(text string) []string {
	inside, ok := strings.CutPrefix(text, "{")
	if !ok {
		return []string{text}
	}
	return commas(strings.TrimSuffix(inside, "}"))
}
