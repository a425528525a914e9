package failover

import (
	"context"
	"errors"
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
		serves := p.alpha
		if h, err := p.watch.History(); err == nil && len(h.Holders(virtual)) == 1 && h.Holders(virtual)[0] == p.beta.Name() {
			serves = p.beta
		}
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
	p.neverTwo(virtual)
	if got := median(gaps); got > 100*time.Millisecond {
		t.Errorf("the median of the client's gaps is %v of %v: detection by deadtime would take %v", got, gaps, fast.Deadtime)
	}
}
