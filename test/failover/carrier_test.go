package failover

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/systole-ha/systole/test/lab"
)

// TestCarrier pulls the clients' cable of the node that serves, with the other
// network alive, and asks a client how long it was without an answer.
func TestCarrier(t *testing.T) {
	p := newPair(t, clusterFiles(fast, "alpha IPaddr::192.0.2.50/24/eth0", "auto_failback off"))
	p.eachNginx(true)
	p.started(virtual)
	p.settled()
	var gaps []time.Duration
	const rounds = 3
	for round := range rounds {
		serves := p.holder()
		probe := p.probe("http://192.0.2.50/")
		p.answered(probe, serves)
		began := time.Now()
		must(t, serves.Carrier(lab.Service, false))
		p.held(virtual, p.other(serves))
		p.answered(probe, p.other(serves))
		gap := p.stop(probe).Longest()
		gaps = append(gaps, gap.Length()-gap.Late)
		t.Logf("%s lost its carrier: no answer for %v", serves, gap)
		e := p.entry(p.other(serves), began, "takeover.completed", "trigger", "carrier")
		t.Logf("the one that took over says: outage %v", e.Seconds("outage"))
		p.none(serves, began, "peer.dead")
		must(t, serves.Carrier(lab.Service, true))
		if round == rounds-1 {
			break
		}
		// Its carrier must have been there for a while before it counts: 5 s
		// after its first loss.
		must(t, lab.WaitFor(within(t, time.Minute), serves.Name()+" to be fit again", func(context.Context) error {
			if s := p.status(serves); len(s.Groups) == 0 || s.Groups[0].Cut != "" {
				return errors.New("it is not: " + s.Groups[0].Cut)
			}
			return nil
		}))
		p.settled()
	}
	if got := median(gaps); got > 100*time.Millisecond {
		t.Errorf("the median of the client's gaps is %v of %v: detection by deadtime would take %v", got, gaps, fast.Deadtime)
	}
	p.switchFails()
	p.isolates()
	p.neverTwo(virtual)
}

// switchFails takes the clients' network from both nodes: nobody would be better
// off, so nothing moves.
func (p *pair) switchFails() {
	p.t.Helper()
	serves := p.holder()
	began := time.Now()
	must(p.t, p.other(serves).Carrier(lab.Service, false))
	p.entry(p.other(serves), began, "carrier.lost")
	must(p.t, serves.Carrier(lab.Service, false))
	p.entry(serves, began, "carrier.lost")
	must(p.t, lab.WaitFor(soon(p.t), "twice deadtime to pass", func(context.Context) error {
		if time.Since(began) < 2*fast.Deadtime {
			return fmt.Errorf("%v have", time.Since(began))
		}
		return nil
	}))
	for _, n := range p.nodes() {
		p.none(n, began, "takeover.started", "release.started", "peer.dead")
		must(p.t, n.Carrier(lab.Service, true))
		p.entry(n, began, "carrier.returned")
	}
}

// isolates takes every network from the node that serves: it lets go long
// before its peer has waited out the deadtime, and takes nothing back.
func (p *pair) isolates() {
	p.t.Helper()
	serves := p.holder()
	began := time.Now()
	must(p.t, errors.Join(serves.Carrier(lab.Service, false), serves.Carrier(lab.Private, false)))
	taken := p.held(virtual, p.other(serves))
	released := p.entry(serves, began, "release.completed", "trigger", "carrier").At
	p.t.Logf("%s let go %v after its cables were pulled, %v before the other took over", serves, round(released.Sub(began)), round(taken.Sub(released)))
	if released.Sub(began) > fast.Deadtime/2 {
		p.t.Errorf("%s let go only %v after its cables were pulled", serves, released.Sub(began))
	}
	must(p.t, errors.Join(serves.Carrier(lab.Service, true), serves.Carrier(lab.Private, true)))
	p.entry(serves, released, "peer.returned")
	p.settled()
	p.none(serves, released, "takeover.started")
}

// holder is the node whose kernel has the address.
func (p *pair) holder() *lab.Node {
	p.t.Helper()
	h, err := p.watch.History()
	must(p.t, err)
	if holders := h.Holders(virtual); len(holders) == 1 && holders[0] == p.beta.Name() {
		return p.beta
	}
	return p.alpha
}
