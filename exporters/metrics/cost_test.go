package metrics

import (
	"net/http/httptest"
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

func BenchmarkScrape(b *testing.B) {
	m := open(b, reference())
	story(m)
	h := m.Handler()
	request := httptest.NewRequest("GET", "/metrics", nil)
	request.Header.Set("Accept", acceptOpen)
	b.ReportAllocs()
	for b.Loop() {
		h.ServeHTTP(httptest.NewRecorder(), request)
	}
}
