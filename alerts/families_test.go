package alerts

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// waiting are the alerts on families that the daemon does not export yet, which
// can never fire until it does. The list may only shrink.
var waiting = map[string][]string{}

// A family is a row of docs/metrics.md.
type family struct {
	name, kind string
	labels     []string
	exported   bool // not under "Not yet", where only the name is told
}

type catalogue map[string]family

// find knows the series of a histogram as well.
func (c catalogue) find(series string) (family, bool) {
	if f, ok := c[series]; ok {
		return f, ok
	}
	for _, suffix := range []string{"_bucket", "_sum", "_count"} {
		if f, ok := c[strings.TrimSuffix(series, suffix)]; ok && f.kind == "histogram" {
			return f, ok
		}
	}
	return family{}, false
}

var (
	exportedRow = regexp.MustCompile("(?m)^\\| `(systole_[a-z0-9_]+)` \\| ([a-z() ]+) \\| ([^|]*) \\|.*\\|.*\\|.*\\|$")
	notYetRow   = regexp.MustCompile("(?m)^\\| `(systole_[a-z0-9_]+)` \\| [^|]+ \\|$")
	word        = regexp.MustCompile("[a-z_]+")
)

// families reads docs/metrics.md, which is generated from the exporter's table.
func families(t testing.TB) catalogue {
	t.Helper()
	text, err := os.ReadFile("../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	exported, notYet, ok := strings.Cut(string(text), "## Not yet")
	if !ok {
		t.Fatal("docs/metrics.md has no section \"Not yet\"")
	}
	all := catalogue{}
	for _, m := range exportedRow.FindAllStringSubmatch(exported, -1) {
		all[m[1]] = family{name: m[1], kind: m[2], labels: word.FindAllString(m[3], -1), exported: true}
	}
	for _, m := range notYetRow.FindAllStringSubmatch(notYet, -1) {
		all[m[1]] = family{name: m[1]}
	}
	if len(all) < 60 {
		t.Fatalf("docs/metrics.md: only %d families understood", len(all))
	}
	return all
}

// A selector is a series name in PromQL, with what follows it.
type selector struct {
	name     string
	matchers []matcher
	window   string // the range, such as 5m
}

type matcher struct{ label, op, value string }

var (
	selectorText = regexp.MustCompile(`\b(systole[:_][a-z0-9_:]+|up|process_[a-z_]+)\b(?:\{([^}]*)\})?(?:\[(\w+)\])?`)
	matcherText  = regexp.MustCompile(`([a-z_]+)(=~|!~|!=|=)(?:"([^"]*)"|%(?:\[\d\])?q)`)
	ticked       = regexp.MustCompile("printf `([^`]*)`")
)

func selectors(expr string) (all []selector) {
	for _, m := range selectorText.FindAllStringSubmatch(expr, -1) {
		s := selector{name: m[1], window: m[3]}
		for _, m := range matcherText.FindAllStringSubmatch(m[2], -1) {
			s.matchers = append(s.matchers, matcher{m[1], m[2], m[3]})
		}
		all = append(all, s)
	}
	return all
}

// queries are all PromQL of a rule: its own, and what its texts ask.
func (r rule) queries() []string {
	all := []string{r.Expr}
	for _, text := range r.Annotations {
		for _, m := range ticked.FindAllStringSubmatch(text, -1) {
			all = append(all, m[1])
		}
	}
	return all
}

// everywhere are labels that any series may be asked for.
var everywhere = []string{"cluster", "node", "job", "instance", "le"}

// TestRulesKnowTheFamilies holds every name and label in the rules to
// docs/metrics.md, save for the labels of families that are not there yet.
func TestRulesKnowTheFamilies(t *testing.T) {
	known, records := families(t), map[string]bool{}
	for _, r := range rules(t) {
		records[r.Record] = true
	}
	for _, r := range rules(t) {
		for _, q := range r.queries() {
			for _, s := range selectors(q) {
				if !strings.HasPrefix(s.name, "systole_") {
					if strings.HasPrefix(s.name, "systole:") && !records[s.name] {
						t.Errorf("%s%s: nobody records %s", r.Alert, r.Record, s.name)
					}
					continue
				}
				f, ok := known.find(s.name)
				if !ok {
					t.Errorf("%s%s: there is no %s in docs/metrics.md", r.Alert, r.Record, s.name)
				}
				for _, m := range s.matchers {
					if f.exported && !slices.Contains(slices.Concat(everywhere, f.labels), m.label) {
						t.Errorf("%s%s: %s has no label %s", r.Alert, r.Record, s.name, m.label)
					}
				}
			}
		}
	}
}

var grouping = regexp.MustCompile(`\b(?:by|on) \(([a-z_, ]+)\)`)

// TestRulesGroupByLabelsThatExist: a label in "by" that no series has is empty
// in the result, without an error.
func TestRulesGroupByLabelsThatExist(t *testing.T) {
	known := families(t)
	for _, r := range rules(t) {
		for _, q := range r.queries() {
			labels, open := slices.Clone(everywhere), false
			for _, s := range selectors(q) {
				f, _ := known.find(s.name)
				labels = append(labels, f.labels...)
				open = open || !f.exported && strings.HasPrefix(s.name, "systole")
			}
			for _, m := range grouping.FindAllStringSubmatch(q, -1) {
				for _, label := range word.FindAllString(m[1], -1) {
					if !open && !slices.Contains(labels, label) {
						t.Errorf("%s%s groups by %s, which nothing in it has: %s", r.Alert, r.Record, label, q)
					}
				}
			}
		}
	}
}

// TestWaiting keeps the list of alerts that cannot fire yet true.
func TestWaiting(t *testing.T) {
	known, got := families(t), map[string][]string{}
	for _, r := range rules(t) {
		missing := map[string]bool{}
		for _, q := range r.queries() {
			for _, s := range selectors(q) {
				if f, ok := known.find(s.name); ok && !f.exported {
					missing[s.name] = true
				}
			}
		}
		if len(missing) > 0 {
			got[r.Alert+r.Record] = slices.Sorted(maps.Keys(missing))
		}
	}
	if !maps.EqualFunc(got, waiting, slices.Equal) {
		t.Errorf("rules on families that are not exported:\n got %v\nwant %v", got, waiting)
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(readme), "## Waiting")
	section, _, _ = strings.Cut(section, "\n## ")
	pages := runbookPages(t)
	for _, r := range alerts(t) {
		want := waiting[r.Alert] != nil
		if got := strings.Contains(section, r.Alert); got != want {
			t.Errorf("README.md, \"Waiting\": %s is named: %v, want %v", r.Alert, got, want)
		}
		if got := strings.Contains(pages[r.Alert], "cannot fire yet"); got != want {
			t.Errorf("the runbook of %s says that it cannot fire yet: %v, want %v", r.Alert, got, want)
		}
	}
}
