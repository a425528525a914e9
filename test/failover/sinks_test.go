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
// comes to the one that takes it, signed, and the daemon stops in time.
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
	stopping := time.Now()
	must(t, p.beta.Stop(soon(t), cluster.Unit))
	if took := time.Since(stopping); took > 3*time.Second {
		t.Errorf("the daemon took %v to stop", took)
	} else {
		t.Logf("the daemon took %v to stop", round(took))
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
