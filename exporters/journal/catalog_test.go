package journal

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/systole-ha/systole/agent/event"
)

// catalog is systole.catalog by MESSAGE_ID: the header and text of each entry.
func catalog(t *testing.T) map[string]string {
	t.Helper()
	b, err := os.ReadFile("systole.catalog")
	if err != nil {
		t.Fatal(err)
	}
	entries := map[string]string{}
	for _, part := range strings.Split("\n"+string(b), "\n-- ")[1:] {
		id, text, _ := strings.Cut(part, "\n")
		if _, ok := entries[id]; ok {
			t.Errorf("%s is explained twice", id)
		}
		entries[id] = text
	}
	return entries
}

// TestEveryKindIsExplained holds each entry to its kind: that there is one,
// that it says something, and that what it quotes are fields of that kind.
func TestEveryKindIsExplained(t *testing.T) {
	entries, quoted := catalog(t), regexp.MustCompile(`@([A-Z_]+)@`)
	for _, kind := range event.Catalogue {
		if kind.Severity < event.Info {
			continue
		}
		text, ok := entries[kind.MessageID]
		if !ok {
			t.Errorf("%s (%s) is not explained", kind.Event.Kind(), kind.MessageID)
			continue
		}
		delete(entries, kind.MessageID)
		header, body, _ := strings.Cut(text, "\n\n")
		if !strings.HasPrefix(header, "Subject: ") || !strings.Contains(header, "\nDefined-By: systole\nSupport: https://") {
			t.Errorf("%s has the header\n%s", kind.Event.Kind(), header)
		}
		if len(strings.Fields(body)) < 15 {
			t.Errorf("%s is explained in no more than %q", kind.Event.Kind(), body)
		}
		fields := fields(record(filled(kind.Event)))
		for _, m := range quoted.FindAllStringSubmatch(text, -1) {
			if _, ok := fields[m[1]]; !ok {
				t.Errorf("%s quotes %s, which it does not have", kind.Event.Kind(), m[1])
			}
		}
		for line := range strings.Lines(body) {
			if len(strings.TrimSpace(line)) > 80 {
				t.Errorf("%s: a line is wider than a terminal: %s", kind.Event.Kind(), line)
			}
		}
	}
	for id := range entries {
		t.Errorf("%s is explained and no kind has it", id)
	}
}

// TestCatalogCompiles does what the package's installation does, in a root of
// its own.
func TestCatalogCompiles(t *testing.T) {
	root := t.TempDir()
	install(t, root)
	out, err := exec.Command("journalctl", "--root="+root, "--list-catalog").CombinedOutput()
	if err != nil {
		t.Fatalf("list: %v\n%s", err, out)
	}
	if got, want := strings.Count(string(out), "systole"), len(catalog(t)); got < want {
		t.Errorf("%d entries of %d were compiled:\n%s", got, want, out)
	}
}

// install puts the catalog below root and compiles it there.
func install(t *testing.T, root string) {
	t.Helper()
	source := filepath.Join(root, "usr/lib/systemd/catalog")
	for _, dir := range []string{source, filepath.Join(root, "var/lib/systemd/catalog")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile("systole.catalog")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(source, "systole.catalog"), b, 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("journalctl", "--root="+root, "--update-catalog").CombinedOutput(); err != nil || len(out) > 0 {
		t.Fatalf("update: %v\n%s", err, out)
	}
}
