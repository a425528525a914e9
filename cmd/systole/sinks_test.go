package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/systole-ha/systole/agent/config"
	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/exporters/journal"
	"github.com/systole-ha/systole/exporters/metrics"
	"github.com/systole-ha/systole/exporters/traces"
)

// daemonOf is a daemon of alpha with these lines in its ha.cf, not run.
func daemonOf(t *testing.T, lines string) *daemon {
	t.Helper()
	c, ds := config.Load(fstest.MapFS{
		config.HaCf:        {Data: []byte("node alpha beta\nbcast eth0 eth1\nauto_failback on\n" + lines)},
		config.Haresources: {Data: []byte("alpha 192.0.2.10\n")},
		config.Authkeys:    {Data: []byte("auth 1\n1 sha1 secret\n"), Mode: 0o600},
	}, config.Host{Name: "alpha"})
	if err := ds.Err(); err != nil {
		t.Fatal(err)
	}
	c.StateDir = t.TempDir()
	return newDaemon(c, "", slog.New(slog.DiscardHandler))
}

// TestReceiversAreMeasured holds what the metrics expect of webhooks to what
// webhooks tell.
func TestReceiversAreMeasured(t *testing.T) {
	taken := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { taken <- r.Header.Get("webhook-id") }))
	defer server.Close()
	d := daemonOf(t, "webhook pager "+server.URL+" severity=critical\n")
	j := journal.New(journal.Config{Fallback: io.Discard})
	r := d.openReceivers(identity{generation: 7}, true, func(event.Event) {})
	m, err := metrics.New(d.metricsConfig(identity{}, j, &traces.Traces{}, r))
	if err != nil {
		t.Fatal(err)
	}
	page := func() string {
		w := httptest.NewRecorder()
		m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics?name[]=systole_webhook_deliveries_total", nil))
		return w.Body.String()
	}
	expect := func(samples ...string) {
		t.Helper()
		got := page()
		for _, want := range samples {
			if !strings.Contains(got, want+"\n") {
				t.Errorf("%s is not on the page\n%s", want, got)
			}
		}
	}
	sample := `systole_webhook_deliveries_total{cluster="alpha-beta",endpoint="pager",node="alpha",result=%q} %d`
	expect(fmt.Sprintf(sample, "ok", 0), fmt.Sprintf(sample, "retried", 0), fmt.Sprintf(sample, "given_up", 0))
	for _, s := range r.sinks() {
		s.Record(event.Record{Sequence: 1, Time: time.Now(), Cluster: "alpha-beta", Node: "alpha", Event: event.LinkUp{}})
		s.Record(event.Record{Sequence: 2, Time: time.Now(), Cluster: "alpha-beta", Node: "alpha", Event: event.PeerDead{Peer: "beta"}})
	}
	if id := <-taken; !strings.HasSuffix(id, "-7-2") {
		t.Errorf("the first post is %s", id)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := r.closeAll(ctx, j); err != nil {
		t.Error(err)
	}
	expect(fmt.Sprintf(sample, "ok", 1))
}

func TestNothingAskedForNothingRuns(t *testing.T) {
	if r := daemonOf(t, "").openReceivers(identity{}, true, nil); len(r.each) != 0 {
		t.Errorf("%v run", r.names)
	}
}

func TestEverySeverityIsFound(t *testing.T) {
	for _, s := range []event.Severity{event.Info, event.Notice, event.Warning, event.Error, event.Critical} {
		if got := severityNamed(s.String()); got != s {
			t.Errorf("severityNamed(%s) = %s", s, got)
		}
	}
}

// TestEveryReceiverIsOpened asks for all of them at places where nobody is.
func TestEveryReceiverIsOpened(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
	d := daemonOf(t, "webhook pager http://127.0.0.1:1/\nalertmanager http://127.0.0.1:1\n")
	r := d.openReceivers(identity{generation: 7}, true, func(event.Event) {})
	if want := []string{"webhook", "otlp_logs", "alertmanager"}; !slices.Equal(r.names, want) {
		t.Errorf("%v are open, want %v", r.names, want)
	}
	var m metrics.Config
	r.measure(&m)
	for _, s := range r.sinks() {
		s.Record(event.Record{Sequence: 1, Time: time.Now(), Cluster: "alpha-beta", Node: "alpha", Event: event.PeerDead{Peer: "beta"}})
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := r.closeAll(ctx); err == nil {
		t.Error("closeAll says that everything was taken")
	}
	for i, lost := range []uint64{0, 1, 0} { // a webhook keeps it
		if s := m.Sinks[i]; s.Name != r.names[i] || s.Dropped() != lost {
			t.Errorf("%s dropped %d, want %d", s.Name, s.Dropped(), lost)
		}
	}
}

// TestAWebhookGoesOnAfterARestart ends one daemon's receivers and opens those of
// the next.
func TestAWebhookGoesOnAfterARestart(t *testing.T) {
	d := daemonOf(t, "webhook pager http://127.0.0.1:1/\n")
	old := d.openReceivers(identity{generation: 7}, true, func(event.Event) {})
	for _, s := range old.sinks() {
		s.Record(event.Record{Sequence: 1, Time: time.Now(), Cluster: "alpha-beta", Node: "alpha", Event: event.PeerDead{Peer: "beta"}})
	}
	if err := old.closeAll(t.Context()); err == nil || !strings.Contains(err.Error(), "1 of them are kept") {
		t.Errorf("the end of the old one says %v", err)
	}
	taken := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { taken <- r.Header.Get("webhook-id") }))
	defer server.Close()
	d.cfg.Webhooks[0].URL = server.URL
	next := d.openReceivers(identity{generation: 8}, true, func(event.Event) {})
	if id := <-taken; !strings.HasSuffix(id, "-7-1") {
		t.Errorf("the first post of the next daemon is %s", id)
	}
	if err := next.closeAll(t.Context()); err != nil {
		t.Error(err)
	}
	if left, _ := filepath.Glob(d.cfg.StateDir + "/webhook-*"); len(left) > 0 {
		t.Errorf("all is delivered and these are left: %v", left)
	}
}
