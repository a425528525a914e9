package dashboards

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var boardRules = []struct {
	name  string
	check func(b grafanaBoard) string
}{
	{"it imports without questions", func(b grafanaBoard) string {
		if b.ID != nil || b.Inputs != nil || b.Requires != nil {
			return "id, __inputs or __requires"
		}
		return ""
	}},
	{"it is not edited by hand, since the next import would lose that", func(b grafanaBoard) string {
		if b.Editable {
			return "editable"
		}
		return ""
	}},
	{"Grafana 10.0 knows its schema", func(b grafanaBoard) string {
		if b.SchemaVersion != 38 {
			return fmt.Sprint(b.SchemaVersion)
		}
		return ""
	}},
	{"it says what it answers", func(b grafanaBoard) string {
		if !strings.Contains(b.Description, "?") || !strings.HasPrefix(b.Title, "systole: ") {
			return b.Title
		}
		return ""
	}},
	{"ids of panels and rows are unique", func(b grafanaBoard) string {
		seen := map[int]bool{}
		for _, p := range b.flat() {
			if p.ID < 1 || seen[p.ID] {
				return p.Title
			}
			seen[p.ID] = true
		}
		return ""
	}},
	{"titles are unique", func(b grafanaBoard) string {
		seen := map[string]bool{}
		for _, p := range b.flat() {
			if p.Title == "" || seen[p.Title] {
				return p.Title
			}
			seen[p.Title] = true
		}
		return ""
	}},
	{"no two panels overlap and none sticks out", func(b grafanaBoard) string {
		cell := map[[2]int]string{}
		for _, p := range b.flat() {
			g := p.GridPos
			if g.X < 0 || g.W < 1 || g.X+g.W > 24 || g.H < 1 {
				return p.Title
			}
			for x := g.X; x < g.X+g.W; x++ {
				for y := g.Y; y < g.Y+g.H; y++ {
					if other, taken := cell[[2]int{x, y}]; taken {
						return p.Title + " and " + other
					}
					cell[[2]int{x, y}] = p.Title
				}
			}
		}
		return ""
	}},
	{"the data source is its first choice, then the cluster", func(b grafanaBoard) string {
		v := b.Templating.List
		if len(v) < 2 || v[0].Name != "datasource" || v[0].Type != "datasource" || v[0].Query != "prometheus" || v[1].Name != "cluster" || v[1].Type != "query" {
			return fmt.Sprint(v)
		}
		return ""
	}},
	{"every choice is used, and no other", func(b grafanaBoard) string { return unusedChoice(b) }},
	{"takeovers, deaths and split brains are marked", func(b grafanaBoard) string {
		var names []string
		for _, a := range b.Annotations.List {
			if a.BuiltIn == 0 && (!a.Enable || a.Datasource != chosen || a.UseValueForTime != strings.HasSuffix(a.Expr, "* 1000")) {
				return a.Name
			}
			names = append(names, a.Name)
		}
		if want := []string{"Annotations & Alerts", "Takeover", "Peer dead", "Split brain"}; !slices.Equal(names, want) {
			return fmt.Sprint(names)
		}
		return ""
	}},
	{"it leads to the others and they to it", func(b grafanaBoard) string {
		l := b.Links
		if len(l) != 1 || l[0].Type != "dashboards" || !slices.Equal(l[0].Tags, []string{"systole"}) || !slices.Equal(b.Tags, l[0].Tags) || !l[0].KeepTime {
			return fmt.Sprint(l)
		}
		return ""
	}},
	{"its choices go along where the other board has the same ones", func(b grafanaBoard) string {
		if b.Links[0].IncludeVars == b.Templating.List[1].Multi {
			return "a choice of many clusters cannot go to a board of one"
		}
		return ""
	}},
}

func TestBoards(t *testing.T) {
	for _, b := range committed(t) {
		for _, rule := range boardRules {
			if wrong := rule.check(b); wrong != "" {
				t.Errorf("%s: not so that %s: %s", b.file, rule.name, wrong)
			}
		}
	}
}

// dollar finds variables, Grafana's own and ours, as "$name" in a query.
var dollar = regexp.MustCompile(`\$\{?([a-zA-Z_]+)`)

// unusedChoice finds a variable that no query has, or a word in a query that no
// variable is.
func unusedChoice(b grafanaBoard) string {
	known := map[string]bool{"__rate_interval": true, "__range": true, "__interval": true}
	used := map[string]bool{"datasource": true}
	for _, v := range b.Templating.List {
		known[v.Name] = true
	}
	for _, expr := range b.expressions() {
		for _, m := range dollar.FindAllStringSubmatch(expr, -1) {
			if !known[m[1]] {
				return "$" + m[1] + " in " + expr
			}
			used[m[1]] = true
		}
	}
	for _, v := range b.Templating.List {
		if !used[v.Name] {
			return "$" + v.Name + " is not used"
		}
	}
	return ""
}

// expressions are all that the board asks of Prometheus, but for the choices.
func (b grafanaBoard) expressions() []string {
	var all []string
	for _, p := range b.shown() {
		for _, q := range p.Targets {
			all = append(all, q.Expr)
		}
	}
	for _, a := range b.Annotations.List {
		if a.BuiltIn == 0 {
			all = append(all, a.Expr)
		}
	}
	return all
}
