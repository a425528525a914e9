package migrate

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestScript reads a page as the others do.
func TestScript(t *testing.T) {
	const fence = "```"
	for _, tt := range []struct{ name, page, want, err string }{
		{"commands and their sights", "# One\n$sh alpha\na\nb\n$\n$text\nc\n$\n", "One [alpha] a\nb => c", ""},
		{"a look on both", "## Two\n$sh both look\na\n$\n$text\n$\n", "Two [alpha beta] look a => ", ""},
		{"commands that print nothing of interest", "$sh beta\na\n$\n", " [beta] a", ""},
		{"other blocks are not run", "$\nrm -rf /\n$\n$yaml\n# no heading\n$\n", "", ""},
		{"commands for nobody", "$sh\na\n$\n", "", "does not say where"},
		{"commands for a stranger", "$sh gamma\na\n$\n", "", "does not say where"},
		{"a look at nothing", "$sh alpha look\na\n$\n", "", "a look at nothing"},
		{"sights of nothing", "$text\na\n$\n", "", "sights of nothing"},
		{"a block that does not end", "$sh alpha\na\n", "", "does not end"},
	} {
		page := filepath.Join(t.TempDir(), "page.md")
		if err := os.WriteFile(page, []byte(strings.ReplaceAll(tt.page, "$", fence)), 0o600); err != nil {
			t.Fatal(err)
		}
		steps, err := script(page, []string{"alpha", "beta"})
		var got []string
		for _, s := range steps {
			text := s.title + " [" + strings.Join(s.where, " ") + "] "
			if s.look {
				text += "look "
			}
			text += s.commands
			if s.sights != nil {
				text += " => " + *s.sights
			}
			got = append(got, text)
		}
		if strings.Join(got, "|") != tt.want || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: got %q, error %v; want %q, %q", tt.name, got, err, tt.want, tt.err)
		}
	}
}

func TestShows(t *testing.T) {
	for _, tt := range []struct {
		sights, printed string
		want            bool
	}{
		{"local", "local\n", true},
		{"local", "locals\n", false},
		{"a … c", "a  b c  \n", true},
		{"a\n…\nd", "a\nb\nc\nd\n", true},
		{"a.c", "abc", false},
		{"", "", true},
		{"", "x", false},
	} {
		if got := shows(tt.sights, tt.printed); got != tt.want {
			t.Errorf("%q shows %q: %v, want %v", tt.printed, tt.sights, got, tt.want)
		}
	}
}
