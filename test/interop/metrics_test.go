package interop

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/systole-ha/systole/test/cluster"
	"github.com/systole-ha/systole/test/lab"
)

// metrics are the samples of systole's page, by name, added up over all series
// of that name whose labels have every one of these: `wire="heartbeat3"`.
func (s *stage) metrics(ctx context.Context, name string, labels ...string) (sum float64, series int, err error) {
	client := http.Client{
		Timeout: 5 * time.Second,
		Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return s.lab.Client().Dial(ctx, network, address)
		}},
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://%s:9694/metrics", s.ours.Host(lab.Service)), nil)
	if err != nil {
		return 0, 0, err
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, 0, err
	}
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, 0, err
	}
	for text := range strings.Lines(string(page)) {
		of, value, _ := strings.Cut(strings.TrimSpace(text), "} ")
		if !strings.HasPrefix(of, name+"{") || !containsAll(of, labels) {
			continue
		}
		v, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return 0, 0, err
		}
		sum, series = sum+v, series+1
	}
	return sum, series, nil
}

func containsAll(text string, words []string) bool {
	for _, word := range words {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}

// counted waits until a counter has risen above what it was.
func (s *stage) counted(above float64, name string, labels ...string) {
	s.t.Helper()
	must(s.t, lab.WaitFor(soon(s.t), name+" to rise", func(ctx context.Context) error {
		got, _, err := s.metrics(ctx, name, labels...)
		if err == nil && got <= above {
			err = fmt.Errorf("it is %v", got)
		}
		return err
	}))
}

// modest fails the test unless what a Heartbeat node cannot tell is missing,
// and has been reported once, at level info.
func (s *stage) modest() {
	s.t.Helper()
	s.counted(0, "systole_peer_wire", `wire="heartbeat3"`)
	s.counted(0, "systole_heartbeats_received_total")
	for _, never := range []string{
		"systole_heartbeat_rtt_seconds_count", "systole_heartbeat_delay_variation_seconds_count",
		"systole_peer_send_lateness_seconds_count", "systole_peer_config_match", "systole_clock_offset_error_seconds",
	} {
		got, _, err := s.metrics(soon(s.t), never)
		must(s.t, err)
		if got != 0 {
			s.t.Errorf("%s is %v beside a Heartbeat node, want no samples", never, got)
		}
	}
	entries, err := cluster.Journal(soon(s.t), s.ours, time.Time{})
	must(s.t, err)
	identified := entries.Of("peer.identified")
	if len(identified) != 1 || identified[0].Get("wire") != "heartbeat3" {
		s.t.Errorf("the peer was identified as\n%swant once, as heartbeat3", identified)
	}
}
