package metrics

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
)

// Registry is where all series are, for those who add their own. Gathering
// from it is not counted as a scrape.
func (m *Metrics) Registry() *prometheus.Registry { return m.series.registry }

// Handler answers a scrape in the format that is asked for: text, OpenMetrics,
// or protobuf, which alone carries native histograms. Scrapes that overlap
// share one collection, so that any number of them costs no more than one. The
// page is not compressed: that would cost this process several times what
// collecting does, to spare a local network some hundred kilobytes a minute.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.timed(), promhttp.HandlerOpts{
		EnableOpenMetrics:  true,
		DisableCompression: true,
		CoalesceGather:     true,
		ErrorHandling:      promhttp.ContinueOnError,
	})
}

// timed collects and takes the time, which the next scrape shows.
func (m *Metrics) timed() prometheus.GathererFunc {
	return func() ([]*dto.MetricFamily, error) {
		start := time.Now()
		families, err := m.series.registry.Gather()
		m.collected.Observe(time.Since(start).Seconds())
		return families, err
	}
}
