package observe

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/systole-ha/systole/test/cluster"
	"github.com/systole-ha/systole/test/lab"
)

var length = flag.Duration("length", time.Minute, "how long the long run is, in whole rounds of its scenario: make observe")

// TestLongRun lets everything befall a cluster and then asks two Prometheus
// servers, one of which keeps native histograms, every query of every dashboard
// and every rule. What has no answer, and what has not moved, must be listed
// with its reason.
func TestLongRun(t *testing.T) {
	t.Parallel()
	s := newSite(t, everything())
	for _, n := range s.nodes() {
		must(t, n.WriteFile("/etc/systemd/system/worker.service", []byte(worker), 0o644))
	}
	servers := []prometheus{
		s.scraper("127.0.0.1:9090", "", "--enable-feature=exemplar-storage"),
		s.scraper("127.0.0.1:9091", "", "--enable-feature=native-histograms"),
	}
	s.far(&far{takes: "/hook", refuses: "/v1/traces"})
	s.both(func(n *lab.Node) error { return n.Configure(tracesDropIn(true)) })
	began := time.Now()
	s.start()
	run := scenario{s, s.eavesdropper()}
	for round := 1; round == 1 || time.Since(began) < *length; round++ {
		for _, step := range run.steps() {
			stepped := time.Now()
			step.do()
			s.settled()
			s.held(virtual, s.alpha)
			t.Logf("round %d, %v: %s took %v", round, time.Since(began).Round(time.Second), step.name, time.Since(stepped).Round(time.Millisecond))
		}
	}
	run.scraped()
	ended := time.Now()
	expectAnswers(t, servers, began, ended)
	expectMoves(t, servers[0], began, ended)
	expectExemplars(t, servers[0], s.entries(s.beta, began), began, ended)
}

// expectAnswers asks everything there is to ask.
func expectAnswers(t *testing.T, servers []prometheus, began, ended time.Time) {
	t.Helper()
	panels, later := map[string][2]int{}, notYet(t)
	for _, q := range slices.Concat(boards(t), rules(t)) {
		var found [2]int
		for i, p := range servers {
			got, err := p.between(fill(q.expr, ended.Sub(began)), began, ended)
			if err != nil {
				t.Errorf("%s: %v", q.of, err)
			}
			found[i] = len(got)
		}
		waits := slices.ContainsFunc(later, func(name string) bool { return strings.Contains(q.expr, name) })
		why, listed := empty[q.of]
		if waits {
			why, listed = "it waits for a family that is not exported yet", true
		}
		if q.panel != "" && !listed {
			sum := panels[q.panel]
			panels[q.panel] = [2]int{sum[0] + found[0], sum[1] + found[1]}
		}
		switch some := found != [2]int{}; {
		case some && listed:
			t.Errorf("%s: has an answer, so %q is not so", q.of, why)
		case !some && !listed:
			t.Errorf("%s: no answer to %s", q.of, q.expr)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(panels)) {
		if panels[name][0] == 0 || panels[name][1] == 0 {
			t.Errorf("panel %s: %v series with classic and with native histograms", name, panels[name])
		}
	}
	t.Logf("%d panels were asked", len(panels))
}

// expectExemplars looks for the traces of beta's takeovers, the last of which
// Prometheus keeps beside the phases.
func expectExemplars(t *testing.T, p prometheus, told cluster.Entries, began, ended time.Time) {
	t.Helper()
	traces, err := p.exemplars("systole_takeover_phase_duration_seconds_bucket{node=\"beta\"}", began, ended)
	must(t, err)
	for _, e := range told.Of("takeover.completed").With("trigger", "peer_dead") {
		if trace := e.Get("trace"); trace != "" && slices.Contains(traces, trace) {
			t.Logf("the trace %s of a takeover is among %d exemplars", trace, len(traces))
			return
		}
	}
	t.Errorf("no trace of a takeover is among the exemplars %v", traces)
}

// A family is a row of docs/metrics.md.
type family struct{ name, kind, movedBy string }

var row = regexp.MustCompile("(?m)^\\| `(systole_[a-z0-9_]+)` \\| ([a-z]+)[^|]* \\| [^|]* \\|.*\\| ([^|]*) \\| [^|]* \\|$")

// catalogue reads docs/metrics.md, which is generated from the table of the
// exporter.
func catalogue(t *testing.T) (all []family) {
	t.Helper()
	text, err := os.ReadFile("../../docs/metrics.md")
	must(t, err)
	exported, _, _ := strings.Cut(string(text), notYetTitle)
	for _, m := range row.FindAllStringSubmatch(exported, -1) {
		all = append(all, family{m[1], m[2], m[3]})
	}
	if len(all) < 50 {
		t.Fatalf("docs/metrics.md: only %d families understood", len(all))
	}
	return all
}

const notYetTitle = "## Not yet"

var notYetRow = regexp.MustCompile("(?m)^\\| `(systole_[a-z0-9_]+)` \\|")

// notYet are the families that the catalogue promises and nothing exports.
func notYet(t *testing.T) (names []string) {
	t.Helper()
	text, err := os.ReadFile("../../docs/metrics.md")
	must(t, err)
	_, later, _ := strings.Cut(string(text), notYetTitle)
	for _, m := range notYetRow.FindAllStringSubmatch(later, -1) {
		names = append(names, m[1])
	}
	return names
}

// expectMoves looks whether each family of the catalogue had two values.
func expectMoves(t *testing.T, p prometheus, began, ended time.Time) {
	t.Helper()
	moved := 0
	for _, f := range catalogue(t) {
		name := f.name
		if f.kind == "histogram" {
			name += "_count"
		}
		run := fmt.Sprintf("%s[%ds]", name, int(ended.Sub(began).Seconds()))
		there, err := p.instant("count(last_over_time("+run+"))", ended)
		must(t, err)
		why, listed := still[f.name]
		if len(there) == 0 && !listed {
			t.Errorf("%s: no series", f.name)
		}
		if strings.HasSuffix(name, "_info") { // constant 1: its series come and go
			run = fmt.Sprintf("count by (node) (%s)[%ds:1s]", name, int(ended.Sub(began).Seconds()))
		}
		got, err := p.instant("max by (node) (max_over_time("+run+") - min_over_time("+run+")) > 0", ended)
		must(t, err)
		switch {
		case f.movedBy == "configuration": // constant, unless somebody edits a file
		case len(got) > 0 && listed:
			t.Errorf("%s: has moved, so %q is not so", f.name, why)
		case len(got) == 0 && !listed:
			t.Errorf("%s: has not moved", f.name)
		case len(got) > 0:
			moved++
		}
	}
	t.Logf("%d families have moved", moved)
}
