package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/systole-ha/systole/test/lab/internal/worker"
)

// A Question is what a prober asks from the client's namespace.
type Question struct {
	// URL is http://ADDRESS/PATH for a request on a new connection, of which
	// only status 200 is an answer; tcp://ADDRESS:PORT for a connection;
	// icmp://ADDRESS for an echo; or arp://ADDRESS for an ARP reply, where who
	// answered is all the hardware addresses that did, joined by "+". There is
	// no name service: an IPv6 address is in brackets.
	URL     string
	Every   time.Duration // 0: 2 ms
	Timeout time.Duration // 0: 100 ms; later questions do not wait for earlier ones
}

// A Probe is a prober at work: a process of its own, at real-time priority so
// that it does not take its own pauses for outages.
type Probe struct {
	process *worker.Process
	clock   clock
	done    chan struct{} // closed when the worker has ended

	mu     sync.Mutex
	result Result
	err    error
	news   chan struct{} // closed at the next sample
}

// Probe starts asking.
func (l *Lab) Probe(q Question) (*Probe, error) {
	spec := worker.ProbeSpec{
		URL:     q.URL,
		Every:   cmp.Or(q.Every, 2*time.Millisecond),
		Timeout: cmp.Or(q.Timeout, 100*time.Millisecond),
	}
	process, err := worker.Start(worker.Spec{Kind: "probe", Namespace: l.client.space, Cgroup: l.workers, Params: spec})
	if err != nil {
		return nil, err
	}
	p := &Probe{process: process, clock: newClock(), done: make(chan struct{}), news: make(chan struct{})}
	var ready worker.ProbeMessage
	if err := process.Receive(&ready); err != nil {
		return nil, errors.Join(err, process.Close())
	}
	p.result.Realtime = ready.Realtime
	go p.read()
	return p, nil
}

// Stop asks no more, waits for the answers to what was asked, and gives the
// result. Later calls give the same.
func (p *Probe) Stop() (Result, error) {
	p.process.End()
	<-p.done
	return p.Result()
}

// Result is what is known up to now.
func (p *Probe) Result() (Result, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return Result{Samples: slices.Clone(p.result.Samples), Realtime: p.result.Realtime}, p.err
}

// AwaitAnswer returns when a question asked after the call is answered by who,
// or by anybody if who is empty.
func (p *Probe) AwaitAnswer(ctx context.Context, who string) (Sample, error) {
	since := time.Now()
	return p.Await(ctx, fmt.Sprintf("an answer by %q", who), func(s Sample) bool {
		return s.Err == "" && s.Asked.After(since) && (who == "" || s.Who == who)
	})
}

// Await returns the first sample, of those there are and those to come, for
// which cond is true.
func (p *Probe) Await(ctx context.Context, what string, cond func(Sample) bool) (Sample, error) {
	for seen := 0; ; {
		p.mu.Lock()
		news, samples := p.news, p.result.Samples[seen:]
		p.mu.Unlock()
		if i := slices.IndexFunc(samples, cond); i >= 0 {
			return samples[i], nil
		}
		seen += len(samples)
		if len(samples) > 0 {
			continue // the last were recorded before done was closed
		}
		select {
		case <-news:
		case <-p.done:
			return Sample{}, fmt.Errorf("waiting for %s: the prober has stopped", what)
		case <-ctx.Done():
			r, _ := p.Result()
			return Sample{}, fmt.Errorf("waiting for %s: %w; %s", what, ctx.Err(), r)
		}
	}
}

func (p *Probe) read() {
	defer close(p.done)
	for {
		var m worker.ProbeMessage
		if err := p.process.Receive(&m); err != nil {
			err = errors.Join(ignoreEOF(err), p.process.Close())
			p.mu.Lock()
			p.err = err
			p.mu.Unlock()
			return
		}
		p.mu.Lock()
		p.result.Samples = append(p.result.Samples, Sample{
			Due: p.clock.at(m.Due), Asked: p.clock.at(m.Asked), Done: p.clock.at(m.Done), Who: m.Who, Err: m.Error,
		})
		close(p.news)
		p.news = make(chan struct{})
		p.mu.Unlock()
	}
}
