package interop

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/systole-ha/systole/test/book"
)

var kept = book.Book{File: "testdata/matrix.json", Page: "../../docs/compat.md", By: "make interop"}

// A matrix is what was measured, column by column.
type matrix struct {
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

func (b *matrix) find(cfg configuration) *column {
	i := slices.IndexFunc(b.Columns, func(c *column) bool { return c.Configuration == cfg.String() })
	if i < 0 {
		return nil
	}
	return b.Columns[i]
}

// column is that of a configuration, empty where all steps will be taken.
func (b *matrix) column(cfg configuration) *column {
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

func (b *matrix) write(t *testing.T) {
	t.Helper()
	kept.Write(t, b, b.tables())
}

// TestTableIsFresh holds docs/compat.md against what was measured.
func TestTableIsFresh(t *testing.T) { kept.Fresh(t, book.Read[matrix](t, kept).tables(), *update) }

// TestTableIsWhole holds the matrix against its claims: every configuration is a
// column and nothing else is, with sixty cells and more in all.
func TestTableIsWhole(t *testing.T) {
	b := book.Read[matrix](t, kept)
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

func (b *matrix) tables() string {
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
func (b *matrix) migration() string {
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

func (b *matrix) row(of func(i int, c configuration) string) string {
	text := ""
	for i, c := range configurations {
		text += " " + of(i, c) + " |"
	}
	return text + "\n"
}

// cell is empty where there is nothing to be measured, or nothing was.
func (b *matrix) cell(cfg configuration, s step) string {
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
