package dashboards

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

//go:generate go test -run "TestJSON|TestPictures" -update .

var update = flag.Bool("update", false, "write the JSON files")

// TestJSON holds the committed files to the boards: they are neither stale nor
// edited by hand, and none is left of a board that is gone.
func TestJSON(t *testing.T) {
	var want []string
	for _, b := range All() {
		name := b.File + ".json"
		want = append(want, name)
		fresh, err := b.JSON()
		if err != nil {
			t.Fatal(err)
		}
		if *update {
			if err := os.WriteFile(name, fresh, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if file, err := os.ReadFile(name); err != nil || !bytes.Equal(file, fresh) {
			t.Errorf("%s is not what the builder makes (%v): run go generate ./dashboards", name, err)
		}
	}
	got, err := filepath.Glob("*.json")
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("files here:\n got %v\nwant %v", got, want)
	}
}
