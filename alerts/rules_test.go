package alerts

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

const rulesFile = "systole.rules.yml"

// A rule is one alert or one record.
type rule struct {
	Record        string            `yaml:"record,omitempty"`
	Alert         string            `yaml:"alert,omitempty"`
	Expr          string            `yaml:"expr"`
	For           string            `yaml:"for,omitempty"`
	KeepFiringFor string            `yaml:"keep_firing_for,omitempty"`
	Labels        map[string]string `yaml:"labels,omitempty"`
	Annotations   map[string]string `yaml:"annotations,omitempty"`
}

type group struct {
	Name     string `yaml:"name"`
	Interval string `yaml:"interval,omitempty"`
	Rules    []rule `yaml:"rules"`
}

type ruleGroups struct {
	Groups []group `yaml:"groups"`
}

func load(t testing.TB, file string, v any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err == nil {
		err = yaml.Unmarshal(text, v)
	}
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// rules are those of the file, in its order.
func rules(t testing.TB) (all []rule) {
	t.Helper()
	var file ruleGroups
	load(t, rulesFile, &file)
	for _, g := range file.Groups {
		all = append(all, g.Rules...)
	}
	return all
}

func alerts(t testing.TB) []rule {
	t.Helper()
	return slices.DeleteFunc(rules(t), func(r rule) bool { return r.Alert == "" })
}

// deadMansSwitch is the one alert that is about no cluster.
const deadMansSwitch = "SystoleDeadMansSwitch"

// boards are the uids of the dashboards on which a cluster can be chosen.
func boards(t testing.TB) (uids []string) {
	t.Helper()
	files, err := filepath.Glob("../dashboards/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		var board struct {
			UID        string `yaml:"uid"`
			Templating struct {
				List []struct {
					Name string `yaml:"name"`
				} `yaml:"list"`
			} `yaml:"templating"`
		}
		load(t, file, &board) // JSON is YAML
		for _, v := range board.Templating.List {
			if v.Name == "cluster" {
				uids = append(uids, board.UID)
			}
		}
	}
	return uids
}

var (
	alertName = regexp.MustCompile(`^Systole[A-Z][A-Za-z]+$`)
	dashboard = regexp.MustCompile(`^https://grafana\.example\.org/d/([a-z-]+)(\?var-cluster=\{\{ \$labels\.cluster \}\})?$`)
)

func TestEveryAlertSaysWhatIsNeeded(t *testing.T) {
	severities, uids := []string{"critical", "warning", "info", "none"}, boards(t)
	for _, a := range alerts(t) {
		if !alertName.MatchString(a.Alert) {
			t.Errorf("%s: not a name of ours", a.Alert)
		}
		if !slices.Contains(severities, a.Labels["severity"]) {
			t.Errorf("%s: severity %q, want one of %v", a.Alert, a.Labels["severity"], severities)
		}
		if got, want := slices.Sorted(maps.Keys(a.Annotations)), []string{"dashboard_url", "description", "runbook_url", "summary"}; !slices.Equal(got, want) {
			t.Errorf("%s: annotations\n got %v\nwant %v", a.Alert, got, want)
		}
		if got, want := a.Annotations["runbook_url"], "https://github.com/systole-ha/systole/blob/main/docs/runbooks/"+a.Alert+".md"; got != want {
			t.Errorf("%s: runbook_url\n got %s\nwant %s", a.Alert, got, want)
		}
		board := dashboard.FindStringSubmatch(a.Annotations["dashboard_url"])
		if board == nil || !slices.Contains(uids, board[1]) {
			t.Errorf("%s: dashboard_url %s, want one of %v with the cluster chosen", a.Alert, a.Annotations["dashboard_url"], uids)
		}
		if a.Alert == deadMansSwitch {
			continue
		}
		if !strings.Contains(a.Annotations["summary"], "{{ $labels.cluster }}") {
			t.Errorf("%s: the summary does not name the cluster: %s", a.Alert, a.Annotations["summary"])
		}
		if !strings.Contains(a.Annotations["description"], "{{") {
			t.Errorf("%s: the description carries nothing of what happened: %s", a.Alert, a.Annotations["description"])
		}
	}
}

// TestAlertsReadNoHistogram: where Prometheus takes native histograms, series
// with _bucket, _sum and _count are gone, and an alert on them is silent.
func TestAlertsReadNoHistogram(t *testing.T) {
	known := families(t)
	for _, r := range rules(t) {
		forms := map[string][2]bool{} // by family: classic, native
		for _, s := range selectors(r.Expr) {
			f, ok := known.find(s.name)
			if !ok || f.kind != "histogram" {
				continue
			}
			if r.Alert != "" {
				t.Errorf("%s reads the histogram %s: let it read a record", r.Alert, s.name)
			}
			form := forms[f.name]
			form[boolIndex(s.name == f.name)] = true
			forms[f.name] = form
		}
		for name, form := range forms {
			if form != [2]bool{true, true} {
				t.Errorf("%s reads only one form of %s", r.Record, name)
			}
		}
	}
}

func boolIndex(b bool) int {
	if b {
		return 1
	}
	return 0
}

// sinceStart are the alerts that may read a counter bare: what it has counted
// since the daemon's start is what they ask for.
var sinceStart = []string{"SystoleTakeoverFailed", "SystoleTakeoverHappened", "SystolePeerNeverHeard"}

// TestCountersAreCountedOverTime: a bare counter never falls, so an alert on it
// would fire for ever.
func TestCountersAreCountedOverTime(t *testing.T) {
	known := families(t)
	for _, r := range rules(t) {
		for _, s := range selectors(r.Expr) {
			f, ok := known.find(s.name)
			if ok && strings.HasPrefix(f.kind, "counter") && s.window == "" && !slices.Contains(sinceStart, r.Alert) {
				t.Errorf("%s%s reads the counter %s without a range", r.Alert, r.Record, s.name)
			}
		}
	}
}
