package metrics

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/systole-ha/systole/agent/event"
)

// received is a heartbeat with everything in it, as the loop hands it over.
var received = event.Record{Time: boot, Event: event.HeartbeatReceived{
	Peer: "beta", Link: "eth0", Interval: time.Second, Silence: time.Second, Deadtime: 10 * time.Second,
	RoundTrip: 300 * time.Microsecond, Waited: 40 * time.Microsecond, Late: 200 * time.Microsecond,
}}

var sent = event.Record{Time: boot, Event: event.HeartbeatSent{Late: time.Millisecond}}

func TestHeartbeatsAllocateNothing(t *testing.T) {
	m := open(t, reference())
	for _, r := range []event.Record{received, sent} {
		m.Record(r) // the first of its size makes a native bucket
		if got := testing.AllocsPerRun(1000, func() { m.Record(r) }); got != 0 {
			t.Errorf("%s allocates %v times", r.Event.Kind(), got)
		}
	}
}

func BenchmarkRecordHeartbeatReceived(b *testing.B) {
	m := open(b, reference())
	b.ReportAllocs()
	for b.Loop() {
		m.Record(received)
	}
}

func BenchmarkRecordHeartbeatSent(b *testing.B) {
	m := open(b, reference())
	b.ReportAllocs()
	for b.Loop() {
		m.Record(sent)
	}
}

// BenchmarkScrape is one scrape of the reference cluster. On a machine that does
// something else as well, cpu-ms/op is what it costs.
func BenchmarkScrape(b *testing.B) {
	for _, format := range []struct{ name, accept string }{{"openmetrics", acceptOpen}, {"protobuf", acceptProtobuf}} {
		b.Run(format.name, func(b *testing.B) {
			m := open(b, reference())
			story(m)
			h := m.Handler()
			request := httptest.NewRequest("GET", "/metrics", nil)
			request.Header.Set("Accept", format.accept)
			b.ReportAllocs()
			before := cpuTime(b)
			for b.Loop() {
				h.ServeHTTP(nowhere{}, request)
			}
			b.ReportMetric((cpuTime(b)-before).Seconds()*1e3/float64(b.N), "cpu-ms/op")
		})
	}
}

// nowhere takes an answer as a socket does: it keeps nothing.
type nowhere struct{}

func (nowhere) Header() http.Header         { return http.Header{} }
func (nowhere) WriteHeader(int)             {}
func (nowhere) Write(b []byte) (int, error) { return len(b), nil }

// cpuTime is what this process has used so far, its collector of garbage
// included.
func cpuTime(t testing.TB) time.Duration {
	t.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// BenchmarkRecordBesideScrapes is what Record takes while twenty at a time ask
// for the page, once a second, against what it takes while nobody does: 1000 of
// both a second. Only a ratio says something on a machine that others use, too.
func BenchmarkRecordBesideScrapes(b *testing.B) {
	for b.Loop() {
		alone := latencies(b, 0)
		beside := latencies(b, 20)
		for _, part := range []struct {
			name string
			at   float64
		}{{"p50", 0.5}, {"p99", 0.99}, {"p99.9", 0.999}} {
			i := int(part.at * float64(len(alone)))
			b.ReportMetric(float64(alone[i]), "ns-alone-"+part.name)
			b.ReportMetric(float64(beside[i]), "ns-beside-"+part.name)
			b.ReportMetric(float64(beside[i])/float64(alone[i]), "ratio-"+part.name)
		}
	}
}

// latencies are those of Record for five seconds, sorted.
func latencies(b *testing.B, scrapers int) []time.Duration {
	m := open(b, reference())
	story(m)
	h := m.Handler()
	ended := make(chan struct{})
	var all sync.WaitGroup
	for range scrapers {
		all.Go(func() {
			request := httptest.NewRequest("GET", "/metrics", nil)
			request.Header.Set("Accept", acceptOpen)
			for tick := time.NewTicker(time.Second); ; {
				h.ServeHTTP(nowhere{}, request)
				select {
				case <-tick.C:
				case <-ended:
					tick.Stop()
					return
				}
			}
		})
	}
	const records = 5000
	took := make([]time.Duration, 0, records)
	tick := time.NewTicker(time.Millisecond)
	for range records {
		<-tick.C
		began := time.Now()
		m.Record(received)
		took = append(took, time.Since(began))
	}
	tick.Stop()
	close(ended)
	all.Wait()
	slices.Sort(took)
	return took
}
