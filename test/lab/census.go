package lab

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/systole-ha/systole/test/lab/internal/worker"
)

// A Census asks every node at once, every 2 ms, whether it answers for an
// address: by ARP, and by an echo request in a frame to everybody. A Probe asks
// the one node that its neighbour table knows; of a second one that would
// answer too it does not learn. An address that the kernel has but does not
// answer for, since a firewall is shut, is in a Watch and not in a census.
type Census struct {
	process *worker.Process
	clock   clock
	hosts   map[string]string // node by hardware address
	done    chan struct{}     // closed when the worker has ended

	mu  sync.Mutex
	all []Answering
	err error
}

// An Answering is a stretch of time in which a node answered for an address,
// without a gap of 10 ms.
type Answering struct {
	Node string
	Span
}

const (
	censusEvery = 2 * time.Millisecond
	censusGap   = 5 * censusEvery
)

// Census starts asking for an IPv4 address of the service network.
func (l *Lab) Census(address netip.Addr) (*Census, error) {
	spec := worker.CensusSpec{Address: address, Device: Service.Device(), Every: censusEvery, Gap: censusGap}
	process, err := worker.Start(worker.Spec{Kind: "census", Namespace: l.client.space, Cgroup: l.workers, Params: spec})
	if err != nil {
		return nil, err
	}
	c := &Census{process: process, clock: newClock(), hosts: map[string]string{}, done: make(chan struct{})}
	for _, n := range l.nodes {
		c.hosts[Service.hardware(n.host).String()] = n.name
	}
	var ready worker.CensusMessage
	if err := process.Receive(&ready); err != nil {
		return nil, errors.Join(err, process.Close())
	}
	go c.read()
	return c, nil
}

// Stop asks no more and tells who answered when, in the order of beginnings.
func (c *Census) Stop() ([]Answering, error) {
	_ = c.process.End() // a second Stop finds it ended
	<-c.done
	c.mu.Lock()
	defer c.mu.Unlock()
	slices.SortFunc(c.all, func(a, b Answering) int { return a.From.Compare(b.From) })
	return slices.Clone(c.all), c.err
}

func (c *Census) read() {
	defer close(c.done)
	for {
		var m worker.CensusMessage
		if err := c.process.Receive(&m); err != nil {
			err = errors.Join(ignoreEOF(err), c.process.Close())
			c.mu.Lock()
			c.err = errors.Join(c.err, err)
			c.mu.Unlock()
			return
		}
		c.mu.Lock()
		if node, ok := c.hosts[m.Hardware]; ok {
			c.all = append(c.all, Answering{node, Span{c.clock.at(m.From), c.clock.at(m.To)}})
		} else {
			c.err = errors.Join(c.err, fmt.Errorf("census: %s answered, which is no node's address", m.Hardware))
		}
		c.mu.Unlock()
	}
}

// TwoAnswered are the spans in which two nodes answered. Answers of a node that are
// less than a gap apart count as one stretch, so that each is up to one
// question shorter than the truth.
func TwoAnswered(all []Answering) []Span {
	var both []Span
	for i, a := range all {
		for _, b := range all[i+1:] {
			from, to := a.From, a.To
			if b.From.After(from) {
				from = b.From
			}
			if b.To.Before(to) {
				to = b.To
			}
			if a.Node != b.Node && from.Before(to) {
				both = append(both, Span{from, to})
			}
		}
	}
	return both
}
