package dashboards

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// A family is what is known of a metric: its type and labels.
type family struct {
	kind   string // counter, gauge, histogram
	labels []string
	notYet bool
}

// onAll are the labels of every series: two of the daemon, two of Prometheus.
var onAll = []string{"cluster", "node", "instance", "job"}

// foreign are metrics that systole does not define: Prometheus' own and those
// that client_golang has of every program.
var foreign = map[string]family{
	"ALERTS":                        {kind: "gauge", labels: []string{"alertname", "alertstate", "severity", "peer", "group"}},
	"up":                            {kind: "gauge"},
	"scrape_duration_seconds":       {kind: "gauge"},
	"scrape_samples_scraped":        {kind: "gauge"},
	"go_goroutines":                 {kind: "gauge"},
	"go_memstats_heap_alloc_bytes":  {kind: "gauge"},
	"go_gc_duration_seconds":        {kind: "gauge", labels: []string{"quantile"}}, // a summary
	"process_cpu_seconds_total":     {kind: "counter"},
	"process_open_fds":              {kind: "gauge"},
	"process_resident_memory_bytes": {kind: "gauge"},
}

// planned are the families whose panels wait for the daemon to export them. A
// name leaves this list, and its panel the row of its board's end, as soon as
// docs/metrics.md has it; none may come to it.
var planned = map[string]family{}

var (
	exported = regexp.MustCompile("(?m)^\\| `(systole_[a-z_]+)` \\| (counter|gauge|histogram)[^|]* \\| ([^|]*) \\|")
	waiting  = regexp.MustCompile("(?m)^\\| `(systole_[a-z_]+)` \\| [^|]* \\|$")
	word     = regexp.MustCompile("`([a-z_]+)`")
)

// catalogue reads docs/metrics.md, which is generated from the daemon's table.
func catalogue(t *testing.T) map[string]family {
	page, err := os.ReadFile("../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	now, later, _ := strings.Cut(string(page), "## Not yet")
	all := map[string]family{}
	for _, m := range exported.FindAllStringSubmatch(now, -1) {
		f := family{kind: m[2]}
		for _, l := range word.FindAllStringSubmatch(m[3], -1) {
			f.labels = append(f.labels, l[1])
		}
		all[m[1]] = f
	}
	for _, m := range waiting.FindAllStringSubmatch(later, -1) {
		f := planned[m[1]]
		f.notYet = true
		all[m[1]] = f
	}
	if len(all) < 70 {
		t.Fatalf("docs/metrics.md: only %d metrics found", len(all))
	}
	for name, f := range foreign {
		all[name] = f
	}
	return all
}

// TestPlannedOnlyShrinks keeps the list of planned metrics to what the daemon
// does not export and a panel waits for.
func TestPlannedOnlyShrinks(t *testing.T) {
	all := catalogue(t)
	asked := map[string]bool{}
	for _, b := range committed(t) {
		for _, expr := range b.expressions() {
			for _, s := range selectors(expr) {
				asked[familyOf(s.metric, all)] = true
			}
		}
	}
	for name := range planned {
		if !all[name].notYet {
			t.Errorf("%s is exported, or given up: take it from the list and its panel from %q", name, notMeasuredYet)
		}
		if !asked[name] {
			t.Errorf("%s: no panel waits for it, take it from the list", name)
		}
	}
	if len(planned) > 17 {
		t.Errorf("%d planned metrics: there were 17 at first, and the list may only shrink", len(planned))
	}
}

// TestNotYetIsSetApart finds panels of metrics that are not exported outside
// the row for them, and others in it.
func TestNotYetIsSetApart(t *testing.T) {
	all := catalogue(t)
	for _, b := range committed(t) {
		for _, row := range b.Panels {
			for _, p := range append([]grafanaPanel{row}, row.Panels...) {
				set := row.Type == "row" && row.Title == notMeasuredYet && p.Type != "row"
				for _, q := range p.Targets {
					for _, s := range selectors(q.Expr) {
						if notYet := all[familyOf(s.metric, all)].notYet; notYet != set {
							t.Errorf("%s, panel %q: %s: exported: %v, in row %q: %v", b.file, p.Title, s.metric, !notYet, notMeasuredYet, set)
						}
					}
				}
				if set != (p.FieldConfig.Defaults.NoValue == notMeasured) {
					t.Errorf("%s, panel %q must say %q exactly if it stands in that row", b.file, p.Title, notMeasured)
				}
			}
		}
	}
}
