package metrics

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/systole-ha/systole/agent/event"
)

const (
	incidentTrace = "4fa158557a6baac3e206ed1b900945e6"
	lateTrace     = "035d33c8a0befc396c99af87236456ce"
	standbyTrace  = "591479b1f1675f8bcb5288f1fb7ea05a"
)

// exemplars are the histograms and counters that lead to a trace, and to which
// after traced has told its story. Each is asked for as a panel would.
var exemplars = []struct{ classic, native, trace string }{
	{`systole_takeover_duration_seconds_bucket{trigger="peer_dead"}`, `systole_takeover_duration_seconds{trigger="peer_dead"}`, incidentTrace},
	{`systole_takeover_phase_duration_seconds_bucket{phase="silence"}`, `systole_takeover_phase_duration_seconds{phase="silence"}`, incidentTrace},
	{`systole_service_outage_seconds_bucket{planned="no"}`, `systole_service_outage_seconds{planned="no"}`, incidentTrace},
	{`systole_resource_operation_duration_seconds_bucket{operation="start"}`, `systole_resource_operation_duration_seconds{operation="start"}`, incidentTrace},
	{`systole_heartbeat_interval_seconds_bucket{link="eth0"}`, `systole_heartbeat_interval_seconds{link="eth0"}`, lateTrace},
	{`systole_peer_deadtime_used_ratio_bucket`, `systole_peer_deadtime_used_ratio`, lateTrace},
	{`systole_takeovers_total{trigger="peer_dead",result="success"}`, "", incidentTrace},
	{`systole_releases_total{trigger="standby",result="success"}`, "", standbyTrace},
	{`systole_heartbeats_late_total{link="eth0"}`, "", lateTrace},
	{`systole_peer_deadtime_near_misses_total{threshold="0.5"}`, "", lateTrace},
	{`systole_peer_false_deaths_total`, "", incidentTrace},
}

// traced tells of a late heartbeat, an ordinary one, a takeover and a standby.
func traced(m *Metrics) {
	const group = "IPaddr::192.0.2.20"
	tell(m, boot,
		event.HeartbeatLate{Peer: "beta", Link: "eth0", Silence: 6 * time.Second, Trace: lateTrace},
		event.HeartbeatReceived{Peer: "beta", Link: "eth0", Interval: 6 * time.Second, Silence: 6 * time.Second, Deadtime: 10 * time.Second},
		event.HeartbeatReceived{Peer: "beta", Link: "eth0", Interval: time.Second, Silence: time.Second, Deadtime: 10 * time.Second},
		event.TakeoverStarted{ID: 1, Trigger: "peer_dead", Peer: "beta", Groups: []string{group}, Trace: incidentTrace},
		event.ResourceOperation{Group: group, Resource: group, Driver: "ipaddr", Operation: "start", Result: "ok", Took: time.Millisecond, Trace: incidentTrace},
		event.GroupStateChanged{Group: group, From: "starting", To: "running"},
		event.TakeoverPhase{ID: 1, Phase: "silence", Took: 10 * time.Second, Trace: incidentTrace},
		event.TakeoverCompleted{ID: 1, Trigger: "peer_dead", Peer: "beta", Groups: []string{group}, Result: "success", Took: time.Second, Outage: 11 * time.Second, Trace: incidentTrace},
		event.OwnerChanged{Group: group, To: "alpha", Cause: "peer_dead", Unowned: 11 * time.Second, Trace: incidentTrace},
		event.PeerFalseDeath{Peer: "beta", Silence: 20 * time.Second, Trace: incidentTrace},
		event.ReleaseCompleted{ID: 2, Trigger: "standby", Groups: []string{group}, Result: "success", Took: time.Second, Trace: standbyTrace})
}

// TestOrdinarySamplesHaveNoExemplar: a dot on a panel is worth a click.
func TestOrdinarySamplesHaveNoExemplar(t *testing.T) {
	m := open(t, reference())
	traced(m)
	shown := body(t, scrape(t, m.Handler(), acceptOpen))
	for line := range strings.Lines(shown) {
		if _, trace, found := strings.Cut(line, `trace_id="`); found && strings.HasPrefix(line, "systole_heartbeat_interval") &&
			(!strings.HasPrefix(trace, lateTrace) || !strings.Contains(line, `le="10.0"`)) {
			t.Errorf("the ordinary heartbeat has an exemplar, or the late one another's: %s", line)
		}
	}
}

// TestATraceThatIsNone must not end the daemon: the library panics where an
// exemplar is too long.
func TestATraceThatIsNone(t *testing.T) {
	m := open(t, reference())
	tell(m, boot, event.ReleaseCompleted{Trigger: "standby", Result: "success", Trace: strings.Repeat("f", 200)})
	if shown := body(t, scrape(t, m.Handler(), acceptOpen)); strings.Contains(shown, "ffff") {
		t.Error("200 digits are shown as a trace")
	}
}

// TestExemplarsArrive asks a real Prometheus, with and without native
// histograms, for the trace of an incident that its panels show.
func TestExemplarsArrive(t *testing.T) {
	for _, tt := range []struct {
		name     string
		features string
		native   bool
	}{
		{name: "classic histograms", features: "exemplar-storage"},
		{name: "native histograms", features: "exemplar-storage,native-histograms", native: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := open(t, reference())
			page := httptest.NewServer(m.Handler())
			defer page.Close()
			api := startPrometheus(t, page.Listener.Addr().String(), tt.features)
			traced(m)
			for _, want := range exemplars {
				query := want.classic
				if tt.native && want.native != "" {
					query = want.native
				}
				awaitExemplar(t, api, query, want.trace)
			}
		})
	}
}

// startPrometheus runs Debian's Prometheus, which scrapes the target once a
// second, until the test ends.
func startPrometheus(t *testing.T, target, features string) (api string) {
	t.Helper()
	dir := t.TempDir()
	config := fmt.Sprintf("global: {scrape_interval: 1s}\nscrape_configs:\n- {job_name: systole, honor_labels: true, static_configs: [{targets: [%q]}]}\n", target)
	if err := os.WriteFile(filepath.Join(dir, "prometheus.yml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "prometheus", "--config.file="+filepath.Join(dir, "prometheus.yml"),
		"--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address=127.0.0.1:0", "--enable-feature="+features)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	log, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatalf("Debian's package prometheus is needed: %v", err)
	}
	addresses := make(chan string, 1)
	go func() {
		listening := regexp.MustCompile(`msg="Listening on" address=(\S+)`)
		for lines := bufio.NewScanner(log); lines.Scan(); {
			if match := listening.FindStringSubmatch(lines.Text()); match != nil {
				addresses <- match[1]
			}
		}
		_ = cmd.Wait()
	}()
	select {
	case address := <-addresses:
		return "http://" + address + "/api/v1/query_exemplars"
	case <-time.After(30 * time.Second):
		t.Fatal("prometheus does not listen")
		return ""
	}
}

// awaitExemplar asks until one of the query's series has the trace.
func awaitExemplar(t *testing.T, api, query, trace string) {
	t.Helper()
	var said string
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); <-tick.C {
		form := url.Values{"query": {query}, "start": {"0"}, "end": {fmt.Sprint(time.Now().Unix() + 60)}}
		resp, err := http.Get(api + "?" + form.Encode())
		if err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if said = string(answer); strings.Contains(said, `"trace_id":"`+trace+`"`) {
			return
		}
	}
	t.Fatalf("%s: no exemplar of trace %s: %s", query, trace, said)
}
