package alerts

import (
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// A testFile is one file for promtool test rules, as far as the tests here look
// into it.
type testFile struct {
	Tests []testCase `yaml:"tests"`
}

type testCase struct {
	Name   string      `yaml:"name"`
	Alerts []alertTest `yaml:"alert_rule_test"`
	Exprs  []struct {
		Samples []any `yaml:"exp_samples"`
	} `yaml:"promql_expr_test"`
}

type alertTest struct {
	At     string `yaml:"eval_time"`
	Alert  string `yaml:"alertname"`
	Expect []struct {
		Labels map[string]string `yaml:"exp_labels"`
	} `yaml:"exp_alerts"`
}

func testFiles(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("tests/*_test.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no tests for promtool: %v, %v", files, err)
	}
	return files
}

func testCases(t testing.TB) (all []testCase) {
	t.Helper()
	for _, name := range testFiles(t) {
		var file testFile
		load(t, name, &file)
		all = append(all, file.Tests...)
	}
	return all
}

func TestPromtoolAcceptsTheFiles(t *testing.T) {
	for _, args := range [][]string{
		{"check", "rules", "--lint=all", "--lint-fatal", rulesFile},
		{"check", "config", "prometheus.yml"},
	} {
		if out, err := try(t, "promtool", args...); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}

func TestPromtoolRunsTheTests(t *testing.T) {
	for _, file := range testFiles(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			if out, err := try(t, "promtool", "test", "rules", file); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// TestEveryTestFileHasANegativeCase: a rule that never fires passes every test
// that expects nothing, one that always fires every test that expects it.
func TestEveryTestFileHasANegativeCase(t *testing.T) {
	for _, name := range testFiles(t) {
		var file testFile
		var nothing, something int
		load(t, name, &file)
		for _, c := range file.Tests {
			expected := []int{}
			for _, a := range c.Alerts {
				expected = append(expected, len(a.Expect))
			}
			for _, e := range c.Exprs {
				expected = append(expected, len(e.Samples))
			}
			for _, n := range expected {
				if n == 0 {
					nothing++
				} else {
					something++
				}
			}
		}
		if nothing == 0 || something == 0 {
			t.Errorf("%s: %d expectations of nothing and %d of something, want both", name, nothing, something)
		}
	}
}

// TestEveryAlertIsTested: it fires where it had not, falls silent again, and
// is quiet just below. The dead man's switch only fires.
func TestEveryAlertIsTested(t *testing.T) {
	cases := testCases(t)
	for _, a := range alerts(t) {
		var fires, quiet bool
		for _, c := range cases {
			fires = fires || strings.HasPrefix(c.Name, a.Alert+" fires") && (c.risesAndFalls(t, a.Alert) || a.Alert == deadMansSwitch)
			quiet = quiet || strings.HasPrefix(c.Name, a.Alert+" is quiet")
		}
		if !fires {
			t.Errorf("no test %q in which it is silent, then fires, then is silent again", a.Alert+" fires …")
		}
		if !quiet && a.Alert != deadMansSwitch {
			t.Errorf("no test %q", a.Alert+" is quiet …")
		}
	}
}

func (c testCase) risesAndFalls(t testing.TB, alert string) bool {
	t.Helper()
	count := map[time.Duration]int{}
	for _, a := range c.Alerts {
		at, err := time.ParseDuration(a.At)
		if err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
		if a.Alert == alert {
			count[at] = len(a.Expect)
		}
	}
	shape := ""
	for _, at := range slices.Sorted(maps.Keys(count)) {
		shape += fmt.Sprint(min(count[at], 1))
	}
	return strings.Contains(strings.ReplaceAll(shape, "11", "1"), "010")
}

// TestTraps: the fourteen are all there, in order.
func TestTraps(t *testing.T) {
	var file testFile
	load(t, "tests/traps_test.yml", &file)
	if len(file.Tests) != 14 {
		t.Errorf("%d traps, want 14", len(file.Tests))
	}
	for i, c := range file.Tests {
		if want := fmt.Sprintf("Trap %d: ", i+1); !strings.HasPrefix(c.Name, want) {
			t.Errorf("trap %q, want %q …", c.Name, want)
		}
	}
}

// texts are the templates of an alert, by where they stand.
func texts(a rule) map[string]string {
	all := maps.Clone(a.Annotations)
	for label, text := range a.Labels {
		all["label "+label] = text
	}
	return all
}

var labelUse = regexp.MustCompile(`\$labels\.([a-z_]+)`)

// TestTemplatesUseLabelsThatSurvive: an alert has the labels that promtool saw
// on it, and a template that names another one shows nothing there. Labels that
// the rule adds are not yet there when its texts are made.
func TestTemplatesUseLabelsThatSurvive(t *testing.T) {
	seen := map[string][]string{}
	for _, c := range testCases(t) {
		for _, a := range c.Alerts {
			for _, e := range a.Expect {
				seen[a.Alert] = slices.Sorted(maps.Keys(e.Labels))
			}
		}
	}
	for _, a := range alerts(t) {
		for where, text := range texts(a) {
			for _, m := range labelUse.FindAllStringSubmatch(text, -1) {
				if _, added := a.Labels[m[1]]; added || !slices.Contains(seen[a.Alert], m[1]) {
					t.Errorf("%s: %s uses the label %s; it has %v before its own are added", a.Alert, where, m[1], seen[a.Alert])
				}
			}
		}
	}
}
