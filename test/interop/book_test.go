package interop

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	page     = "../../docs/compat.md"
	bookName = "testdata/matrix.json"
)

// A book is what was measured, column by column, so that one of them can be
// measured again.
type book struct {
	Versions string
	Columns  []*column
	Moves    []move `json:",omitempty"` // of a migration
}

// A column is one configuration.
type column struct {
	Configuration string
	Took          int             // seconds
	Cells         map[string]cell // by step
}

func readBook(t *testing.T) *book {
	t.Helper()
	text, err := os.ReadFile(bookName)
	must(t, err)
	b := &book{}
	must(t, json.Unmarshal(text, b))
	return b
}

func (b *book) find(cfg configuration) *column {
	i := slices.IndexFunc(b.Columns, func(c *column) bool { return c.Configuration == cfg.String() })
	if i < 0 {
		return nil
	}
	return b.Columns[i]
}

// column is that of a configuration, empty where all steps will be taken.
func (b *book) column(cfg configuration) *column {
	c := b.find(cfg)
	if c == nil {
		c = &column{Configuration: cfg.String()}
		b.Columns = append(b.Columns, c)
	}
	if *steps == "" || c.Cells == nil {
		c.Cells = map[string]cell{}
	}
	return c
}

// enter keeps what a step cost; of one that is taken twice, the worse.
func (c *column) enter(step step, now cell) {
	if before := c.Cells[step.name]; before.Outage > now.Outage {
		now.Outage = before.Outage
	}
	c.Cells[step.name] = now
}

func (b *book) write(t *testing.T) {
	t.Helper()
	text, err := json.MarshalIndent(b, "", " ")
	must(t, err)
	must(t, os.WriteFile(bookName, append(text, '\n'), 0o644))
	shown, err := os.ReadFile(page)
	must(t, err)
	must(t, os.WriteFile(page, []byte(b.into(t, string(shown))), 0o644))
}

// TestTableIsFresh holds docs/compat.md against what was measured.
func TestTableIsFresh(t *testing.T) {
	text, err := os.ReadFile(page)
	must(t, err)
	if want := readBook(t).into(t, string(text)); string(text) != want {
		t.Errorf("%s is not what testdata/matrix.json says: make interop, or go test ./test/interop -run Fresh -update", page)
		if *update {
			must(t, os.WriteFile(page, []byte(want), 0o644))
		}
	}
}

// TestTableIsWhole holds the matrix against its claims: every configuration is a
// column and nothing else is, with sixty cells and more in all.
func TestTableIsWhole(t *testing.T) {
	b := readBook(t)
	cells := 0
	for _, cfg := range configurations {
		c := b.find(cfg)
		if c == nil {
			t.Errorf("%s was not measured", cfg)
			continue
		}
		cells += len(c.Cells)
	}
	if len(b.Columns) != len(configurations) || cells < 60 {
		t.Errorf("%d columns with %d cells in all, want %d with 60 at least", len(b.Columns), cells, len(configurations))
	}
}

var markers = regexp.MustCompile(`(?s)(<!-- table: written by make interop -->\n).*(<!-- end of the table -->)`)

// into puts the tables between their markers in the page.
func (b *book) into(t *testing.T, text string) string {
	t.Helper()
	if !markers.MatchString(text) {
		t.Fatalf("%s: no place for the table", page)
	}
	return markers.ReplaceAllString(text, "${1}"+strings.ReplaceAll(b.tables(), "$", "$$")+"${2}")
}

func (b *book) tables() string {
	var out strings.Builder
	out.WriteString("\n| |" + b.row(func(i int, _ configuration) string { return fmt.Sprintf("**%d**", i+1) }))
	out.WriteString("|---|" + strings.Repeat("---|", len(configurations)) + "\n")
	for _, setting := range settings {
		out.WriteString("| " + setting.name + " |" + b.row(func(_ int, c configuration) string { return setting.of(c) }))
	}
	seen := map[string]bool{}
	for _, s := range walk(wholeLife) {
		if seen[s.name] {
			continue
		}
		seen[s.name] = true
		out.WriteString("| " + s.name + " |" + b.row(func(_ int, c configuration) string { return b.cell(c, s) }))
	}
	out.WriteString(b.migration())
	return out.String() + "\n"
}

// migration tells of the moves of a service while its nodes are replaced.
func (b *book) migration() string {
	if len(b.Moves) == 0 {
		return ""
	}
	text := "\n**A rolling migration** there and back, with `auto_failback off`, every move asked for by `hb_standby all`, and a client that asks every 2 ms.\n" +
		"Replacing a node that holds nothing was no outage. In milliseconds:\n\n" +
		"| service | from | to | outage | of it Heartbeat's scripts |\n|---|---|---|---|---|\n"
	for _, m := range b.Moves {
		text += m.row()
	}
	return text
}

func (b *book) row(of func(i int, c configuration) string) string {
	text := ""
	for i, c := range configurations {
		text += " " + of(i, c) + " |"
	}
	return text + "\n"
}

// cell is empty where there is nothing to be measured, or nothing was.
func (b *book) cell(cfg configuration, s step) string {
	c := b.find(cfg)
	if c == nil {
		return ""
	}
	got, ok := c.Cells[s.name]
	switch {
	case !ok:
		return ""
	case s.cold:
		return fmt.Sprintf("%.1f s", float64(got.Placed)/1000)
	}
	return got.String()
}
