// Package webhook posts events to web servers, each as a CloudEvent in JSON
// (CloudEvents 1.0, HTTP binding, structured mode), signed as Standard Webhooks
// has it.
//
// Record copies a record into the queue of each endpoint that wants it and
// returns. One goroutine an endpoint takes them from there in order, and posts
// one after the other. What was not taken is posted again, under the same id,
// until it is: at least once, as long as the queue has room. A full queue drops
// the oldest of the least severity. What waits for longer than a moment is kept
// on disk, and the next daemon posts it first.
package webhook

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/exporters/internal/shelf"
	"github.com/systole-ha/systole/exporters/internal/trouble"
	"github.com/systole-ha/systole/exporters/queue"
)

const (
	// depth is how many records wait for one endpoint: ten takeovers of a dozen
	// resources, at about 100 bytes a record.
	depth = 256
	// attemptTimeout is what one post may take, from the look-up of the name to
	// the end of the answer. Standard Webhooks advises 15 to 30 s; a receiver
	// that takes that long is better asked again.
	attemptTimeout = 10 * time.Second
)

// An Endpoint is a place that events are posted to.
type Endpoint struct {
	Name     string // in metrics and reports, in place of the URL
	URL      string
	Severity event.Severity // the least that is posted; below info counts as info
	Secrets  [][]byte       // each of them signs; none: nothing is signed
}

// Config says who reports, and to whom.
type Config struct {
	Cluster, Node string
	BootID        string // of the kernel
	Generation    uint64 // of this daemon
	UserAgent     string
	Endpoints     []Endpoint // with names of their own
	// StateDir is where what waits is kept over the end of the daemon, in a file
	// for each endpoint; empty for nowhere.
	StateDir string
	// Report is told of trouble with an endpoint, once a minute at most and at
	// the end: how many records were dropped since the last report, and the
	// newest error, without the URL. It runs on a goroutine of the endpoint's.
	Report func(endpoint string, dropped uint64, err error)
	// Transport posts; nil for one of this package's.
	Transport http.RoundTripper
}

// Webhook is an event.Sink. Record is for the goroutine that owns the core, the
// rest may be called from anywhere.
type Webhook struct {
	senders []*sender
	abort   context.CancelFunc
}

// New starts a sender for each endpoint, which Close ends.
func New(cfg Config) *Webhook {
	if cfg.Transport == nil {
		cfg.Transport = transport()
	}
	client := &http.Client{
		Transport: cfg.Transport, Timeout: attemptTimeout,
		// A post that is redirected may become a get, or tell a stranger.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	ctx, abort := context.WithCancel(context.Background())
	w := &Webhook{abort: abort}
	for _, e := range cfg.Endpoints {
		e.Severity = max(e.Severity, event.Info)
		s := &sender{
			endpoint: e, origin: originOf(cfg), userAgent: cfg.UserAgent, client: client, queue: queue.New(depth),
			closing: make(chan struct{}), done: make(chan struct{}),
		}
		s.trouble = trouble.New(s.dropped, func(dropped uint64, err error) {
			if cfg.Report != nil {
				cfg.Report(e.Name, dropped, err)
			}
		})
		s.shelf = shelf.New(cfg.StateDir, "webhook-"+e.Name+".jsonl", s.lines, s.trouble.Failed)
		s.shelf.Load(keptBytes, s.restore)
		w.senders = append(w.senders, s)
		go s.run(ctx)
	}
	return w
}

// transport is http.DefaultTransport with bounds on what is kept open: one
// connection an endpoint is all there ever is.
func transport() *http.Transport {
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: attemptTimeout}).DialContext,
		TLSHandshakeTimeout: attemptTimeout,
		MaxIdleConnsPerHost: 1,
		IdleConnTimeout:     90 * time.Second,
		ForceAttemptHTTP2:   true,
	}
}

// Record queues r for each endpoint that wants it. It never waits.
func (w *Webhook) Record(r event.Record) {
	severity := event.SeverityOf(r.Event)
	for _, s := range w.senders {
		if severity < s.endpoint.Severity {
			continue
		}
		if !s.queue.Put(r) {
			s.trouble.Rouse()
		}
		s.shelf.Touch()
	}
}

// Waiting is how many posts are not done yet, of all endpoints.
func (w *Webhook) Waiting() int {
	n := 0
	for _, s := range w.senders {
		n += s.waiting()
	}
	return n
}

// Dropped is how many posts never were tried, or not until they were taken,
// since the start. What a receiver refused is not among them, nor what Close
// kept for the next start.
func (w *Webhook) Dropped() uint64 {
	var n uint64
	for _, s := range w.senders {
		n += s.dropped()
	}
	return n
}

// Deliveries counts what became of posts to an endpoint: see Results. It is nil
// for an endpoint that there is not.
func (w *Webhook) Deliveries(endpoint string) map[string]uint64 {
	for _, s := range w.senders {
		if s.endpoint.Name == endpoint {
			return s.results.all()
		}
	}
	return nil
}

// Close posts what waits, each record once, until ctx ends or an endpoint does
// not take one. The rest is kept on disk, for which it waits saveTimeout more at
// most.
func (w *Webhook) Close(ctx context.Context) error {
	defer w.abort()
	defer context.AfterFunc(ctx, w.abort)()
	for _, s := range w.senders {
		s.close()
	}
	var all sync.WaitGroup
	var waiting, kept atomic.Int64
	for _, s := range w.senders {
		all.Go(func() {
			n, k := s.wait()
			waiting.Add(int64(n))
			kept.Add(int64(k))
		})
	}
	all.Wait()
	if waiting.Load() > 0 {
		return fmt.Errorf("webhooks: %d events were not delivered before the end, %d of them are kept for the next start", waiting.Load(), kept.Load())
	}
	return nil
}
