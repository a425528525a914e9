package dashboards

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// kinds are the panels that are allowed, all of which ship with Grafana.
var kinds = []string{"stat", "timeseries", "table", "bargauge", "heatmap", "state-timeline", "status-history", "text"}

// units are those of Grafana that are in use: an unknown one shows as itself.
var units = []string{"s", "percentunit", "short", "cps", "bytes", "dateTimeFromNow", "none"}

// rules of a panel: each says what is wrong with it, "" for nothing.
var panelRules = []struct {
	name  string
	check func(p grafanaPanel) string
}{
	{"it ships with Grafana", func(p grafanaPanel) string {
		if !slices.Contains(kinds, p.Type) {
			return p.Type
		}
		return ""
	}},
	{"it says how to read it, in whole sentences", func(p grafanaPanel) string {
		if d := p.Description; len(d) < 40 || !strings.HasSuffix(d, ".") {
			return fmt.Sprintf("%q", d)
		}
		return ""
	}},
	{"its unit is one of Grafana's", func(p grafanaPanel) string {
		if u := p.FieldConfig.Defaults.Unit; !slices.Contains(units, u) {
			return fmt.Sprintf("unit %q", u)
		}
		return ""
	}},
	{"its thresholds begin at minus infinity and rise", func(p grafanaPanel) string {
		steps := p.FieldConfig.Defaults.Thresholds.Steps
		if len(steps) == 0 || steps[0].Value != nil || steps[0].Color == "" {
			return "no first step"
		}
		for i, s := range steps[1:] {
			if s.Value == nil || s.Color == "" || i > 0 && *s.Value <= *steps[i].Value {
				return fmt.Sprintf("step %d", i+1)
			}
		}
		return ""
	}},
	{"it has a legend where its kind has one", func(p grafanaPanel) string {
		switch p.Type {
		case "timeseries", "state-timeline", "status-history", "heatmap":
			if l := p.Options.Legend; l == nil || !l.ShowLegend && !l.Show {
				return "none"
			}
		}
		return ""
	}},
	{"its series have names", func(p grafanaPanel) string {
		for _, q := range p.Targets {
			if q.Format == "time_series" && q.LegendFormat == "" {
				return q.Expr
			}
		}
		return ""
	}},
	{"its data source is the board's choice", func(p grafanaPanel) string {
		if p.Datasource == nil || *p.Datasource != chosen {
			return fmt.Sprint(p.Datasource)
		}
		for _, q := range p.Targets {
			if q.Datasource != chosen {
				return fmt.Sprint(q.Datasource)
			}
		}
		return ""
	}},
	{"it asks something, each query by a letter of its own", func(p grafanaPanel) string {
		seen := map[string]bool{}
		for _, q := range p.Targets {
			if seen[q.RefID] || q.RefID < "A" || q.RefID > "Z" || q.Instant == q.Range {
				return q.RefID
			}
			seen[q.RefID] = true
		}
		if len(p.Targets) == 0 {
			return "nothing"
		}
		return ""
	}},
	{"why it may be empty stands in its description too", func(p grafanaPanel) string {
		if text := p.FieldConfig.Defaults.NoValue; text != "" && !strings.HasSuffix(p.Description, "Without data: "+text+".") {
			return text
		}
		return ""
	}},
	{"a state has a name and a colour for every value", func(p grafanaPanel) string {
		if p.Type != "state-timeline" && p.Type != "status-history" {
			return ""
		}
		mappings := p.FieldConfig.Defaults.Mappings
		if len(mappings) != 1 || len(mappings[0].Options) == 0 {
			return "no names"
		}
		for value, m := range mappings[0].Options {
			if m.Text == "" || m.Color == "" {
				return value
			}
		}
		return ""
	}},
	{"courses of a histogram show exemplars, figures do not", func(p grafanaPanel) string {
		for _, q := range p.Targets {
			histogram := strings.Contains(q.Expr, "histogram_quantile") || p.Type == "heatmap"
			if q.Exemplar != (histogram && q.Range) {
				return q.Expr
			}
		}
		return ""
	}},
	{"its patterns for single series compile", func(p grafanaPanel) string {
		for _, o := range p.FieldConfig.Overrides {
			if _, err := regexp.Compile(strings.Trim(o.Matcher.Options, "/")); o.Matcher.ID != "byRegexp" || err != nil {
				return o.Matcher.Options
			}
		}
		return ""
	}},
}

var chosen = grafanaSource{"prometheus", "${datasource}"}

func TestPanels(t *testing.T) {
	for _, b := range committed(t) {
		for _, p := range b.shown() {
			for _, rule := range panelRules {
				if wrong := rule.check(p); wrong != "" {
					t.Errorf("%s, panel %q: not so that %s: %s", b.file, p.Title, rule.name, wrong)
				}
			}
		}
	}
}
