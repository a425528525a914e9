package dashboards

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A grafanaBoard is what the tests look at in a committed file: they judge what
// is imported, not what the builder was told.
type grafanaBoard struct {
	ID            *int
	UID           string
	Title         string
	Description   string
	Tags          []string
	Editable      bool
	SchemaVersion int
	Inputs        any `json:"__inputs"`
	Requires      any `json:"__requires"`
	Panels        []grafanaPanel
	Templating    struct{ List []grafanaVariable }
	Annotations   struct{ List []grafanaAnnotation }
	Links         []struct {
		Type, Title string
		Tags        []string
		IncludeVars bool
		KeepTime    bool
	}

	file string
}

type grafanaVariable struct {
	Name, Type, Definition string
	Query                  any
	Multi, IncludeAll      bool
}

type grafanaAnnotation struct {
	Name, Expr      string
	BuiltIn         int
	Enable          bool
	Datasource      grafanaSource
	UseValueForTime bool
}

type grafanaSource struct{ Type, UID string }

type grafanaPanel struct {
	ID                       int
	Type, Title, Description string
	Collapsed                bool
	Panels                   []grafanaPanel
	Datasource               *grafanaSource
	GridPos                  struct{ X, Y, W, H int }
	Targets                  []grafanaTarget
	FieldConfig              struct {
		Defaults struct {
			Unit, NoValue string
			Thresholds    struct {
				Mode  string
				Steps []struct {
					Color string
					Value *float64
				}
			}
			Mappings []struct {
				Options map[string]struct{ Text, Color string }
			}
			Links  []struct{ Title, URL string }
			Max    *float64
			Custom struct {
				DrawStyle         string
				ScaleDistribution struct{ Type string }
			}
		}
		Overrides []struct {
			Matcher    struct{ ID, Options string }
			Properties []struct{ Value grafanaProperty }
		}
	}
	Options struct {
		Legend   *struct{ ShowLegend, Show bool }
		TextMode string
		SortBy   []any
	}
	Transformations []struct {
		ID      string
		Options struct {
			RenameByName map[string]string
			IndexByName  map[string]int
		}
	}
}

// A grafanaProperty is the value of an override: a colour, or what else there is.
type grafanaProperty struct{ FixedColor string }

func (p *grafanaProperty) UnmarshalJSON(data []byte) error {
	var color struct{ FixedColor string }
	_ = json.Unmarshal(data, &color) // other properties are not looked at
	p.FixedColor = color.FixedColor
	return nil
}

type grafanaTarget struct {
	RefID, Expr, LegendFormat, Format, Interval string
	Datasource                                  grafanaSource
	Instant, Range, Exemplar                    bool
}

// committed reads the JSON files.
func committed(t *testing.T) []grafanaBoard {
	var all []grafanaBoard
	for _, b := range All() {
		data, err := os.ReadFile(b.File + ".json")
		if err != nil {
			t.Fatal(err)
		}
		board := grafanaBoard{file: b.File + ".json"}
		if err := json.Unmarshal(data, &board); err != nil {
			t.Fatal(err)
		}
		all = append(all, board)
	}
	return all
}

// flat is the board's panels and rows, those in closed rows too.
func (b grafanaBoard) flat() []grafanaPanel {
	var all []grafanaPanel
	for _, p := range b.Panels {
		all = append(append(all, p), p.Panels...)
	}
	return all
}

// shown is flat without the rows.
func (b grafanaBoard) shown() []grafanaPanel {
	return slices.DeleteFunc(b.flat(), func(p grafanaPanel) bool { return p.Type == "row" })
}

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

// ours is Grafana's own variables and others, as "$name" in a query.
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

// TestNamesThatOthersKnow holds the boards' names to what alerts and bookmarks
// point at.
func TestNamesThatOthersKnow(t *testing.T) {
	var got []string
	for _, b := range committed(t) {
		got = append(got, b.UID)
	}
	want := []string{"systole-overview", "systole-links", "systole-takeover", "systole-resources", "systole-daemon"}
	if !slices.Equal(got, want) {
		t.Errorf("uids:\n got %v\nwant %v", got, want)
	}
}

var toBoard = regexp.MustCompile(`/d/([a-z-]+)(\?var-([a-z]+)=)?`)

// TestLinksArrive follows every link to a board: those of panels and those of
// alerts.
func TestLinksArrive(t *testing.T) {
	choices := map[string][]string{}
	var urls []string
	for _, b := range committed(t) {
		for _, v := range b.Templating.List {
			choices[b.UID] = append(choices[b.UID], v.Name)
		}
		for _, p := range b.shown() {
			for _, l := range p.FieldConfig.Defaults.Links {
				urls = append(urls, l.URL)
			}
		}
	}
	rules, err := os.ReadFile("../alerts/systole.rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	urls = append(urls, toBoard.FindAllString(string(rules), -1)...)
	if len(urls) < 20 {
		t.Fatalf("only %d links found", len(urls))
	}
	for _, url := range urls {
		m := toBoard.FindStringSubmatch(url)
		if m == nil || choices[m[1]] == nil || m[3] != "" && !slices.Contains(choices[m[1]], m[3]) {
			t.Errorf("%s leads nowhere", url)
		}
	}
}
