package chaos

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/systole-ha/systole/test/book"
)

var (
	update = flag.Bool("update", false, "measure the table, and write it to docs/safety.md")
	only   = flag.String("only", "", "measure only columns whose NAME DEADTIME match: 'systole 2s'")
	struck = flag.String("struck", "", "measure only faults that match")
)

var deadtimes = []time.Duration{10 * time.Second, 2 * time.Second, 500 * time.Millisecond}

// TestTable strikes the node that serves with one fault after another, for every
// contender and every deadtime, and writes down what that cost. It takes half an
// hour: make chaos. Without -update it strikes systole with a few of them, at
// half a second, and writes nothing.
func TestTable(t *testing.T) {
	if !*update {
		few(t)
		return
	}
	b := book.Read[table](t, kept)
	for _, deadtime := range deadtimes {
		for _, by := range contenders {
			name := fmt.Sprintf("%s %s", by.name, deadtime)
			if !regexp.MustCompile(*only).MatchString(name) {
				continue
			}
			t.Run(name, func(t *testing.T) { column(t, b, by, deadtime) })
		}
	}
	b.write(t)
}

// column measures one contender at one deadtime.
func column(t *testing.T, b *table, by contender, deadtime time.Duration) {
	s := newStage(t, by, deadtime)
	s.fresh(unprotected)
	b.column(by, deadtime).Versions = versions(t, s)
	for _, f := range faults {
		if f.spared(by) || !regexp.MustCompile(*struck).MatchString(f.name) {
			continue
		}
		with := cmp.Or(f.with, unprotected)
		if with != s.with {
			s.fresh(with)
		}
		began := time.Now()
		c, err := s.suffer(f)
		if err != nil {
			t.Errorf("%s: %v", f.name, err)
			s.fresh(with)
			continue
		}
		c.Took, c.Load = int(time.Since(began).Seconds()), load(t)
		t.Logf("%s: %s, in %d s", f.name, c, c.Took)
		b.enter(by, deadtime, f, c)
		if promised := by.name == systole.name && f.promised(); promised && (c.Answered > 0 || c.Endless) {
			t.Errorf("%s: two nodes answered for %d ms, want none; endless: %v", f.name, c.Answered, c.Endless)
		}
		if c.Endless {
			s.fresh(with)
		}
	}
}

// core is the part of the table that make test measures, in under a minute.
var core = []string{"the daemon stands still (SIGSTOP)", "one of two links cut", "systemctl restart"}

func few(t *testing.T) {
	t.Helper()
	s := newStage(t, systole, 500*time.Millisecond)
	s.fresh(unprotected)
	for _, f := range faults {
		if !slices.Contains(core, f.name) {
			continue
		}
		c, err := s.suffer(f)
		must(t, err)
		t.Logf("%s: %s", f.name, c)
		if f.promised() && c.Answered > 0 {
			t.Errorf("%s: two nodes answered for %d ms, want none", f.name, c.Answered)
		}
		if c.Endless {
			t.Errorf("%s: not one holder in the end", f.name)
		}
	}
}

// TestTableIsFresh holds docs/safety.md against what was measured.
func TestTableIsFresh(t *testing.T) { kept.Fresh(t, book.Read[table](t, kept).tables(), *update) }

// versions names what was measured and on what.
func versions(t *testing.T, s *stage) string {
	t.Helper()
	run := func(words ...string) string {
		out, err := s.nodes()[0].Run(soon(t), words[0], words[1:]...)
		must(t, err)
		return strings.TrimSpace(out)
	}
	kernel, _, _ := strings.Cut(run("uname", "-sr"), "-") // without what whoever built it added
	if s.by.pkg == "" {
		return kernel
	}
	return run("dpkg-query", "--show", "--showformat=${source:Upstream-Version}", s.by.pkg) + ", " + kernel
}

// load is the average number of processes that ran or wanted to, within the last
// minute.
func load(t *testing.T) float64 {
	t.Helper()
	text, err := os.ReadFile("/proc/loadavg")
	must(t, err)
	average, err := strconv.ParseFloat(strings.Fields(string(text))[0], 64)
	must(t, err)
	return average
}
