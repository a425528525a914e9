package metrics

import (
	"fmt"
	"strings"
	"testing"
)

//go:generate go test -run TestDocs -update .

// TestDocs holds docs/metrics.md to the table.
func TestDocs(t *testing.T) {
	golden(t, "../../docs/metrics.md", document(t))
}

func document(t *testing.T) string {
	var b strings.Builder
	b.WriteString(`# Metrics

Generated from the table in exporters/metrics/metrics.go by ` + "`go generate ./exporters/metrics`" + `; do not edit.

Every family also carries two constant labels: ` + "`cluster`" + `, and ` + "`node`" + `, which is the node that reports. Scrape with
` + "`honor_labels: true`" + ` or without target labels of these names, else Prometheus renames them to ` + "`exported_cluster`" + `.
The values of all other labels come from the configuration or from a closed set in the code, never from the network, and
every label set is there from the first scrape, counters at 0. There are three exceptions: ` + "`systole_peer_config_match`" + ` is
absent while the peer has not said what its files are, ` + "`systole_takeover_ready`" + ` and ` + "`systole_takeover_ready_check`" + ` while a node
that starts has not yet judged, and ` + "`systole_address_present`" + ` gets another interface where an address comes to another than
haresources names, or names none.

Histograms are classic and native in one: their classic bounds stand below, the native form has buckets a tenth apart, at
most 160. Prometheus started with ` + "`--enable-feature=native-histograms`" + ` keeps only the native form, so that queries on
` + "`_bucket`" + ` then find nothing. Durations are taken by the monotonic clock, timestamps by the wall clock.

client_golang's own ` + "`go_`" + ` and ` + "`process_`" + ` families are there as well, with the same two labels.

`)
	letterTable(&b)
	for _, section := range sections() {
		fmt.Fprintf(&b, "## %s\n\n| name | type | labels | meaning | moved by | series |\n|---|---|---|---|---|---|\n", section.title)
		for _, f := range section.families {
			b.WriteString(f.line())
		}
		b.WriteByte('\n')
	}
	boundsTable(&b)
	b.WriteString("## Not yet\n\nNames that are kept for facts nothing establishes so far. They are not exported: a 0 would say that all is well\nwhere nobody looks.\n\n")
	if len(notYet) == 0 {
		return b.String() + "None.\n"
	}
	b.WriteString("| name | needs |\n|---|---|\n")
	for _, missing := range notYet {
		fmt.Fprintf(&b, "| `%s` | %s |\n", missing.name, missing.needs)
	}
	return b.String()
}

// line is the family's row.
func (f family) line() string {
	series := f.series
	if f.kind == histogram {
		series = strings.TrimPrefix(fmt.Sprintf("%s·%d", f.series, f.perSet()), "1·")
	}
	return fmt.Sprintf("| `%s` | %s | %s | %s | %s | %s |\n", f.name, f.kind, code(f.labels), f.help, f.from, series)
}

func code(words []string) string {
	if len(words) == 0 {
		return ""
	}
	return "`" + strings.Join(words, "`, `") + "`"
}

// A section is a run of families about one thing; it begins at the first of
// them.
type section struct {
	title    string
	families []family
}

var sectionsBegin = map[string]string{
	"systole_build_info":             "Identity, configuration, build",
	"systole_link_info":              "Links and heartbeats",
	"systole_peer_state":             "Membership",
	"systole_node_resources":         "Resources",
	"systole_takeovers_total":        "Takeover",
	"systole_control_requests_total": "The daemon watching itself",
}

func sections() []section {
	var all []section
	for _, f := range families {
		if title, ok := sectionsBegin[f.name]; ok {
			all = append(all, section{title: title})
		}
		last := &all[len(all)-1]
		last.families = append(last.families, f)
	}
	return all
}

// letterTable says what the series column counts, and what it comes to.
func letterTable(b *strings.Builder) {
	cfg := reference()
	b.WriteString("The column *series* is the most there can be, in these letters:\n\n| letter | counts | here |\n|---|---|---|\n")
	for _, l := range letters {
		fmt.Fprintf(b, "| %s | %s | %d |\n", l.letter, l.meaning, l.count(cfg))
	}
	fmt.Fprintf(b, "\nWith the figures of the column *here* that is at most %d series, besides some 45 of the runtime; at most %d are\npromised. With 8 groups of one resource each, which makes the most of 8 resources, the sum is %d.\n\n", most(cfg), bound, most(eightGroups()))
}

// most is the sum of the series column under cfg.
func most(cfg Config) int {
	sum := 0
	for _, f := range families {
		if sets, err := f.sets(cfg); err == nil {
			sum += sets * f.perSet()
		}
	}
	return sum
}

func boundsTable(b *strings.Builder) {
	b.WriteString("## Classic bounds\n\n| of | in seconds, or as a ratio |\n|---|---|\n")
	for _, row := range []struct {
		of     string
		bounds []float64
	}{
		{"round trips and waits", roundTrips}, {"intervals", intervals}, {"deadtime used", ratios},
		{"lateness, stalls, scrapes", lateness}, {"operations", operations}, {"takeovers, phases, outages", outages},
	} {
		fmt.Fprintf(b, "| %s | %s |\n", row.of, strings.Trim(fmt.Sprint(row.bounds), "[]"))
	}
	b.WriteByte('\n')
}
