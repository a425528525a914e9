package metrics

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"

	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/exporters/ledger"
)

var update = flag.Bool("update", false, "rewrite the golden page and docs/metrics.md")

// boot is when the daemon of every test started; the clock of its scrapes
// stands there until a test moves it.
var boot = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// reference is the two-node cluster that the bound on series is stated for:
// 3 links, 8 resources in 2 groups, and a ping node.
func reference() Config {
	unit := func(name string) Resource { return Resource{Name: name, Driver: "systemd"} }
	address := func(name string) Resource { return Resource{Name: name, Driver: "ipaddr", Announces: true} }
	return Config{
		Cluster: "web", Node: "alpha",
		Build:  Build{Version: "0.1.0", Revision: "abcdef", Branch: "main", GoVersion: "go1.26", GoOS: "linux", GoArch: "amd64"},
		BootID: "f1f0", InstanceID: "a1a0", AutoFailback: "on", Wire: "systole", IPFail: true, Watchdog: true,
		Keepalive: time.Second, Warntime: 5 * time.Second, Deadtime: 10 * time.Second, Initdead: 30 * time.Second,
		Links: []Link{
			{"eth0", "bcast", "eth0", "192.0.2.255"},
			{"eth1", "ucast", "eth1", "198.51.100.2"},
			{"/dev/ttyS0", "serial", "", "/dev/ttyS0"},
		},
		Peers:     []string{"beta"},
		PingNodes: []string{"192.0.2.1"},
		Groups: []Group{
			{Name: "IPaddr::192.0.2.10", Preferred: "alpha", Resources: []Resource{
				address("IPaddr::192.0.2.10"), unit("nginx"), unit("php-fpm"), unit("redis"),
			}},
			{Name: "IPaddr::192.0.2.20", Preferred: "beta", Resources: []Resource{
				address("IPaddr::192.0.2.20"), address("IPv6addr::2001:db8::20"), unit("postgresql"), unit("pgbouncer"),
			}},
		},
		Units:     []string{"nginx.service", "php-fpm.service", "redis.service", "postgresql.service", "pgbouncer.service"},
		Addresses: []Address{{"192.0.2.10", "eth0"}, {"192.0.2.20", ""}, {"2001:db8::20", ""}},
		Keys:      []Key{{"1", "sha1"}},
		Files:     []File{{"ha.cf", "00000000000000000000000000ff00aa"}, {"haresources", "0123456789abcdef"}},
		Commands:  []string{"hb_standby", "hb_takeover"},
		Sinks:     []Sink{quiet("journal"), quiet("webhook"), quiet("otlp_logs"), quiet("alertmanager")},
		Webhooks:  []Webhook{{Name: "pager", Deliveries: func() map[string]uint64 { return map[string]uint64{"ok": 3, "retried": 1} }}},
		Outages: ledger.New("alpha", []string{"IPaddr::192.0.2.10", "IPaddr::192.0.2.20"}, ledger.Book{
			Groups: map[string]ledger.Account{"IPaddr::192.0.2.20": {Seconds: map[string]float64{"peer_dead": 12.5}}},
		}),
		Now: func() time.Time { return boot },
	}
}

// fenced is reference with fencing, which has series of its own.
func fenced() Config {
	cfg := reference()
	cfg.Fencing = []string{"fence_ipmilan"}
	return cfg
}

func quiet(sink string) Sink {
	return Sink{Name: sink, Waiting: func() int { return 0 }, Dropped: func() uint64 { return 0 }}
}

func open(t testing.TB, cfg Config) *Metrics {
	t.Helper()
	m, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func tell(m *Metrics, at time.Time, events ...event.Event) {
	for _, e := range events {
		m.Record(event.Record{Time: at, Event: e})
	}
}

// page is what a scrape in text form shows, without the families of the
// runtime, which never are the same twice.
func page(t testing.TB, m *Metrics) string {
	t.Helper()
	families, err := m.Registry().Gather()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	for _, f := range families {
		if strings.HasPrefix(f.GetName(), "systole_") {
			if _, err := expfmt.MetricFamilyToText(&b, f); err != nil {
				t.Fatal(err)
			}
		}
	}
	return b.String()
}

// samples are the lines of a page without comments, and without the labels
// that all of them have.
func samples(page string) []string {
	var lines []string
	for line := range strings.Lines(page) {
		if !strings.HasPrefix(line, "#") {
			line = strings.NewReplacer(`,cluster="web",node="alpha"`, "", `cluster="web",`, "", `node="alpha",`, "", `{cluster="web",node="alpha"}`, "",
				`,node="alpha"`, "").Replace(strings.TrimSpace(line))
			lines = append(lines, line)
		}
	}
	return lines
}

// moved are the samples of now that before did not have, without buckets.
func moved(before, now string) []string {
	old := samples(before)
	return slices.DeleteFunc(samples(now), func(line string) bool {
		return slices.Contains(old, line) || strings.Contains(line, "_bucket{")
	})
}

// story is one of each kind of event that a takeover and its failback bring.
func story(m *Metrics) {
	at := func(s float64) time.Time { return boot.Add(time.Duration(s * float64(time.Second))) }
	first, second := "IPaddr::192.0.2.10", "IPaddr::192.0.2.20"
	tell(m, at(0), event.LinkOpened{Link: "eth0"}, event.LinkOpened{Link: "eth1"}, event.LinkOpened{Link: "/dev/ttyS0"}, event.NodeStarted{Version: "0.1.0"})
	tell(m, at(1), event.HeartbeatSent{Late: time.Millisecond},
		event.HeartbeatReceived{Peer: "beta", Link: "eth0", Deadtime: 10 * time.Second},
		event.LinkUp{Peer: "beta", Link: "eth0"},
		event.PeerStateChanged{Peer: "beta", From: "unknown", To: "active"},
		event.PeerIdentified{Peer: "beta", Wire: "systole", Version: "0.1.0"})
	tell(m, at(2), event.HeartbeatReceived{Peer: "beta", Link: "eth0", Deadtime: 10 * time.Second,
		Interval: time.Second, Silence: time.Second, RoundTrip: 300 * time.Microsecond, Waited: 40 * time.Microsecond, Late: 200 * time.Microsecond})
	for _, check := range readinessChecks {
		tell(m, at(3), event.ReadinessChanged{Check: check, Ready: check != "disk", Reason: "looked at"})
	}
	tell(m, at(12), event.LinkDown{Peer: "beta", Link: "eth0", Silence: 10 * time.Second},
		event.PeerStateChanged{Peer: "beta", From: "active", To: "dead"},
		event.PeerDead{Peer: "beta", LastHeard: at(2), Silence: 10 * time.Second, Deadtime: 10 * time.Second},
		event.TakeoverStarted{ID: 1, Trigger: "peer_dead", Peer: "beta", Groups: []string{second}},
		event.TakeoverPhase{ID: 1, Phase: "silence", Took: 10 * time.Second},
		event.HoldChanged{From: "none", To: "transition"},
		event.GroupStateChanged{Group: second, From: "stopped", To: "starting"})
	tell(m, at(12.03), event.ResourceOperation{Group: second, Resource: second, Driver: "ipaddr", Operation: "start", Result: "ok", Took: 30 * time.Millisecond})
	tell(m, at(14), event.GroupStateChanged{Group: second, From: "starting", To: "running"},
		event.AddressChanged{Address: "192.0.2.10", Interface: "eth0", Present: true},
		event.AddressAnnounced{Address: "192.0.2.20", Interface: "eth0", Sent: 2},
		event.AddressConflict{Address: "192.0.2.20", Interface: "eth0", Ours: "02:00:00:00:00:01", Theirs: "02:00:00:00:00:02"},
		event.UnitStateChanged{Unit: "postgresql.service", From: "activating", To: "active", Sub: "running"},
		event.UnitRestarted{Unit: "postgresql.service", Restarts: 1, Count: 1, Status: "killed KILL"},
		event.OwnerChanged{Group: second, From: "beta", To: "alpha", Cause: "peer_dead", Unowned: 12 * time.Second})
	tell(m, at(14.5), event.HoldChanged{From: "transition", To: "foreign"},
		event.TakeoverCompleted{ID: 1, Trigger: "peer_dead", Peer: "beta", Groups: []string{second}, Result: "success", Took: 2500 * time.Millisecond, Outage: 12500 * time.Millisecond})
	tell(m, at(60), event.OperatorCommand{Command: "hb_standby", Arguments: "foreign", Result: "accepted"},
		event.ReleaseStarted{ID: 2, Trigger: "standby", Peer: "beta", Groups: []string{first}},
		event.ReleaseCompleted{ID: 2, Trigger: "standby", Peer: "beta", Groups: []string{first}, Result: "success", Took: time.Second},
		event.ConfigDrift{Peer: "beta", File: "haresources", Ours: "aa", Theirs: "bb"})
}

func TestPage(t *testing.T) {
	m := open(t, reference())
	story(m)
	golden(t, "testdata/page.txt", page(t, m))
}

// golden compares with a file, or rewrites it with -update.
func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if got == string(want) {
		return
	}
	gotLines, wantLines := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	for i, line := range gotLines {
		if i >= len(wantLines) || line != wantLines[i] {
			t.Fatalf("%s is stale from line %d (rewrite it with -update and read the diff):\n got %s\nwant %s", name, i+1, line, strings.Join(wantLines[min(i, len(wantLines)):min(i+1, len(wantLines))], ""))
		}
	}
	t.Fatalf("%s is stale: it has %d lines, not %d (rewrite it with -update)", name, len(wantLines), len(gotLines))
}

func TestEverySeriesIsThereAtTheFirstScrape(t *testing.T) {
	m := open(t, reference())
	names := func() map[string]bool {
		set := map[string]bool{}
		for _, line := range samples(page(t, m)) {
			set[line[:strings.LastIndexByte(line, ' ')]] = true
		}
		return set
	}
	before := names()
	story(m)
	for name := range names() {
		if !before[name] && !strings.HasPrefix(name, "systole_peer_config_match") && !strings.HasPrefix(name, "systole_takeover_ready") {
			t.Errorf("%s was born after the start", name)
		}
	}
}

func TestEveryFamilyIsMade(t *testing.T) {
	cfg := fenced()
	cfg.Permission, cfg.Arbiters = true, []string{"192.0.2.9"} // which few have
	m := open(t, cfg)
	story(m)
	shown := page(t, m)
	for _, f := range families {
		if !strings.Contains(shown, "\n"+f.name+"{") && !strings.Contains(shown, "\n"+f.name+"_bucket{") {
			t.Errorf("%s is in the table and on no page", f.name)
		}
	}
}

func TestTheTableIsInOrder(t *testing.T) {
	known := map[string]bool{}
	for _, f := range families {
		if known[f.name] {
			t.Errorf("%s is in the table twice", f.name)
		}
		known[f.name] = true
		if !slices.IsSorted(f.bounds) || (f.kind == histogram) != (f.bounds != nil) {
			t.Errorf("%s: bounds %v of a %s", f.name, f.bounds, f.kind)
		}
		if slices.Contains(f.labels, "cluster") || slices.Contains(f.labels, "node") {
			t.Errorf("%s has a label that all of them have", f.name)
		}
	}
	for _, missing := range notYet {
		if known[missing.name] {
			t.Errorf("%s is made and listed as not yet", missing.name)
		}
	}
}

func TestLint(t *testing.T) {
	m := open(t, reference())
	story(m)
	problems, err := testutil.GatherAndLint(m.Registry())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// TestPromtool needs Debian's prometheus package, as the lab does.
func TestPromtool(t *testing.T) {
	m := open(t, reference())
	story(m)
	families, err := m.Registry().Gather()
	if err != nil {
		t.Fatal(err)
	}
	var in bytes.Buffer
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToText(&in, f); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("promtool", "check", "metrics")
	cmd.Stdin = &in
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
}
