package observe

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// A query is what a panel, an annotation, a variable or a rule asks.
type query struct {
	of    string // who asks: overview/Peers/A, or the name of a rule
	panel string // overview/Peers; empty for others
	expr  string
}

// A board is what is asked in a dashboard's file.
type board struct {
	Panels     []panel
	Templating struct {
		List []struct{ Name, Definition string }
	}
	Annotations struct{ List []struct{ Name, Expr string } }
}

type panel struct {
	Type, Title string
	Panels      []panel
	Targets     []struct{ RefID, Expr string }
}

// boards are all queries of all dashboards.
func boards(t *testing.T) (all []query) {
	t.Helper()
	paths, err := filepath.Glob("../../dashboards/*.json")
	must(t, err)
	for _, path := range paths {
		text, err := os.ReadFile(path)
		must(t, err)
		var b board
		must(t, json.Unmarshal(text, &b))
		name := strings.TrimSuffix(filepath.Base(path), ".json")
		for _, p := range b.Panels {
			for _, p := range append([]panel{p}, p.Panels...) {
				all = append(all, p.queries(name)...)
			}
		}
		for _, a := range b.Annotations.List {
			if a.Expr != "" {
				all = append(all, query{of: name + ", annotation " + a.Name, expr: a.Expr})
			}
		}
		for _, v := range b.Templating.List {
			if m := labelValues.FindStringSubmatch(v.Definition); m != nil {
				all = append(all, query{of: name + ", variable " + v.Name, expr: m[1]})
			}
		}
	}
	return all
}

var labelValues = regexp.MustCompile(`^label_values\((.*), \w+\)$`)

func (p panel) queries(board string) (all []query) {
	for _, q := range p.Targets {
		all = append(all, query{of: board + "/" + p.Title + "/" + q.RefID, panel: board + "/" + p.Title, expr: q.Expr})
	}
	return all
}

// rules are all expressions of all rules: those of alerts without the time that
// they must be true for.
func rules(t *testing.T) (all []query) {
	t.Helper()
	var file struct {
		Groups []struct {
			Rules []struct{ Record, Alert, Expr string }
		}
	}
	readYAML(t, "systole.rules.yml", &file)
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			all = append(all, query{of: r.Record + r.Alert, expr: r.Expr})
		}
	}
	return all
}

// fill puts values in place of Grafana's words, for a look back at the run.
func fill(expr string, run time.Duration) string {
	return strings.NewReplacer(
		"$__rate_interval", "5s", "$__range", fmt.Sprintf("%ds", int(run.Seconds())),
		"$cluster", "web", "$node", ".+", "$link", ".+", "$job", ".+",
	).Replace(expr)
}
