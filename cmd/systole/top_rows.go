package main

import (
	"strings"

	"github.com/systole-ha/systole/cmd/systole/board"
)

// A style is how a piece of text looks.
type style int

const (
	stylePlain style = iota
	styleBold
	styleFaint
	styleHead // the first and the last row
	styleFine
	styleHalf // from here on as board.Level
	styleNear
	styleClose
	styleBar
)

func levelStyle(l board.Level) style { return styleFine + style(l) }

// styles are the styles in the sixteen colours of every terminal (ECMA-48).
var styles = map[style]string{
	styleBold: "\x1b[1m", styleFaint: "\x1b[2m", styleHead: "\x1b[7m",
	styleFine: "\x1b[32m", styleHalf: "\x1b[33m", styleNear: "\x1b[31m", styleClose: "\x1b[1;31m",
	styleBar: "\x1b[36m",
}

// A span is a piece of a row.
type span struct {
	text  string
	style style
}

// A row is one line of the screen, from left to right.
type row []span

// A glyphs is what a terminal can show: the characters of our own drawings, and
// how far those of others' texts may go.
type glyphs struct {
	spark   []string // from nothing used to all
	none    string   // where there is nothing to tell
	bar     string
	chosen  string
	highest rune // of texts; beyond it there are characters of two columns or none
}

var (
	unicodeGlyphs = glyphs{spark: strings.Split("▁▂▃▄▅▆▇█", ""), none: "·", bar: "█", chosen: "▶", highest: 0x2ff}
	asciiGlyphs   = glyphs{spark: strings.Split("0123456789", ""), none: ".", bar: "#", chosen: ">", highest: 0x7e}
)

// glyphsOf is what a locale allows, by the variables of locale(7).
func glyphsOf(getenv func(string) string) glyphs {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if locale := getenv(name); locale != "" {
			if l := strings.ToLower(locale); strings.Contains(l, "utf-8") || strings.Contains(l, "utf8") {
				return unicodeGlyphs
			}
			break
		}
	}
	return asciiGlyphs
}

// text is somebody's text as this terminal can show it, one column a character.
func (g glyphs) text(s string) string {
	return strings.Map(func(r rune) rune {
		if r > g.highest {
			return '?'
		}
		return r
	}, s)
}

// sparkline is a course in so many columns.
func (g glyphs) sparkline(c board.Course, width int) row {
	var r row
	for _, used := range c.Fit(width) {
		if used < 0 {
			r = append(r, span{g.none, styleFaint})
			continue
		}
		height := min(len(g.spark)-1, int(used*float64(len(g.spark))))
		r = append(r, span{g.spark[height], levelStyle(board.LevelOf(used))})
	}
	return r
}

func (r row) width() int {
	n := 0
	for _, s := range r {
		n += len([]rune(s.text))
	}
	return n
}

// cut is the row in at most width columns.
func (r row) cut(width int) row {
	if r.width() <= width {
		return r
	}
	var short row
	left := max(0, width-2)
	for _, s := range r {
		text := []rune(s.text)
		if len(text) > left {
			short = append(short, span{string(text[:left]), s.style})
			break
		}
		short, left = append(short, s), left-len(text)
	}
	return append(short, span{strings.Repeat(".", min(2, width)), styleFaint})
}

// columns makes rows of cells that stand under each other, two blanks apart.
func columns(table [][]row) []row {
	var widths []int
	for _, cells := range table {
		for i, c := range cells {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], c.width())
		}
	}
	var rows []row
	for _, cells := range table {
		var r row
		blank := 0
		for i, c := range cells {
			if c.width() > 0 {
				r = append(append(r, span{text: strings.Repeat(" ", blank)}), c...)
				blank = 0
			}
			blank += widths[i] - c.width() + 2
		}
		rows = append(rows, r)
	}
	return rows
}

// words is a cell of one piece.
func words(text string, s style) row { return row{{text, s}} }

// fill is the row in exactly width columns, all in one style.
func (r row) fill(width int, s style) row {
	text := ""
	for _, part := range r.cut(width) {
		text += part.text
	}
	return words(text+strings.Repeat(" ", max(0, width-len([]rune(text)))), s)
}

// printRows is rows as a terminal takes them, without colours where it shall have
// none.
func printRows(rows []row, colour bool) string {
	var b strings.Builder
	for _, r := range rows {
		for _, s := range r {
			if code := styles[s.style]; colour && code != "" {
				b.WriteString(code + s.text + plain)
			} else {
				b.WriteString(s.text)
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}
