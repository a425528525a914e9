package replay

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// A Row is one line of the real node beside the same of the core's. One of them
// is nil where only the other says it.
type Row struct {
	Real, Ours *Line
	Again      bool    // what only one of them says is what it said last of the kind
	Reason     *Reason // why they differ; nil where they do not, or nobody has said why
}

// Differs reports whether the two do not say the same.
func (r Row) Differs() bool { return r.Real == nil || r.Ours == nil || r.Real.Detail != r.Ours.Detail }

// A Reason declares differences and says why they are. Lines are written as
// KIND or as KIND, DETAIL, with * for anything.
type Reason struct {
	Name    string
	Missing []string // what only the real node says
	Added   []string // what only the core says
	Altered []string // what both say, the core with another detail
	Again   bool     // only of what is said a second time
	Where   []string // the sides it is about, as NAME/NODE, likewise; everywhere where empty
	Why     string
}

// about reports whether a row of a side is what the reason declares.
func (r *Reason) about(side string, row Row) bool {
	patterns, line := r.Altered, row.Real
	switch {
	case row.Ours == nil:
		patterns = r.Missing
	case row.Real == nil:
		patterns, line = r.Added, row.Ours
	}
	return (len(r.Where) == 0 || matches(r.Where, side)) && (!r.Again || row.Again) && matches(patterns, line.String())
}

func matches(patterns []string, text string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		ok, err := path.Match(p, text)
		return ok && err == nil
	})
}

// Compare lays what the core said beside what the real node said, so that as
// many lines as possible stand beside their like, in order, and gives each
// difference the first reason that declares it.
func (s Side) Compare(reasons []Reason) []Row {
	rows := align(s.Real, s.Ours)
	real, ours := lastWords(s.Before[0]), lastWords(s.Before[1])
	for i := range rows {
		r := &rows[i]
		r.Again = repeats(real, r.Real) || repeats(ours, r.Ours)
		if !r.Differs() {
			continue
		}
		for j := range reasons {
			if reasons[j].about(s.Name+"/"+s.Node, *r) {
				r.Reason = &reasons[j]
				break
			}
		}
	}
	return rows
}

// lastWords is the last line that began with each word.
func lastWords(lines []Line) map[string]string {
	last := map[string]string{}
	for i := range lines {
		repeats(last, &lines[i])
	}
	return last
}

// repeats reports whether a line is the same as the last of its column that
// began with the same word.
func repeats(last map[string]string, l *Line) bool {
	if l == nil {
		return false
	}
	word, _, _ := strings.Cut(l.Kind, " ")
	if l.Kind == "status init" { // another daemon
		clear(last)
	}
	same := l.Kind == last[word]
	last[word] = l.Kind
	return same
}

// align finds a longest common subsequence of kinds; where there are several,
// the one whose lines stand earliest.
func align(real, ours []Line) []Row {
	common := make([][]int, len(real)+1) // of real[i:] and ours[j:]
	for i := range common {
		common[i] = make([]int, len(ours)+1)
	}
	for i := len(real) - 1; i >= 0; i-- {
		for j := len(ours) - 1; j >= 0; j-- {
			common[i][j] = max(common[i+1][j], common[i][j+1])
			if real[i].Kind == ours[j].Kind {
				common[i][j] = max(common[i][j], common[i+1][j+1]+1)
			}
		}
	}
	var rows []Row
	for i, j := 0, 0; i < len(real) || j < len(ours); {
		nextI, nextJ := len(real), len(ours)
		if common[i][j] > 0 {
			nextI, nextJ = nearest(real, ours, common, i, j)
		}
		rows = append(rows, apart(real[i:nextI], ours[j:nextJ])...)
		if i, j = nextI, nextJ; i < len(real) && j < len(ours) {
			rows = append(rows, Row{Real: &real[i], Ours: &ours[j]})
			i, j = i+1, j+1
		}
	}
	return rows
}

// nearest is the first pair from i and j on that a longest common subsequence
// can begin with.
func nearest(real, ours []Line, common [][]int, i, j int) (int, int) {
	for distance := 0; ; distance++ {
		for di := 0; di <= distance; di++ {
			x, y := i+di, j+distance-di
			if x < len(real) && y < len(ours) && real[x].Kind == ours[y].Kind && common[x+1][y+1]+1 == common[i][j] {
				return x, y
			}
		}
	}
}

// apart is lines without a like, by their time.
func apart(real, ours []Line) []Row {
	var rows []Row
	for len(real) > 0 || len(ours) > 0 {
		if len(ours) == 0 || len(real) > 0 && !ours[0].At.Before(real[0].At) {
			rows = append(rows, Row{Real: &real[0]})
			real = real[1:]
		} else {
			rows = append(rows, Row{Ours: &ours[0]})
			ours = ours[1:]
		}
	}
	return rows
}

// Undeclared is the differences that nobody has said why.
func Undeclared(rows []Row) []string {
	var texts []string
	for _, r := range rows {
		switch {
		case !r.Differs() || r.Reason != nil:
		case r.Ours == nil:
			texts = append(texts, fmt.Sprintf("only the real node says %q", r.Real))
		case r.Real == nil:
			texts = append(texts, fmt.Sprintf("only systole says %q", r.Ours))
		default:
			texts = append(texts, fmt.Sprintf("the real node says %q, systole %q", r.Real, r.Ours))
		}
	}
	return texts
}

// Transcript writes a side for people: what the peer said, what the real node
// answered, and what the core did, each with its second of the recording.
func (s Side) Transcript(rows []Row) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%-45s%-60s%s\n", s.Peer+" (recorded)", s.Node+" (recorded)", "systole as "+s.Node)
	theirs := s.Theirs
	for _, r := range rows {
		at := r.Ours
		if r.Real != nil {
			at = r.Real
		}
		for len(theirs) > 0 && !theirs[0].At.After(at.At) {
			fmt.Fprintln(&b, s.text(&theirs[0]))
			theirs = theirs[1:]
		}
		line := fmt.Sprintf("%-45s%-60s%-60s", "", s.text(r.Real), s.text(r.Ours))
		if r.Reason != nil {
			line += "[" + r.Reason.Name + "]"
		}
		fmt.Fprintln(&b, strings.TrimRight(line, " "))
	}
	for i := range theirs {
		fmt.Fprintln(&b, s.text(&theirs[i]))
	}
	return b.String()
}

func (s Side) text(l *Line) string {
	if l == nil {
		return ""
	}
	return fmt.Sprintf("%6.2f %s", l.At.Sub(s.Start).Seconds(), l)
}
