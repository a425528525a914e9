package replay

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// The section of the page that is rendered here.
const (
	page  = "../../docs/compat.md"
	begin = "<!-- recorded: written by go test ./agent/replay -update -->\n"
	end   = "<!-- recorded: end -->\n"
)

// TestThePageListsTheDifferences keeps docs/compat.md as the reasons are.
func TestThePageListsTheDifferences(t *testing.T) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), begin)
	_, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("%s has no place for the recorded conversations", page)
	}
	want := render(play(t))
	if *update {
		err = os.WriteFile(page, []byte(before+begin+want+end+after), 0o644)
	} else if got, _, _ := strings.Cut(rest, end); got != want {
		t.Errorf("%s is not what the test finds (go test -update rewrites it)\n got\n%s\nwant\n%s", page, got, want)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// render writes a table of the recordings and one of the reasons.
func render(sides []Side) string {
	var b strings.Builder
	var order []string
	says, cells := map[string]string{}, map[string]map[string]string{}
	for _, s := range sides {
		if cells[s.Name] == nil {
			order = append(order, s.Name)
			says[s.Name], cells[s.Name] = s.Says, map[string]string{"h1": "–", "h2": "–"}
		}
		cells[s.Name][s.Node] = cell(s)
	}
	b.WriteString("\n| recording | | systole as h1 | systole as h2 |\n|---|---|---|---|\n")
	for _, name := range order {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", name, says[name], cells[name]["h1"], cells[name]["h2"])
	}
	b.WriteString("\n| difference | why |\n|---|---|\n")
	for _, r := range reasons {
		fmt.Fprintf(&b, "| %s | %s |\n", r.Name, r.Why)
	}
	b.WriteString("\n")
	return b.String()
}

// cell names the differences of a side.
func cell(s Side) string {
	var names []string
	for _, r := range s.Compare(reasons) {
		if r.Reason != nil && !slices.Contains(names, r.Reason.Name) {
			names = append(names, r.Reason.Name)
		}
	}
	text := "the same"
	if len(names) > 0 {
		text = strings.Join(names, ", ")
	}
	if u, ok := s.Until[s.Node]; ok {
		text += fmt.Sprintf("; up to %.1f s: %s", u.At.Seconds(), u.Why)
	}
	return text
}
