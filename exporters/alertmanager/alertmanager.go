// Package alertmanager tells Alertmanagers of the worst directly, by their v2
// API, for sites whose Prometheus runs on the very nodes that it watches: it
// dies with one of them, and the alerts with it.
//
// The alerts are those of the shipped rules, with the same labels, so that an
// Alertmanager which hears of one from Prometheus too, or from both nodes,
// takes them for one. Both may then say when it is over: an alert here is never
// ended by word, it ends because it is not repeated any more, and an
// Alertmanager believes whoever repeats it longest.
//
// Record copies the few records that matter into the queue of each Alertmanager
// and returns. One goroutine each keeps what fires and says so every minute.
package alertmanager

import (
	"cmp"
	"context"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/exporters/internal/trouble"
	"github.com/systole-ha/systole/exporters/queue"
)

const (
	// depth is how many records wait while a post is under way: more than a
	// split brain over a dozen groups raises.
	depth = 64
	// postTimeout is what one post may take.
	postTimeout = 10 * time.Second
	// repeatEvery is how often what fires is told again, as Prometheus does.
	repeatEvery = time.Minute
	// lease is for how many repetitions an Alertmanager takes an alert for firing
	// after it was last told of it: two posts may be lost.
	lease = 3
	// holdFor is for how many an alert is repeated after it is over, so that what
	// comes back at once is one alert: the 2 minutes of keep_firing_for in the
	// shipped rules.
	holdFor = 2
	// pauseFirst and pauseMost are how long an Alertmanager that failed is left
	// alone, at first and at most.
	pauseFirst = time.Second
	pauseMost  = time.Minute
)

// A Target is one Alertmanager.
type Target struct {
	URL      string // without /api/v2/alerts
	User     string // of basic authentication; empty for none
	Password string
}

// Config says who reports, and to whom.
type Config struct {
	Cluster, Node string
	UserAgent     string
	Targets       []Target
	// Report is told of trouble with an Alertmanager, once a minute at most and
	// at the end: how many records were dropped since the last report, and the
	// newest error. It runs on a goroutine of this package's.
	Report func(dropped uint64, err error)
	// Repeat is how often what fires is told again; 0 for every minute.
	Repeat time.Duration
	// Transport posts; nil for one of this package's.
	Transport http.RoundTripper
}

// Alertmanager is an event.Sink. Record is for the goroutine that owns the
// core, the rest may be called from anywhere.
type Alertmanager struct {
	senders []*sender
	abort   context.CancelFunc
}

// New starts a sender for each Alertmanager, which Close ends.
func New(cfg Config) *Alertmanager {
	if cfg.Transport == nil {
		cfg.Transport = &http.Transport{
			Proxy:       http.ProxyFromEnvironment,
			DialContext: (&net.Dialer{Timeout: postTimeout}).DialContext, TLSHandshakeTimeout: postTimeout,
			MaxIdleConnsPerHost: 1, IdleConnTimeout: 2 * repeatEvery, ForceAttemptHTTP2: true,
		}
	}
	client := &http.Client{
		Transport: cfg.Transport, Timeout: postTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	ctx, abort := context.WithCancel(context.Background())
	a := &Alertmanager{abort: abort}
	for _, target := range cfg.Targets {
		s := &sender{
			target: target, userAgent: cfg.UserAgent, client: client, queue: queue.New(depth),
			firing: newFiring(cfg.Cluster, cfg.Node, cmp.Or(cfg.Repeat, repeatEvery)), done: make(chan struct{}),
		}
		s.trouble = trouble.New(s.queue.Dropped, cfg.Report)
		a.senders = append(a.senders, s)
		go s.run(ctx)
	}
	return a
}

// Record queues r where an alert may begin or end with it. It never waits.
func (a *Alertmanager) Record(r event.Record) {
	if !matters(r.Event) {
		return
	}
	for _, s := range a.senders {
		if !s.queue.Put(r) {
			s.trouble.Rouse()
		}
	}
}

// Waiting is how many records no alert was made of yet, of all Alertmanagers.
func (a *Alertmanager) Waiting() int {
	n := 0
	for _, s := range a.senders {
		n += s.queue.Len()
	}
	return n
}

// Dropped is how many found no room, since the start.
func (a *Alertmanager) Dropped() uint64 {
	var n uint64
	for _, s := range a.senders {
		n += s.queue.Dropped()
	}
	return n
}

// Close tells what was not told yet, until ctx ends. What fires then ends when
// its lease does, unless another node goes on repeating it.
func (a *Alertmanager) Close(ctx context.Context) error {
	defer a.abort()
	defer context.AfterFunc(ctx, a.abort)()
	for _, s := range a.senders {
		s.queue.Close()
	}
	var all sync.WaitGroup
	for _, s := range a.senders {
		all.Go(func() {
			<-s.done
			s.trouble.Close()
		})
	}
	all.Wait()
	return nil
}
