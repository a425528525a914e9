package chaos

import (
	"cmp"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/systole-ha/systole/test/book"
)

var kept = book.Book{File: "testdata/table.json", Page: "../../docs/safety.md", By: "make chaos"}

// A table is what was measured, column by column.
type table struct {
	Machine string
	Columns []*entry
}

// An entry is a column: one contender at one deadtime.
type entry struct {
	Contender string
	Deadtime  string
	Versions  string
	Cells     map[string]cell // by fault
}

func (b *table) find(by, deadtime string) *entry {
	i := slices.IndexFunc(b.Columns, func(e *entry) bool { return e.Contender == by && e.Deadtime == deadtime })
	if i < 0 {
		return nil
	}
	return b.Columns[i]
}

// column is a contender's entry, which is made if need be.
func (b *table) column(by contender, deadtime time.Duration) *entry {
	if e := b.find(by.name, deadtime.String()); e != nil {
		return e
	}
	e := &entry{Contender: by.name, Deadtime: deadtime.String(), Cells: map[string]cell{}}
	b.Columns = append(b.Columns, e)
	return e
}

func (b *table) enter(by contender, deadtime time.Duration, f fault, c cell) {
	b.column(by, deadtime).Cells[f.name] = c
}

// took is how long a column took to measure.
func (e *entry) took() time.Duration {
	sum := 0
	for _, c := range e.Cells {
		sum += c.Took
	}
	return time.Duration(sum) * time.Second
}

// String says what was measured, and how.
func (e *entry) String() string {
	text := e.Contender
	if e.Versions != "" {
		text += " (" + e.Versions + ")"
	}
	if took := e.took(); took > 0 {
		text += fmt.Sprint(" in ", took)
	}
	if least, most := e.loads(); most > 0 {
		text += fmt.Sprintf(" at a load of %.0f to %.0f", least, most)
	}
	return text
}

// loads are the least and the most load of the machine meanwhile.
func (e *entry) loads() (least, most float64) {
	for _, c := range e.Cells {
		if c.Load > 0 && (least == 0 || c.Load < least) {
			least = c.Load
		}
		most = max(most, c.Load)
	}
	return least, most
}

// write keeps what was measured, and shows it on the page.
func (b *table) write(t *testing.T) {
	t.Helper()
	b.Machine = fmt.Sprintf("a virtual machine with %d cores", runtime.NumCPU())
	slices.SortFunc(b.Columns, func(x, y *entry) int {
		return cmp.Or(cmp.Compare(x.Deadtime, y.Deadtime), cmp.Compare(x.Contender, y.Contender))
	})
	kept.Write(t, b, b.tables())
}

func (b *table) tables() string {
	var out strings.Builder
	var sum time.Duration
	for _, e := range b.Columns {
		sum += e.took()
	}
	fmt.Fprintf(&out, "\nMeasured on %s, both nodes and the client in containers on it, in %v. Load is the average number of processes that\n"+
		"wanted a core meanwhile.\n", b.Machine, sum.Round(time.Minute))
	for _, deadtime := range deadtimes {
		fmt.Fprintf(&out, "\n### Deadtime %s\n\n| fault at the node that serves |", deadtime)
		var measured []string
		for _, by := range contenders {
			fmt.Fprintf(&out, " %s |", by.name)
			if e := b.find(by.name, deadtime.String()); e != nil {
				measured = append(measured, e.String())
			}
		}
		out.WriteString("\n|---|" + strings.Repeat("---|", len(contenders)) + "\n")
		for _, f := range faults {
			fmt.Fprintf(&out, "| %s |", f.name)
			for _, by := range contenders {
				fmt.Fprintf(&out, " %s |", b.cell(by.name, deadtime.String(), f.name))
			}
			out.WriteString("\n")
		}
		// Containers have the clock of the machine, which is not to be touched.
		fmt.Fprintf(&out, "| the wall clock steps by hours | simulated: [clocks](#clocks) |%s\n", strings.Repeat(" - |", len(contenders)-1))
		fmt.Fprintf(&out, "\nMeasured: %s.\n", cmp.Or(strings.Join(measured, "; "), "nothing yet"))
	}
	return out.String() + "\n"
}

// cell is "-" where nothing was measured.
func (b *table) cell(by, deadtime, fault string) string {
	if e := b.find(by, deadtime); e != nil {
		if c, ok := e.Cells[fault]; ok {
			return c.String()
		}
	}
	return "-"
}
