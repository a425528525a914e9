package observe

import (
	"bytes"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/systole-ha/systole/test/lab"
)

// A page is what a daemon shows Prometheus.
type page struct {
	site     *site
	node     *lab.Node
	families map[string]*dto.MetricFamily
}

func (s *site) page(n *lab.Node) page {
	s.t.Helper()
	text, err := s.get("http://" + metricsAddress(n) + "/metrics")
	must(s.t, err)
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	must(s.t, err)
	return page{s, n, families}
}

// metric is the only one of a family that has these labels, pairs of name and
// value.
func (p page) metric(family string, labels ...string) *dto.Metric {
	p.site.t.Helper()
	var found []*dto.Metric
	for _, m := range p.families[family].GetMetric() {
		if matches(m, labels) {
			found = append(found, m)
		}
	}
	if len(found) != 1 {
		p.site.t.Fatalf("%s shows %d of %s with %v, want one", p.node, len(found), family, labels)
	}
	return found[0]
}

func matches(m *dto.Metric, labels []string) bool {
	for i := 0; i < len(labels); i += 2 {
		has := false
		for _, l := range m.GetLabel() {
			has = has || l.GetName() == labels[i] && l.GetValue() == labels[i+1]
		}
		if !has {
			return false
		}
	}
	return true
}

func (p page) counter(family string, labels ...string) int {
	p.site.t.Helper()
	return int(p.metric(family, labels...).GetCounter().GetValue())
}

func (p page) histogram(family string, labels ...string) histogram {
	p.site.t.Helper()
	h := p.metric(family, labels...).GetHistogram()
	all := histogram{count: h.GetSampleCount(), sum: h.GetSampleSum()}
	for _, b := range h.GetBucket() {
		all.buckets = append(all.buckets, bucket{b.GetUpperBound(), b.GetCumulativeCount()})
	}
	return all
}

// A histogram is what has been observed, with classic buckets.
type histogram struct {
	count   uint64
	sum     float64
	buckets []bucket
}

type bucket struct {
	most  float64
	count uint64 // cumulative
}

// since is what was observed after another look at the same histogram.
func (h histogram) since(before histogram) histogram {
	d := histogram{count: h.count - before.count, sum: h.sum - before.sum}
	for i, b := range h.buckets {
		d.buckets = append(d.buckets, bucket{b.most, b.count - before.buckets[i].count})
	}
	return d
}

func (h histogram) mean() float64 { return h.sum / float64(h.count) }

// quantile is the bound of the bucket that q of all are not above.
func (h histogram) quantile(q float64) float64 {
	for _, b := range h.buckets {
		if float64(b.count) >= q*float64(h.count) {
			return b.most
		}
	}
	return h.buckets[len(h.buckets)-1].most
}
