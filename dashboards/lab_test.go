package dashboards

import (
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

var (
	healthy  = flag.String("healthy", "", "ask these two Prometheus servers, with a comma between them, every query and write testdata/healthy.json; the second keeps native histograms")
	incident = flag.String("incident", "", "ask this Prometheus every query and write testdata/incident.json, from which the pictures are drawn")
	window   = flag.Duration("window", 15*time.Minute, "how far to look back")
)

// A healthyRun is how many series each query of each panel had on two servers
// that scraped a cluster at rest: one with classic histograms, one with native
// ones.
type healthyRun struct {
	Date   string
	Window string
	Series map[string][2]int // by panelKey
}

func panelKey(file, title string, q grafanaTarget) string {
	return strings.TrimSuffix(file, ".json") + "/" + title + "/" + q.RefID
}

// TestHealthyCluster looks at what a cluster at rest answered: a panel without
// data must say why, and the README must say so too.
func TestHealthyCluster(t *testing.T) {
	const path = "testdata/healthy.json"
	if *healthy != "" {
		writeJSON(t, path, askHealthy(t, strings.Split(*healthy, ",")))
	}
	var run healthyRun
	readJSON(t, path, &run)
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range committed(t) {
		for _, p := range b.shown() {
			var series [2]int
			for _, q := range p.Targets {
				n, ok := run.Series[panelKey(b.file, p.Title, q)]
				if !ok {
					t.Errorf("%s, panel %q, query %s was never asked of a cluster: see README.md, \"Asked of a real cluster\"", b.file, p.Title, q.RefID)
				}
				series[0] += n[0]
				series[1] += n[1]
			}
			why := p.FieldConfig.Defaults.NoValue
			if series[0] > 0 && series[1] > 0 || why == notMeasured {
				continue
			}
			if why == "" {
				t.Errorf("%s, panel %q was empty (series with classic and with native histograms: %v) and does not say why", b.file, p.Title, series)
			}
			if line := fmt.Sprintf("| %s | %s | %s |", strings.TrimSuffix(b.file, ".json"), p.Title, why); !strings.Contains(string(readme), line) {
				t.Errorf("README.md lacks the empty panel:\n%s", line)
			}
		}
	}
}

func askHealthy(t *testing.T, servers []string) healthyRun {
	run := healthyRun{Date: time.Now().UTC().Format(time.DateOnly), Window: window.String(), Series: map[string][2]int{}}
	for i, server := range servers {
		s := newServer(t, server)
		for _, b := range committed(t) {
			for _, p := range b.shown() {
				for _, q := range p.Targets {
					n := run.Series[panelKey(b.file, p.Title, q)]
					n[i] = len(s.ask(q, ""))
					run.Series[panelKey(b.file, p.Title, q)] = n
				}
			}
		}
	}
	return run
}

// A recording is what a lab run answered, to draw pictures from.
type recording struct {
	From, To int64 // seconds
	Answers  map[string][]course
	Marks    map[string][]course // the annotations, by name
}

// A course is one series: a value every Step seconds from the recording's From,
// or one value alone.
type course struct {
	Labels map[string]string
	Step   int64      `json:",omitempty"` // 0: one value, of the recording's To
	Values []*float64 // nil where there was none
}

func (c course) last() float64 {
	for _, v := range slices.Backward(c.Values) {
		if v != nil {
			return *v
		}
	}
	return 0
}

func askIncident(t *testing.T, address string) recording {
	s := newServer(t, address)
	r := recording{From: s.from.Unix(), To: s.to.Unix(), Answers: map[string][]course{}, Marks: map[string][]course{}}
	for _, b := range committed(t) {
		for _, p := range b.Panels { // not those in closed rows
			for _, q := range p.Targets {
				if answer := s.ask(q, p.interval()); len(answer) > 0 {
					r.Answers[panelKey(b.file, p.Title, q)] = answer
				}
			}
		}
		for _, a := range b.Annotations.List {
			if a.BuiltIn == 0 {
				r.Marks[a.Name] = s.overRange(s.fill(a.Expr, s.step), s.step)
			}
		}
	}
	return r
}

func (p grafanaPanel) interval() string {
	if len(p.Targets) == 0 {
		return ""
	}
	return p.Targets[0].Interval
}

// A server is a Prometheus that is asked over its API.
type server struct {
	t        *testing.T
	address  string
	from, to time.Time
	step     time.Duration
}

const (
	points  = 90 // of a course: as many as a small panel has room for
	scraped = 5 * time.Second
)

func newServer(t *testing.T, address string) *server {
	to := time.Now().Truncate(time.Minute)
	return &server{t, address, to.Add(-*window), to, window.Truncate(points*time.Second) / points}
}

// ask asks what the panel would at that time range.
func (s *server) ask(q grafanaTarget, interval string) []course {
	if q.Instant {
		return s.instant(s.fill(q.Expr, s.step))
	}
	step := s.step
	if interval != "" {
		least, err := time.ParseDuration(interval)
		if err != nil {
			s.t.Fatal(err)
		}
		step = max(step, least)
	}
	return s.overRange(s.fill(q.Expr, step), step)
}

// fill puts values in place of Grafana's words, as Grafana computes them.
func (s *server) fill(expr string, step time.Duration) string {
	return strings.NewReplacer(
		"$__rate_interval", fmt.Sprintf("%ds", max(step+scraped, 4*scraped)/time.Second),
		"$__range", fmt.Sprintf("%ds", s.to.Sub(s.from)/time.Second),
		"$cluster", "web", "$node", ".+", "$link", ".+", "$job", ".+",
	).Replace(expr)
}

func (s *server) instant(expr string) []course {
	return s.get("query", 0, url.Values{"query": {expr}, "time": {seconds(s.to)}})
}

func (s *server) overRange(expr string, step time.Duration) []course {
	return s.get("query_range", step, url.Values{"query": {expr}, "start": {seconds(s.from)}, "end": {seconds(s.to)}, "step": {fmt.Sprint(step.Seconds())}})
}

func seconds(at time.Time) string { return strconv.FormatInt(at.Unix(), 10) }

func (s *server) get(what string, step time.Duration, form url.Values) (all []course) {
	resp, err := http.Get(s.address + "/api/v1/" + what + "?" + form.Encode())
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var answer struct {
		Status, Error string
		Data          struct {
			Result []struct {
				Metric     map[string]string
				Value      *[2]any
				Values     [][2]any
				Histogram  any // a native one: of a heat map
				Histograms []any
			}
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		s.t.Fatal(err)
	}
	if answer.Status != "success" {
		s.t.Fatalf("%s: %s", form.Get("query"), answer.Error)
	}
	for _, r := range answer.Data.Result {
		c := course{Labels: r.Metric, Step: int64(step.Seconds())}
		delete(c.Labels, "__name__")
		if r.Value != nil {
			r.Values = [][2]any{*r.Value}
		}
		for _, pair := range r.Values {
			c.add(s, pair)
		}
		all = append(all, c)
	}
	if strings.Contains(form.Get("query"), "sort_desc") {
		return all
	}
	slices.SortFunc(all, func(a, b course) int { return cmp.Compare(fmt.Sprint(a.Labels), fmt.Sprint(b.Labels)) })
	return all
}

// add puts a sample at its place, to five digits.
func (c *course) add(s *server, pair [2]any) {
	v, err := strconv.ParseFloat(pair[1].(string), 64)
	if err != nil || v != v || v > 1e300 {
		return
	}
	if v < 1e9 { // not a time
		v, _ = strconv.ParseFloat(strconv.FormatFloat(v, 'g', 5, 64), 64)
	}
	place := 0
	if c.Step > 0 {
		place = int((int64(pair[0].(float64)) - s.from.Unix()) / c.Step)
	}
	for len(c.Values) <= place {
		c.Values = append(c.Values, nil)
	}
	c.Values[place] = &v
}

func writeJSON(t *testing.T, path string, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	// A line for each panel, so that a change can be read.
	data = []byte(strings.NewReplacer(`],"`, "],\n\"", `:{"`, ":{\n\"").Replace(string(data)) + "\n")
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func readJSON(t *testing.T, path string, v any) {
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatal(err)
	}
}
