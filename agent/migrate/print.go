package migrate

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"text/tabwriter"
)

// headings introduce the findings of each weight.
var headings = map[Weight]string{
	Blocks:  "To be cured first",
	Lost:    "systole will not do this",
	Differs: "This will be different",
	Moot:    "Without meaning here",
}

// Print shows the plan: what was found, what will be different, every file as
// it would be written, compared with what root has there now, suggestions and
// what to do next.
func (p *Plan) Print(w io.Writer, root fs.FS) {
	fmt.Fprintf(w, "%s\n\n", p.Title)
	printTable(w, p.Found)
	for weight := Blocks; weight <= Moot; weight++ {
		if findings := p.Of(weight); len(findings) > 0 {
			fmt.Fprintf(w, "\n%s:\n", headings[weight])
			for i, f := range findings {
				last := i+1 == len(findings) || findings[i+1].Instead != f.Instead
				printFinding(w, f, last)
			}
		}
	}
	for _, f := range p.Files {
		fmt.Fprintln(w)
		f.print(w, root)
	}
	for _, s := range p.Suggestions {
		fmt.Fprintf(w, "\nA suggestion, not written: %s (%s)\n", s.Path, s.Why)
		for line := range strings.Lines(s.Text) {
			fmt.Fprintf(w, "    %s", line)
		}
	}
	if len(p.Steps) > 0 {
		fmt.Fprintf(w, "\nNext:\n")
		for i, s := range p.Steps {
			fmt.Fprintf(w, "%3d. %s\n", i+1, s)
		}
	}
}

// printFinding is a line, and one for what to do about it, if it is the last of
// those that have the same cure.
func printFinding(w io.Writer, f Finding, last bool) {
	instead := f.Instead
	f.Instead = ""
	fmt.Fprintf(w, "  - %s\n", f)
	if instead != "" && last {
		fmt.Fprintf(w, "    > %s\n", instead)
	}
}

// printTable aligns rows; what repeats the row above is left blank.
func printTable(w io.Writer, rows [][2]string) {
	var aligned bytes.Buffer
	columns := tabwriter.NewWriter(&aligned, 0, 0, 2, ' ', 0)
	last := ""
	for _, r := range rows {
		what := r[0]
		if what == last {
			what = ""
		}
		last = r[0]
		fmt.Fprintf(columns, "%s\t%s\n", what, r[1])
	}
	columns.Flush()
	for line := range bytes.Lines(aligned.Bytes()) {
		fmt.Fprintf(w, "%s\n", bytes.TrimRight(line, " \n"))
	}
}

// print shows a file as the difference to what is there now, all lines of it.
func (f File) print(w io.Writer, root fs.FS) {
	before, there := f.before(root)
	switch {
	case there && before == f.Text:
		fmt.Fprintf(w, "%s is there already, and stays\n", f.Path)
		return
	case there:
		fmt.Fprintf(w, "--- %s (as it is; would be kept as %s)\n", f.Path, f.keptName(root))
	case f.Origin != "":
		fmt.Fprintf(w, "--- %s (stays as it is)\n", f.Origin)
		before = textOf(root, f.Origin)
	default:
		fmt.Fprintln(w, "--- nothing")
	}
	fmt.Fprintf(w, "+++ %s (mode %04o)\n", f.Path, f.Mode.Perm())
	if f.Secret {
		fmt.Fprintln(w, "    with a secret in it, not shown")
		return
	}
	for _, line := range difference(lines(before), lines(f.Text)) {
		fmt.Fprintln(w, line)
	}
}

// textOf is what root has at an absolute path; "" where it has nothing.
func textOf(root fs.FS, path string) string {
	text, err := fs.ReadFile(root, strings.TrimPrefix(path, "/"))
	if err != nil {
		return ""
	}
	return string(text)
}

func lines(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}

// mostCompared bounds the table that a comparison needs: two files of 2000
// lines. Of longer ones all of the old is shown, and then all of the new.
const mostCompared = 4_000_000

// difference is all of both texts, with " ", "-" or "+" before a line of both,
// of the old one or of the new one: the longest common subsequence.
func difference(old, now []string) (marked []string) {
	if len(old)*len(now) > mostCompared {
		return append(prefixed("-", old), prefixed("+", now)...)
	}
	common := make([][]int, len(old)+1)
	for i := range common {
		common[i] = make([]int, len(now)+1)
	}
	for i := len(old) - 1; i >= 0; i-- {
		for j := len(now) - 1; j >= 0; j-- {
			if old[i] == now[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	i, j := 0, 0
	for i < len(old) || j < len(now) {
		switch {
		case i < len(old) && j < len(now) && old[i] == now[j]:
			marked = append(marked, " "+old[i])
			i, j = i+1, j+1
		case i < len(old) && (j == len(now) || common[i+1][j] >= common[i][j+1]):
			marked = append(marked, "-"+old[i])
			i++
		default:
			marked = append(marked, "+"+now[j])
			j++
		}
	}
	return marked
}

func prefixed(mark string, lines []string) (marked []string) {
	for _, l := range lines {
		marked = append(marked, mark+l)
	}
	return marked
}
