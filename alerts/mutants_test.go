package alerts

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// TestUnitTestsFindMistakes spoils each alert in turn and expects the tests
// that bear its name to fail: one that passes proves nothing.
func TestUnitTestsFindMistakes(t *testing.T) {
	groups, cases := ruleGroups{}, rawCases(t)
	load(t, rulesFile, &groups)
	for _, a := range alerts(t) {
		for what, spoilt := range spoil(t, a) {
			t.Run(a.Alert+" "+what, func(t *testing.T) {
				expectFailure(t, groups.with(spoilt), casesNamed(cases, a.Alert+" "))
			})
		}
	}
}

var (
	threshold = regexp.MustCompile(`(>=|[<>]) ([1-9]\d*|0\.5)$`)
	aWindow   = regexp.MustCompile(`\[(\d+)(m|h)\]`)
)

// spoil gives an alert the mistakes that are easily made: a waiting time left
// out, halved or doubled, a threshold off by one, a window doubled, an alert
// that never fires.
func spoil(t *testing.T, a rule) map[string]rule {
	t.Helper()
	all := map[string]rule{}
	add := func(what string, change func(*rule)) {
		spoilt := a
		change(&spoilt)
		if spoilt.Expr == a.Expr && spoilt.For == a.For && spoilt.KeepFiringFor == a.KeepFiringFor {
			t.Fatalf("%s %s: nothing changed", a.Alert, what)
		}
		all[what] = spoilt
	}
	add("that never fires", func(r *rule) { r.Expr = "vector(0) == 1" })
	if a.For != "" {
		d, err := time.ParseDuration(a.For)
		if err != nil {
			t.Fatal(err)
		}
		add("without its wait", func(r *rule) { r.For = "" })
		add("with half its wait", func(r *rule) { r.For = fmt.Sprintf("%dms", d.Milliseconds()/2) })
		add("with twice its wait", func(r *rule) { r.For = fmt.Sprintf("%dms", d.Milliseconds()*2) })
	}
	if a.KeepFiringFor != "" {
		add("that is not kept", func(r *rule) { r.KeepFiringFor = "" })
	}
	expr := strings.TrimSpace(a.Expr)
	if m := threshold.FindStringSubmatch(expr); m != nil {
		for what, by := range map[string]float64{"with a higher threshold": 1, "with a lower threshold": -1} {
			if m[2] == "0.5" {
				by *= 0.3
			}
			var n float64
			fmt.Sscan(m[2], &n)
			add(what, func(r *rule) { r.Expr = threshold.ReplaceAllString(expr, fmt.Sprintf("$1 %g", n+by)) })
		}
	}
	if strings.Contains(expr, "increase(") || strings.Contains(expr, "changes(") {
		add("with twice its window", func(r *rule) {
			r.Expr = aWindow.ReplaceAllStringFunc(expr, func(w string) string {
				m := aWindow.FindStringSubmatch(w)
				var n int
				fmt.Sscan(m[1], &n)
				return fmt.Sprintf("[%d%s]", 2*n, m[2])
			})
		})
	}
	return all
}

// spoiltTraps are the rules without the care that is taken in them, and the
// beginning of the name of the test that must notice.
var spoiltTraps = []struct {
	test, alert string
	change      func(*rule)
}{
	{"Trap 1:", "SystoleDoubleActive", waitingFor("")},
	{"Trap 2:", "SystoleTakeoverFailed", asking(" or sum by (cluster, node) (systole", " unless sum by (cluster, node) (systole")},
	{"Trap 2:", "SystoleTakeoverFailed", asking(" < 900", " > 0")},
	{"Trap 2:", "SystoleTakeoverHappened", asking(" or sum by (cluster, node) (systole", " unless sum by (cluster, node) (systole")},
	{"Trap 3:", "SystoleNodeDead", asking("by (cluster, peer)", "by (peer)")},
	{"Trap 13:", "SystoleServiceUnowned", asking("unless on (cluster) (", "unless on () (")},
	{"Trap 4:", "SystoleTakeoverSlow", asking("systole_takeover_last_duration_seconds", "histogram_quantile(1, systole_takeover_duration_seconds_bucket)")},
	{"Trap 5:", "SystoleNodeDead", asking(`max by (cluster, peer) (systole_peer_state{state="dead"}) == 1`, `label_replace(up == 0, "peer", "$1", "node", "(.+)")`)},
	{"Trap 5:", "SystoleServiceUnowned", asking("unless on (cluster) (label_replace", "and on (cluster) (label_replace")},
	{"Trap 6:", "SystoleNodeDead", asking(`state="dead"`, `state=~"dead|unknown"`)},
	{"Trap 6:", "SystoleNodeDead", asking(`state="dead"`, `state=~"dead|leaving"`)},
	{"Trap 7:", "SystoleNodeDead", asking(`state="dead"`, `state=~"dead|init"`)},
	{"Trap 7:", "SystolePeerNeverHeard", asking(`and on (cluster, node) systole_events_total{event="peer.dead"} > 0`, "")},
	{"Trap 8:", "SystoleNodeDead", asking(`max by (cluster, peer) (systole_peer_state{state="dead"}) == 1`, `label_replace(up == 0, "peer", "$1", "node", "(.+)")`)},
	{"Trap 9:", "SystoleTargetDown", asking("avg_over_time(up{job=\"systole\"}[4m]) < 0.5", "up{job=\"systole\"} == 0")},
	{"Trap 9:", "SystoleTakeoverStuck", asking("last_over_time(systole_takeover_in_progress[1m])", "systole_takeover_in_progress")},
	{"Trap 9:", "SystoleRedundancyLost", asking("last_over_time(systole_link_up[1m])", "systole_link_up")},
	{"Trap 10:", deadMansSwitch, asking("vector(1)", "count(up) > 0")},
	{"Trap 11:", "SystoleNodeDead", kept("")},
	{"Trap 12:", "SystoleTakeoverHappened", asking("changes(systole_takeover_last_timestamp_seconds[15m])", "(time() - systole_takeover_last_timestamp_seconds < bool 900)")},
	{"Trap 12:", "SystoleTakeoverSlow", asking("changes(systole_takeover_last_timestamp_seconds[1h])", "(time() - systole_takeover_last_timestamp_seconds < bool 3600)")},
	{"SystoleStandbyForgotten fires", "SystoleStandbyForgotten", asking("last_over_time(systole_node_standby_since_timestamp_seconds[5m])) > 0", "time() - systole_node_standby_since_timestamp_seconds) > 14400")},
	{"Trap 13:", "SystoleServiceUnowned", asking("unless on (cluster, node) systole_node_info", "and on (cluster, node) systole_node_info")},
	{"Trap 13:", "SystoleClockSkew", asking("(last_over_time(systole_clock_offset_error_seconds[1m]) > 0)", "last_over_time(systole_clock_offset_error_seconds[1m])")},
	{"Trap 14:", "SystoleNodeDead", asking(`state="dead"`, `state=~"dead|unknown"`)},
	{"A rolling upgrade", "SystoleFlapping", asking(`trigger=~"peer_dead|failure",`, "")},
	{"Nodes that are cut off", "SystoleSplitBrain", asking("== 1) > 1 and", "== 1) > 2 and")},
	{"hb_standby", "SystoleServiceUnowned", waitingFor("")},
}

// waitingFor changes "for", kept "keep_firing_for", asking the expression, in
// which white space is single blanks.
func waitingFor(d string) func(*rule) { return func(r *rule) { r.For = d } }
func kept(d string) func(*rule)       { return func(r *rule) { r.KeepFiringFor = d } }
func asking(old, new string) func(*rule) {
	return func(r *rule) { r.Expr = strings.ReplaceAll(folded(r.Expr), old, new) }
}

func folded(expr string) string {
	expr = strings.Join(strings.Fields(expr), " ")
	return strings.NewReplacer("( ", "(", " )", ")").Replace(expr)
}

// TestTrapsCatch takes the care out of a rule and expects the trap to close.
func TestTrapsCatch(t *testing.T) {
	groups, cases := ruleGroups{}, rawCases(t)
	load(t, rulesFile, &groups)
	for _, tt := range spoiltTraps {
		t.Run(tt.test+" "+tt.alert, func(t *testing.T) {
			spoilt := groups.find(tt.alert)
			before := spoilt
			tt.change(&spoilt)
			if spoilt.For == before.For && spoilt.KeepFiringFor == before.KeepFiringFor && folded(spoilt.Expr) == folded(before.Expr) {
				t.Fatal("nothing changed")
			}
			expectFailure(t, groups.replaced(spoilt), casesNamed(cases, tt.test))
		})
	}
}

func (g ruleGroups) find(alert string) rule {
	for _, group := range g.Groups {
		for _, r := range group.Rules {
			if r.Alert == alert {
				return r
			}
		}
	}
	return rule{}
}

// replaced is all groups with another rule of that name.
func (g ruleGroups) replaced(by rule) ruleGroups {
	return g.each(func(r rule) (rule, bool) {
		if r.Alert == by.Alert && r.Record == by.Record {
			return by, true
		}
		return r, true
	})
}

// with keeps the records and this one alert, which is all that its own tests
// look at.
func (g ruleGroups) with(alert rule) ruleGroups {
	return g.each(func(r rule) (rule, bool) {
		if r.Alert == alert.Alert {
			return alert, true
		}
		return r, r.Record != ""
	})
}

func (g ruleGroups) each(change func(rule) (_ rule, keep bool)) ruleGroups {
	var all ruleGroups
	for _, group := range g.Groups {
		old := group.Rules
		group.Rules = nil
		for _, r := range old {
			if changed, keep := change(r); keep {
				group.Rules = append(group.Rules, changed)
			}
		}
		all.Groups = append(all.Groups, group)
	}
	return all
}

// A rawFile is a file for promtool test rules, whole.
type rawFile struct {
	RuleFiles []string         `yaml:"rule_files"`
	Interval  string           `yaml:"evaluation_interval"`
	Order     []string         `yaml:"group_eval_order"`
	Tests     []map[string]any `yaml:"tests"`
}

func rawCases(t testing.TB) (all []rawFile) {
	t.Helper()
	for _, name := range testFiles(t) {
		var file rawFile
		load(t, name, &file)
		all = append(all, file)
	}
	return all
}

// casesNamed are the files with only those tests whose names begin so.
func casesNamed(files []rawFile, prefix string) (some []rawFile) {
	for _, f := range files {
		all := f.Tests
		f.Tests = nil
		for _, c := range all {
			if strings.HasPrefix(c["name"].(string), prefix) {
				f.Tests = append(f.Tests, c)
			}
		}
		if len(f.Tests) > 0 {
			some = append(some, f)
		}
	}
	return some
}

// expectFailure runs the tests against the rules. Promtool must run them, and
// find a fault.
func expectFailure(t *testing.T, groups ruleGroups, files []rawFile) {
	t.Helper()
	if len(files) == 0 {
		t.Fatal("no such tests")
	}
	dir := t.TempDir()
	save(t, filepath.Join(dir, "rules.yml"), groups)
	args := []string{"test", "rules"}
	for i, f := range files {
		f.RuleFiles = []string{"rules.yml"}
		args = append(args, filepath.Join(dir, fmt.Sprintf("%d_test.yml", i)))
		save(t, args[len(args)-1], f)
	}
	out, err := try(t, "promtool", args...)
	if err == nil {
		t.Errorf("the tests do not notice:\n%s", out)
	} else if !strings.Contains(out, "got:") {
		t.Errorf("the tests do not run: %v\n%s", err, out)
	}
}

func save(t *testing.T, file string, v any) {
	t.Helper()
	text, err := yaml.Marshal(v)
	if err == nil {
		err = os.WriteFile(file, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
