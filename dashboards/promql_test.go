package dashboards

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A selector is one metric with its matchers in a query.
type selector struct {
	metric   string
	labels   []string // of the matchers
	matchers string
	before   string // what stands directly before it
}

var (
	selection = regexp.MustCompile(`([a-zA-Z_][a-zA-Z0-9_]*)\{([^}]*)\}`)
	matcher   = regexp.MustCompile(`([a-z_]+)\s*(?:=~|!~|!=|=)\s*"[^"]*"`)
	kept      = regexp.MustCompile(` by \(([a-z_, ]*)\) \(`)
	joined    = regexp.MustCompile(`\b(?:on|group_left) \(([a-z_, ]*)\)`)
	inLegend  = regexp.MustCompile(`\{\{([a-z_]+)\}\}`)
)

func selectors(expr string) (all []selector) {
	for _, m := range selection.FindAllStringSubmatchIndex(expr, -1) {
		s := selector{metric: expr[m[2]:m[3]], matchers: expr[m[4]:m[5]], before: expr[:m[0]]}
		for _, l := range matcher.FindAllStringSubmatch(s.matchers, -1) {
			s.labels = append(s.labels, l[1])
		}
		all = append(all, s)
	}
	return all
}

// familyOf is the metric without what a classic histogram's series end in.
func familyOf(metric string, all map[string]family) string {
	for _, suffix := range []string{classicBuckets, classicSum, "_count"} {
		if name, ok := strings.CutSuffix(metric, suffix); ok && all[name].kind == "histogram" {
			return name
		}
	}
	return metric
}

// labelsOf are the labels that a metric has.
func labelsOf(metric string, all map[string]family) []string {
	labels := append(slices.Clone(onAll), all[familyOf(metric, all)].labels...)
	if strings.HasSuffix(metric, classicBuckets) {
		labels = append(labels, "le")
	}
	return labels
}

// eachExpr calls f for everything that the boards ask.
func eachExpr(t *testing.T, f func(where, expr string)) {
	for _, b := range committed(t) {
		for _, expr := range b.expressions() {
			f(b.file, expr)
		}
		for _, v := range b.Templating.List {
			if v.Definition != "" {
				f(b.file, v.Definition)
			}
		}
	}
}

func TestQueriesNameWhatIsThere(t *testing.T) {
	all := catalogue(t)
	count := 0
	eachExpr(t, func(where, expr string) {
		for _, s := range selectors(expr) {
			count++
			if _, ok := all[familyOf(s.metric, all)]; !ok {
				t.Errorf("%s: no metric %s in %s", where, s.metric, expr)
			}
			for _, l := range s.labels {
				if !slices.Contains(labelsOf(s.metric, all), l) {
					t.Errorf("%s: %s has no label %s in %s", where, s.metric, l, expr)
				}
			}
		}
	})
	if count < 150 {
		t.Errorf("only %d selectors were looked at", count)
	}
}

// TestQueriesKeepLabelsThatAreThere looks at by(), on() and group_left().
func TestQueriesKeepLabelsThatAreThere(t *testing.T) {
	all := catalogue(t)
	check := func(where, expr, body, list string) {
		var have []string
		for _, s := range selectors(body) {
			have = append(have, labelsOf(s.metric, all)...)
		}
		for _, l := range split(list) {
			if !slices.Contains(have, l) {
				t.Errorf("%s: nothing in %s has a label %s, in %s", where, body, l, expr)
			}
		}
	}
	eachExpr(t, func(where, expr string) {
		for _, m := range kept.FindAllStringSubmatchIndex(expr, -1) {
			check(where, expr, inParentheses(expr[m[1]:]), expr[m[2]:m[3]])
		}
		for _, m := range joined.FindAllStringSubmatch(expr, -1) {
			check(where, expr, expr, m[1])
		}
	})
}

func split(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}

// inParentheses is s up to the parenthesis that closes what is open before it.
func inParentheses(s string) string {
	depth := 1
	for i, r := range s {
		switch r {
		case '(':
			depth++
		case ')':
			depth--
		}
		if depth == 0 {
			return s[:i]
		}
	}
	return s
}

// TestLegendsAndTablesShowLabelsThatAreLeft compares what is shown with the
// labels that the outermost aggregation keeps.
func TestLegendsAndTablesShowLabelsThatAreLeft(t *testing.T) {
	for _, b := range All() {
		for _, r := range b.Rows {
			for _, p := range r.Panels {
				for _, q := range p.Asks {
					left := labelsLeft(q.at(b.Here).Expr)
					for _, m := range inLegend.FindAllStringSubmatch(q.Legend, -1) {
						if !slices.Contains(left, m[1]) {
							t.Errorf("%s, panel %q: {{%s}} is none of %v", b.File, p.Title, m[1], left)
						}
					}
					table, _ := p.View.(Table)
					for _, c := range table.Columns {
						if c.Label != "Value" && !slices.Contains(left, c.Label) {
							t.Errorf("%s, panel %q: column %s is none of %v", b.File, p.Title, c.Label, left)
						}
					}
				}
			}
		}
	}
}

// labelsLeft are those of the first by(), else those of the metric itself.
func labelsLeft(expr string) []string {
	if m := kept.FindStringSubmatch(expr); m != nil {
		return split(m[1])
	}
	return labelsOf(selectors(expr)[0].metric, foreign)
}

// TestCountersAreAskedForTheirIncrease: the value of a counter tells only since
// when the daemon runs. A gauge may fall, and has no rate.
func TestCountersAreAskedForTheirIncrease(t *testing.T) {
	all := catalogue(t)
	eachExpr(t, func(where, expr string) {
		for _, s := range selectors(expr) {
			kind := all[familyOf(s.metric, all)].kind
			grows := strings.HasSuffix(s.before, "rate(") || strings.HasSuffix(s.before, "increase(")
			if want := kind != "gauge"; grows != want {
				t.Errorf("%s: %s is a %s, under rate or increase: %v, in %s", where, s.metric, kind, grows, expr)
			}
		}
	})
}

// TestQueriesAskForTheChosenCluster: no series of another cluster is mixed in.
func TestQueriesAskForTheChosenCluster(t *testing.T) {
	for _, b := range committed(t) {
		operator := "="
		if b.Templating.List[1].Multi {
			operator = "=~"
		}
		for _, expr := range b.expressions() {
			if strings.Contains(expr, "$here") {
				t.Errorf("%s: $here is left in %s", b.file, expr)
			}
			found := selectors(expr)
			for _, s := range found {
				if !strings.Contains(s.matchers, `cluster`+operator+`"$cluster"`) {
					t.Errorf("%s: %s is not of the chosen cluster in %s", b.file, s.metric, expr)
				}
			}
			if len(found) != len(regexp.MustCompile(`\b(systole_|go_|process_|scrape_|up\b|ALERTS)`).FindAllString(expr, -1)) {
				t.Errorf("%s: a metric without matchers in %s", b.file, expr)
			}
		}
	}
}

// TestHistogramsAreAskedInBothForms: the classic buckets vanish where native
// histograms are on, and the other way round.
func TestHistogramsAreAskedInBothForms(t *testing.T) {
	all := catalogue(t)
	classic := regexp.MustCompile(`(_bucket|_sum)\{`)
	for _, b := range committed(t) {
		for _, p := range b.shown() {
			var forms [2][]string
			for _, q := range p.Targets {
				for _, s := range selectors(q.Expr) {
					switch name := familyOf(s.metric, all); {
					case all[name].kind != "histogram":
					case classic.MatchString(s.metric + "{"):
						forms[0] = append(forms[0], name+s.matchers)
					default:
						forms[1] = append(forms[1], name+s.matchers)
					}
				}
			}
			if !slices.Equal(forms[0], forms[1]) {
				t.Errorf("%s, panel %q:\nclassic %v\nnative  %v", b.file, p.Title, forms[0], forms[1])
			}
		}
	}
}

// TestCoursesUseTheIntervalOfTheirRange: a fixed window shows gaps when looked
// at from near, and skips scrapes from afar.
func TestCoursesUseTheIntervalOfTheirRange(t *testing.T) {
	window := regexp.MustCompile(`\[([^\]]*)\]`)
	for _, b := range committed(t) {
		for _, p := range b.shown() {
			for _, q := range p.Targets {
				for _, m := range window.FindAllStringSubmatch(q.Expr, -1) {
					if q.Range != (m[1] == perInterval) {
						t.Errorf("%s, panel %q: range query: %v, window %s", b.file, p.Title, q.Range, m[1])
					}
				}
			}
		}
	}
}

// TestQueriesParse has promtool read every query as a rule, with something in
// place of Grafana's words.
func TestQueriesParse(t *testing.T) {
	type rule struct {
		Record string `json:"record"`
		Expr   string `json:"expr"`
	}
	var all []rule
	eachExpr(t, func(where, expr string) {
		expr = choice.ReplaceAllString(expr, "$1")
		all = append(all, rule{fmt.Sprintf("query:%d", len(all)), filled.Replace(expr)})
	})
	// JSON is YAML.
	file, err := json.Marshal(map[string]any{"groups": []any{map[string]any{"name": "dashboards", "rules": all}}})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "queries.yml")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("promtool", "check", "rules", path).CombinedOutput()
	if err != nil {
		t.Fatalf("promtool, of Debian's package prometheus: %v\n%s", err, out)
	}
	if want := fmt.Sprintf("%d rules found", len(all)); !strings.Contains(string(out), want) || len(all) < 150 {
		t.Errorf("promtool says\n%s\nwant %s", out, want)
	}
}

// choice is the list of a label's values.
var choice = regexp.MustCompile(`^label_values\((.*), [a-z]+\)$`)

// filled is what a board asks when all is chosen.
var filled = strings.NewReplacer(
	"$__rate_interval", "1m", "$__range", "6h",
	"$cluster", "web", "$node", ".+", "$link", ".+", "$job", ".+",
)
