package metrics

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"github.com/systole-ha/systole/agent/event"
)

// What Prometheus 2.42 asks for without and with native histograms.
const (
	acceptText     = "text/plain;version=0.0.4"
	acceptOpen     = "application/openmetrics-text;version=1.0.0"
	acceptProtobuf = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
)

func scrape(t testing.TB, h http.Handler, accept string) *http.Response {
	t.Helper()
	request := httptest.NewRequest("GET", "/metrics", nil)
	request.Header.Set("Accept", accept)
	recorder := httptest.NewRecorder()
	h.ServeHTTP(recorder, request)
	if recorder.Code != http.StatusOK {
		t.Fatalf("%s: status %d: %s", accept, recorder.Code, recorder.Body)
	}
	return recorder.Result()
}

func body(t testing.TB, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestHandlerSpeaksOpenMetrics(t *testing.T) {
	m := open(t, reference())
	r := scrape(t, m.Handler(), acceptOpen)
	if got := r.Header.Get("Content-Type"); !strings.HasPrefix(got, "application/openmetrics-text; version=1.0.0") {
		t.Errorf("Content-Type %s", got)
	}
	if got := body(t, r); !strings.HasSuffix(got, "# EOF\n") || !strings.Contains(got, "# TYPE systole_takeovers counter") {
		t.Errorf("the page does not end as OpenMetrics does, or has no counter as OpenMetrics names it:\n%.300s", got)
	}
}

func TestHistogramsAreClassicAndNative(t *testing.T) {
	m := open(t, fenced())
	tell(m, instant(1), heartbeat(1))
	decoder := expfmt.NewDecoder(bufio.NewReader(scrape(t, m.Handler(), acceptProtobuf).Body), expfmt.NewFormat(expfmt.TypeProtoDelim))
	native := map[string]bool{}
	for {
		var f dto.MetricFamily
		if err := decoder.Decode(&f); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		for _, metric := range f.GetMetric() {
			if h := metric.GetHistogram(); h != nil {
				native[f.GetName()] = native[f.GetName()] || h.Schema != nil && len(h.GetPositiveSpan()) > 0 && len(h.GetBucket()) > 0
			}
		}
	}
	for _, f := range families {
		if _, ok := native[f.name]; ok != (f.kind == histogram) {
			t.Errorf("%s is a %s, and among the histograms: %v", f.name, f.kind, ok)
		}
	}
	if !native["systole_heartbeat_interval_seconds"] {
		t.Error("systole_heartbeat_interval_seconds has not both forms")
	}
}

func TestScrapesAreTimed(t *testing.T) {
	m := open(t, reference())
	h := m.Handler()
	if got := body(t, scrape(t, h, acceptText)); !strings.Contains(got, `systole_collect_duration_seconds_count{cluster="web",node="alpha"} 0`) {
		t.Error("the first scrape does not show 0 scrapes before it")
	}
	if got := body(t, scrape(t, h, acceptText)); !strings.Contains(got, `systole_collect_duration_seconds_count{cluster="web",node="alpha"} 1`) {
		t.Error("the second scrape does not show the first")
	}
}

// TestScrapeWhileRecording is for the race detector, and holds every page to
// one state of the peer.
func TestScrapeWhileRecording(t *testing.T) {
	m := open(t, reference())
	h := m.Handler()
	stop := make(chan struct{})
	var recording sync.WaitGroup
	recording.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				tell(m, instant(float64(i)), heartbeat(1), event.HeartbeatSent{Late: time.Millisecond},
					event.PeerStateChanged{Peer: "beta", To: peerStates[i%len(peerStates)]})
			}
		}
	})
	for range 20 {
		page := body(t, scrape(t, h, acceptText))
		states := 0
		for _, line := range samples(page) {
			if strings.HasPrefix(line, "systole_peer_state{") && strings.HasSuffix(line, " 1") {
				states++
			}
		}
		if states != 1 {
			t.Errorf("a page shows the peer in %d states", states)
		}
	}
	close(stop)
	recording.Wait()
}
