package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/systole-ha/systole/agent/config"
	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/cmd/systole/board"
	"github.com/systole-ha/systole/exporters/ledger"
)

// runOutages is systole outages: what this node's ledger says, read from its
// file, so that it answers while no daemon runs.
func runOutages(dir string, asJSON bool, stdout, stderr io.Writer) int {
	hostname, _ := os.Hostname()
	c, _ := config.Load(os.DirFS(dir), config.Host{Name: hostname}) // errors do not move the state folder
	text, err := os.ReadFile(ledgerPath(c.StateDir))
	if errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintf(stderr, "systole: no ledger in %s: no daemon has run on this node yet\n", c.StateDir)
		return 1
	}
	if err != nil {
		fmt.Fprintf(stderr, "systole: %v\n", err)
		return 1
	}
	book, err := ledger.Parse(text)
	if err != nil {
		fmt.Fprintf(stderr, "systole: %v\n", err)
		return 1
	}
	if asJSON {
		stdout.Write(text)
		return 0
	}
	io.WriteString(stdout, outagesPage(book))
	return 0
}

// outagesPage is a ledger for people: every outage kept, then the totals.
func outagesPage(b ledger.Book) string {
	var page strings.Builder
	if len(b.Outages) == 0 {
		fmt.Fprintf(&page, "%s has ended no outage.\n", b.Node)
	} else {
		w := tabwriter.NewWriter(&page, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "BEGAN\tLASTED\tCAUSE\tFROM\tTO\tGROUP\tTRACE")
		for _, o := range b.Outages {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", event.Value(o.Began), lasted(o.Seconds), o.Cause, dash(o.From), o.To, o.Group, dash(o.Trace))
		}
		w.Flush()
	}
	for _, group := range slices.Sorted(maps.Keys(b.Groups)) {
		if total := totals(b.Groups[group]); total != "" {
			fmt.Fprintf(&page, "\n%s in all: %s\n", group, total)
		}
	}
	return page.String()
}

func totals(a ledger.Account) string {
	var parts []string
	for _, cause := range slices.Sorted(maps.Keys(a.Seconds)) {
		parts = append(parts, fmt.Sprintf("%s %s", cause, lasted(a.Seconds[cause])))
	}
	return strings.Join(parts, ", ")
}

func lasted(seconds float64) string {
	return board.Short(time.Duration(seconds * float64(time.Second)))
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
