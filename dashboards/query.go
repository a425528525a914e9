package dashboards

import (
	"fmt"
	"slices"
	"strings"
)

// A Query is asked of Prometheus. In Expr, $here stands for the board's
// matchers; all other words with a dollar sign are Grafana's.
type Query struct {
	Expr     string
	Legend   string // {{label}} is replaced by the series' own
	Instant  bool   // the newest value only
	Exemplar bool   // with the traces behind a histogram's buckets
	Format   Format
}

// A Format is how Grafana is to take an answer.
type Format string

const (
	AsSeries  Format = "time_series"
	AsTable   Format = "table"
	AsHeatmap Format = "heatmap"
)

// over asks for a course over the board's time range.
func over(expr, legend string) []Query {
	return []Query{{Expr: expr, Legend: legend, Format: AsSeries}}
}

// now asks for the newest value.
func now(expr, legend string) []Query {
	return []Query{{Expr: expr, Legend: legend, Format: AsSeries, Instant: true}}
}

// rows asks for the newest values, as the rows of a table.
func rows(expr string) []Query {
	return []Query{{Expr: expr, Format: AsTable, Instant: true}}
}

// A histogram names the series of one histogram and how to add them up.
type histogram struct {
	name     string
	matchers string // "" for $here alone
	by       string // labels to keep; "" for none
	window   string // "" for $__rate_interval
}

// perInterval is the window of a rate over time.
const perInterval = "$__rate_interval"

// Prometheus keeps a histogram in one of two forms: the native one when it was
// started with native histograms, else the classic one. Every question about a
// histogram is asked of both, and one of the two has no answer.
const (
	classicBuckets = "_bucket"
	classicSum     = "_sum"
	native         = ""
)

// increase is what was added in the window to the histogram's series with that
// suffix.
func (h histogram) increase(suffix string) string {
	matchers, window := h.matchers, h.window
	if matchers == "" {
		matchers = "$here"
	}
	if window == "" {
		window = perInterval
	}
	return fmt.Sprintf("increase(%s%s{%s}[%s])", h.name, suffix, matchers, window)
}

// sumBy is the sum that keeps labels, a list with commas, and more.
func sumBy(labels string, more ...string) string {
	all := more
	if labels != "" {
		all = append([]string{labels}, more...)
	}
	if len(all) == 0 {
		return "sum"
	}
	return "sum by (" + strings.Join(all, ", ") + ")"
}

// quantile asks which value the part q of all samples stays below. Where there
// were no samples the answer is no number, which ">= 0" leaves out. The classic
// form answers with a guess between two bounds; for q = 1 with the upper bound
// of the highest bucket that has a sample.
func (h histogram) quantile(q, legend string) []Query {
	form := func(sum, series string) Query {
		return Query{
			Expr:   fmt.Sprintf("histogram_quantile(%s, %s (%s)) >= 0", q, sum, h.increase(series)),
			Legend: legend, Format: AsSeries, Exemplar: true,
		}
	}
	return []Query{form(sumBy(h.by, "le"), classicBuckets), form(sumBy(h.by), native)}
}

// quantileNow is quantile's newest value.
func (h histogram) quantileNow(q, legend string) []Query { return newest(h.quantile(q, legend)) }

// buckets asks for the number of samples in each bucket.
func (h histogram) buckets() []Query {
	return []Query{
		{Expr: fmt.Sprintf("%s (%s)", sumBy(h.by, "le"), h.increase(classicBuckets)), Legend: "{{le}}", Format: AsHeatmap, Exemplar: true},
		{Expr: fmt.Sprintf("%s (%s)", sumBy(h.by), h.increase(native)), Format: AsHeatmap, Exemplar: true},
	}
}

// total asks for the sum of all samples in the window.
func (h histogram) total(legend string) []Query {
	return ask(
		over(fmt.Sprintf("%s (%s)", sumBy(h.by), h.increase(classicSum)), legend),
		over(fmt.Sprintf("%s (histogram_sum(%s))", sumBy(h.by), h.increase(native)), legend))
}

// totalNow is total's newest value.
func (h histogram) totalNow(legend string) []Query { return newest(h.total(legend)) }

func newest(queries []Query) []Query {
	for i := range queries {
		queries[i].Instant, queries[i].Exemplar = true, false
	}
	return queries
}

// at puts the matchers of the board in place of $here.
func (q Query) at(here string) Query {
	q.Expr = strings.ReplaceAll(q.Expr, "$here", here)
	return q
}

// ask is the list of a panel's queries, of one question or of several: one
// about a histogram is two queries.
func ask(questions ...[]Query) []Query { return slices.Concat(questions...) }
