package keepalived

import (
	"strings"
)

// A statement is a keyword with its arguments, and the statements in the braces
// that follow it.
type statement struct {
	line  line
	words []string
	block []statement
	open  bool // there were braces
}

func (s statement) keyword() string { return s.words[0] }

// arg is the argument of that number, from 1; "" where there is none.
func (s statement) arg(n int) string {
	if n < len(s.words) {
		return s.words[n]
	}
	return ""
}

// rest is the arguments from one on, as one text.
func (s statement) rest(n int) string {
	if n >= len(s.words) {
		return ""
	}
	return strings.Join(s.words[n:], " ")
}

// A parser builds statements of lines.
type parser struct {
	source *source
	lines  []line
	depth  int
}

// parse makes statements of what a source has read. Braces that do not match
// are problems; what stands before them counts.
func parse(s *source) []statement {
	p := &parser{source: s, lines: s.lines}
	all := p.block()
	for len(p.lines) > 0 { // a brace closed what was not open
		all = append(all, p.block()...)
	}
	return all
}

// block reads statements up to the closing brace.
func (p *parser) block() (all []statement) {
	for len(p.lines) > 0 {
		l := p.lines[0]
		before, brace, after := cutBrace(l.text)
		p.lines[0].text = after
		if after == "" {
			p.lines = p.lines[1:]
		}
		if words := split(before); len(words) > 0 {
			all = append(all, statement{line: l, words: words})
		}
		switch brace {
		case '{':
			if p.depth >= maxNested {
				p.source.problem(l, "braces in braces in braces")
				p.depth--
				return all
			}
			if len(all) == 0 || all[len(all)-1].open {
				p.source.problem(l, "a { without a word before it")
				all = append(all, statement{line: l, words: []string{"{"}})
			}
			p.depth++
			all[len(all)-1].block, all[len(all)-1].open = p.block(), true
		case '}':
			if p.depth > 0 {
				p.depth--
				return all
			}
			p.source.problem(l, "a } that closes nothing")
		}
	}
	if p.depth > 0 {
		p.depth--
		if p.depth == 0 && len(p.source.lines) > 0 {
			p.source.problem(p.source.lines[len(p.source.lines)-1], "the file ends before a } that closes what was opened")
		}
	}
	return all
}

// cutBrace splits a line at its first brace that is neither quoted nor that of
// a parameter.
func cutBrace(text string) (before string, brace byte, after string) {
	var quote byte
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '$' && strings.HasPrefix(text[i+1:], "{"):
			if end := strings.IndexByte(text[i:], '}'); end > 0 {
				i += end
			}
		case c == '{' || c == '}':
			return text[:i], c, strings.Trim(text[i+1:], " \t")
		}
	}
	return text, 0, ""
}

// split makes words of a text: quotes keep blanks, and go; so does a backslash
// before another character, which is all of the escapes that a name has.
func split(text string) (words []string) {
	var word strings.Builder
	begun := false
	var quote byte
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '\\' && i+1 < len(text):
			i++
			word.WriteByte(text[i])
			begun = true
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote, begun = c, true
		case quote == 0 && strings.IndexByte(" \t\r\f\v", c) >= 0:
			if begun {
				words = append(words, word.String())
				word.Reset()
				begun = false
			}
		default:
			word.WriteByte(c)
			begun = true
		}
	}
	if begun {
		words = append(words, word.String())
	}
	return words
}
