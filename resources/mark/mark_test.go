package mark

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/systole-ha/systole/resources"
	"github.com/systole-ha/systole/resources/resourcetest"
)

var ok = resourcetest.OK

func TestMarks(t *testing.T) {
	for _, word := range []string{
		"Delay::1",
		"MailTo::root@example.com::a/b",
		"SendArp::192.0.2.10/24/eth0:web",
		"MailTo::" + strings.Repeat("a", 400),
		"..",
	} {
		t.Run(word[:min(len(word), 20)], func(t *testing.T) {
			s, err := resources.ParseSpec(word)
			if err != nil {
				t.Fatal(err)
			}
			dir := filepath.Join(t.TempDir(), "not", "there", "yet")
			m := In(dir)
			want := func(note string, started bool) {
				t.Helper()
				gotNote, got, err := In(dir).Get(s)
				if err != nil || got != started || gotNote != note {
					t.Errorf("Get:\n got %q, %v, %v\nwant %q, %v", gotNote, got, err, note, started)
				}
			}
			want("", false)
			ok(t, m.Clear(s))
			ok(t, m.Set(s, "one"))
			want("one", true)
			ok(t, m.Set(s, ""))
			want("", true)
			if got, err := m.Status(s); got != resources.Running || err != nil {
				t.Errorf("Status: got %v, %v; want running", got, err)
			}
			ok(t, m.Clear(s))
			ok(t, m.Clear(s))
			want("", false)
			if got, err := m.Status(s); got != resources.Stopped || err != nil {
				t.Errorf("Status: got %v, %v; want stopped", got, err)
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

func TestMarksOfTwoResourcesDiffer(t *testing.T) {
	m := In(t.TempDir())
	ok(t, m.Set(resources.Spec{Name: "Delay", Args: []string{"1"}}, ""))
	for _, other := range []string{"Delay", "Delay::2", "Delay%3A%3A1"} {
		if got, err := m.Status(resources.Spec{Name: other}); got != resources.Stopped || err != nil {
			t.Errorf("Status of %s: got %v, %v; want stopped", other, got, err)
		}
	}
}

func TestStatusOfMarksThatCannotBeRead(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	ok(t, os.WriteFile(file, nil, 0o600))
	m := In(file) // not a directory
	if got, err := m.Status(resources.Spec{Name: "Delay"}); got != resources.Unknown || err == nil {
		t.Errorf("Status: got %v, %v; want unknown and an error", got, err)
	}
	if err := m.Set(resources.Spec{Name: "Delay"}, ""); err == nil {
		t.Error("Set: no error")
	}
}
