package failover

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/systole-ha/systole/test/cluster"
	"github.com/systole-ha/systole/test/lab"
)

// pagerAt takes webhooks; whoever is asked at hangsAt never answers.
const pagerAt, hangsAt = "192.0.2.100:8080", "192.0.2.100:4318"

// A posted is an event as a webhook's receiver gets it.
type posted struct {
	ID          string         `json:"id"`
	Source      string         `json:"source"`
	Type        string         `json:"type"`
	TraceParent string         `json:"traceparent"`
	Data        map[string]any `json:"data"`
}

// TestSinks cuts the power of the node that serves while every place that the
// other sends to but one hangs: the takeover takes no longer for it, what it was
// comes to the one that takes it, signed, the rest is kept, and the daemon stops in
// time, also when the disk hangs.
func TestSinks(t *testing.T) {
	secret := base64.StdEncoding.EncodeToString([]byte("not-a-secret-of-24-bytes"))
	p := newPair(t, clusterFiles(fast, "alpha IPaddr::192.0.2.50/24/eth0", "auto_failback off",
		"webhook pager http://"+pagerAt+"/ secret=pager.secret", "webhook deaf http://"+hangsAt+"/ secret=pager.secret", "alertmanager http://"+hangsAt))
	p.eachNginx(true)
	for _, n := range p.nodes() {
		must(t, n.WriteFile("/etc/ha.d/pager.secret", []byte("whsec_"+secret+"\n"), 0o600))
		must(t, n.Configure("/etc/systemd/system/systole.service.d", lab.Files{
			"otel.conf": "[Service]\nEnvironment=OTEL_EXPORTER_OTLP_ENDPOINT=http://" + hangsAt + "\n",
		}))
	}
	events := p.pager(secret)
	asked := p.hang()
	p.started(virtual)
	began := time.Now()
	o := p.losePower(p.alpha)
	t.Logf("%s", o)
	if most := fast.Deadtime + 100*time.Millisecond; o.client > most {
		t.Errorf("the client was without an answer for %v, want %v at most", round(o.client), most)
	}

	trace := p.entry(p.beta, began, "takeover.started", "trigger", "peer_dead").Get("trace")
	e := p.told(events, "io.systole.takeover.completed", "peer_dead")
	if e.Source != "/alpha-beta/beta" || e.Data["result"] != "success" || !strings.HasPrefix(e.TraceParent, "00-"+trace+"-") || len(trace) != 32 {
		t.Errorf("the pager got %+v, want the trace %s", e, trace)
	}
	t.Logf("the pager knew at most %v after the power cut: %s", time.Since(began).Round(time.Millisecond), e.Data["message"])
	must(t, lab.WaitFor(soon(t), "each that hangs to be asked", func(context.Context) error {
		for _, path := range []string{"/", "/api/v2/alerts", "/v1/logs", "/v1/traces"} {
			if _, ok := asked.Load(path); !ok {
				return fmt.Errorf("%s was not", path)
			}
		}
		return nil
	}))
	p.stops(3 * time.Second)
	if kept := p.run(p.beta, "cat", stateDir+"webhook-deaf.jsonl"); !strings.Contains(kept, `"kind":"takeover.completed"`) || !strings.Contains(kept, `"kind":"node.stopping"`) {
		t.Errorf("kept for the webhook that never answered:\n%s", kept)
	}
	if left := p.run(p.beta, "sh", "-c", "ls "+stateDir+"webhook-*"); strings.Contains(left, "pager") {
		t.Errorf("all came to the pager, and yet there are %s", left)
	}

	// To open a pipe that nobody reads is as a disk that hangs.
	p.run(p.beta, "mkfifo", stateDir+"ledger.json.new", stateDir+"takeover.json.new", stateDir+"webhook-deaf.jsonl.new", stateDir+"traces.jsonl.new")
	p.start(p.beta)
	p.hold(p.beta, "all")
	p.stops(5 * time.Second)
}

// stateDir is where the daemon keeps what outlives it.
const stateDir = "/var/lib/systole/"

// stops stops the daemon on beta, which takes most at most.
func (p *pair) stops(most time.Duration) {
	p.t.Helper()
	stopping := time.Now()
	must(p.t, p.beta.Stop(soon(p.t), cluster.Unit))
	took := time.Since(stopping)
	p.t.Logf("the daemon took %v to stop", round(took))
	if took > most {
		p.t.Errorf("the daemon took %v to stop, want %v at most", took, most)
	}
}

// told waits for a webhook of a type and trigger.
func (p *pair) told(events <-chan posted, kind, trigger string) posted {
	p.t.Helper()
	for patient := soon(p.t); ; {
		select {
		case e := <-events:
			if e.Type == kind && e.Data["trigger"] == trigger {
				return e
			}
		case <-patient.Done():
			p.t.Fatalf("the pager was told of no %s", kind)
		}
	}
}

// pager receives webhooks, and believes only those that are signed.
func (p *pair) pager(secret string) <-chan posted {
	p.t.Helper()
	verifier, err := standardwebhooks.NewWebhook(secret)
	must(p.t, err)
	events := make(chan posted, 1000)
	p.serve(pagerAt, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var e posted
		if err == nil {
			err = verifier.Verify(body, r.Header)
		}
		if err == nil {
			err = json.Unmarshal(body, &e)
		}
		if err != nil || e.ID != r.Header.Get("webhook-id") {
			p.t.Errorf("%s %v: %v", body, r.Header, err)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		events <- e
		w.WriteHeader(http.StatusNoContent)
	})
	return events
}

// hang is a webhook, a collector and an Alertmanager that never answer. It has
// the paths that they were asked for.
func (p *pair) hang() *sync.Map {
	p.t.Helper()
	var asked sync.Map
	p.serve(hangsAt, func(_ http.ResponseWriter, r *http.Request) {
		asked.Store(r.URL.Path, true)
		io.Copy(io.Discard, r.Body) // so that the end of the connection is seen
		<-r.Context().Done()
	})
	return &asked
}

// serve answers at an address of the client's until the test ends.
func (p *pair) serve(address string, handle http.HandlerFunc) {
	p.t.Helper()
	listener, err := p.lab.Client().Listen(soon(p.t), "tcp", address)
	must(p.t, err)
	server, ended := &http.Server{Handler: handle}, make(chan struct{})
	go func() {
		defer close(ended)
		server.Serve(listener)
	}()
	p.t.Cleanup(func() {
		server.Close()
		<-ended
	})
}
