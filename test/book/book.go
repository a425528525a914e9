// Package book keeps what tests have measured: as JSON beside the test, so that a
// part of it can be measured again, and as tables in a page of the
// documentation, between two markers. A test holds the page to the JSON.
package book

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/systole-ha/systole/test/lab"
)

var must = lab.Must

// A Book is where a table is kept and shown.
type Book struct {
	File string // of JSON, below the folder of the test
	Page string // of the documentation
	By   string // what measures and writes it, as it stands in the page: make interop
}

// Read is what was measured and kept in b.
func Read[T any](t *testing.T, b Book) *T {
	t.Helper()
	v := new(T)
	must(t, json.Unmarshal(read(t, b.File), v))
	return v
}

// Write keeps v, and shows it as tables.
func (b Book) Write(t *testing.T, v any, tables string) {
	t.Helper()
	text, err := json.MarshalIndent(v, "", " ")
	must(t, err)
	must(t, os.WriteFile(b.File, append(text, '\n'), 0o644))
	must(t, os.WriteFile(b.Page, []byte(b.into(t, tables)), 0o644))
}

// Fresh fails the test if the page shows anything but tables, and mends it if
// update says so.
func (b Book) Fresh(t *testing.T, tables string, update bool) {
	t.Helper()
	want := b.into(t, tables)
	if string(read(t, b.Page)) == want {
		return
	}
	t.Errorf("%s is not what %s says: %s, or go test -run %s -update here", b.Page, b.File, b.By, t.Name())
	if update {
		must(t, os.WriteFile(b.Page, []byte(want), 0o644))
	}
}

// into is the page with tables between its markers.
func (b Book) into(t *testing.T, tables string) string {
	t.Helper()
	markers := regexp.MustCompile(`(?s)(<!-- table: written by ` + regexp.QuoteMeta(b.By) + ` -->\n).*(<!-- end of the table -->)`)
	text := string(read(t, b.Page))
	if !markers.MatchString(text) {
		t.Fatalf("%s: no place for the table", b.Page)
	}
	return markers.ReplaceAllString(text, "${1}"+strings.ReplaceAll(tables, "$", "$$")+"${2}")
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(name)
	must(t, err)
	return text
}
