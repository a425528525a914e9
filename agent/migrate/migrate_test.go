package migrate

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestWrite writes over what is there: it must be kept, and secrets must be
// secret from the first byte on.
func TestWrite(t *testing.T) {
	root := t.TempDir()
	at := func(path string) string { return filepath.Join(root, path) }
	put := func(path, text string, mode os.FileMode) {
		t.Helper()
		if err := errors.Join(os.MkdirAll(filepath.Dir(at(path)), 0o755), os.WriteFile(at(path), []byte(text), mode)); err != nil {
			t.Fatal(err)
		}
	}
	put("/etc/systole/ha.cf", "old\n", 0o644)
	put("/etc/systole/ha.cf.kept-1", "older\n", 0o644)
	put("/etc/systole/authkeys", "secret\n", 0o644) // readable: it was copied without its mode
	plan := &Plan{Files: []File{
		{Path: "/etc/systole/ha.cf", Mode: 0o644, Text: "new\n"},
		{Path: "/etc/systole/authkeys", Mode: 0o600, Text: "secret\n", Secret: true},
		{Path: "/etc/systemd/system/systole.service.d/devices.conf", Mode: 0o644, Text: "[Service]\n"},
	}}
	var said bytes.Buffer
	if err := plan.Write(root, &said); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"/etc/systole/ha.cf":                                 "new\n -rw-r--r--",
		"/etc/systole/ha.cf.kept-1":                          "older\n -rw-r--r--",
		"/etc/systole/ha.cf.kept-2":                          "old\n -rw-r--r--",
		"/etc/systole/authkeys":                              "secret\n -rw-------",
		"/etc/systemd/system/systole.service.d/devices.conf": "[Service]\n -rw-r--r--",
	} {
		text, err := os.ReadFile(at(path))
		info, statErr := os.Stat(at(path))
		if err := errors.Join(err, statErr); err != nil {
			t.Error(err)
			continue
		}
		if got := string(text) + " " + info.Mode().String(); got != want {
			t.Errorf("%s:\n got %q\nwant %q", path, got, want)
		}
	}
	const want = `/etc/systole/ha.cf is kept as /etc/systole/ha.cf.kept-2
/etc/systole/ha.cf is written
/etc/systole/authkeys is there already
/etc/systemd/system/systole.service.d/devices.conf is written
`
	if said.String() != want {
		t.Errorf("it said\n%swant\n%s", &said, want)
	}
	entries, err := os.ReadDir(at("/etc/systole"))
	if err != nil || len(entries) != 4 {
		t.Errorf("%d files in the folder, want 4: nothing half written (%v)", len(entries), err)
	}
}

// TestWriteTwice changes nothing the second time.
func TestWriteTwice(t *testing.T) {
	root := t.TempDir()
	plan := &Plan{Files: []File{{Path: "/a/b", Mode: 0o644, Text: "x\n"}}}
	var said bytes.Buffer
	if err := errors.Join(plan.Write(root, &said), plan.Write(root, &said)); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(filepath.Join(root, "a")); err != nil || len(entries) != 1 {
		t.Errorf("%d files, want 1 (%v)", len(entries), err)
	}
}

// TestBlockedWritesNothing where something is to be cured first.
func TestBlockedWritesNothing(t *testing.T) {
	root := t.TempDir()
	plan := &Plan{Files: []File{{Path: "/a", Mode: 0o644, Text: "x\n"}}}
	plan.Add(Blocks, "ha.cf:1", "node", "", "no nodes")
	if err := plan.Write(root, &bytes.Buffer{}); !errors.Is(err, ErrBlocked) {
		t.Errorf("got %v, want %v", err, ErrBlocked)
	}
	if _, err := os.Stat(filepath.Join(root, "a")); err == nil {
		t.Error("a file was written")
	}
}

// TestPrintComparesWithWhatIsThere and hides secrets.
func TestPrintComparesWithWhatIsThere(t *testing.T) {
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "a"), []byte("1\n2\n3\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	plan := &Plan{Title: "title", Files: []File{
		{Path: "/a", Mode: 0o644, Text: "1\n3\n4\n"},
		{Path: "/key", Mode: 0o600, Text: "very-secret\n", Secret: true},
		{Path: "/b", Mode: 0o644, Text: "1\n", Origin: "/a"},
	}}
	var out bytes.Buffer
	plan.Print(&out, os.DirFS(root))
	const want = `title


--- /a (as it is; would be kept as /a.kept-1)
+++ /a (mode 0644)
 1
-2
 3
+4

--- nothing
+++ /key (mode 0600)
    with a secret in it, not shown

--- /a (stays as it is)
+++ /b (mode 0644)
 1
-2
-3
`
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", &out, want)
	}
}

func TestDifference(t *testing.T) {
	for _, tt := range []struct{ old, now, want string }{
		{"", "", ""},
		{"", "a b", "+a +b"},
		{"a b", "", "-a -b"},
		{"a b c", "a x c", " a -b +x  c"},
		{"a b a b", "b a b a", "-a  b  a  b +a"},
	} {
		got := strings.Join(difference(strings.Fields(tt.old), strings.Fields(tt.now)), " ")
		if got != tt.want {
			t.Errorf("%q and %q: got %q, want %q", tt.old, tt.now, got, tt.want)
		}
	}
	long := slices.Repeat([]string{"x"}, 3000)
	if got := len(difference(long, long)); got != 6000 {
		t.Errorf("%d lines of two files that are too long to be compared, want 6000", got)
	}
}

// TestOrderOfFindings is by file and line; what is about all of them comes last.
func TestOrderOfFindings(t *testing.T) {
	plan := &Plan{}
	for _, where := range []string{"", "ha.cf:10", "haresources:1", "ha.cf:9", "ha.cf:9"} {
		plan.Add(Lost, where, "", "", "x")
	}
	var got []string
	for _, f := range plan.Of(Lost) {
		got = append(got, f.Where)
	}
	if want := []string{"ha.cf:9", "ha.cf:10", "haresources:1", ""}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
