package lab

import (
	"context"
	"net/netip"
	"slices"
	"testing"
	"time"
)

// TestHandOver moves an address by hand and expects of the watch and of two
// probers the times it took.
func TestHandOver(t *testing.T) {
	t.Parallel()
	l := New(t)
	for _, n := range l.Nodes() {
		must(t, Nginx(n))
		must(t, n.Start(deadline(t, patience), "nginx"))
	}
	alpha, beta := l.Node("alpha"), l.Node("beta")
	watch, err := l.Watch()
	must(t, err)
	address := func(n *Node, verb string) {
		t.Helper()
		succeeds(t, n, "ip", "address", verb, vip.String()+"/24", "dev", "eth0")
	}
	address(alpha, "add")
	http, err := l.Probe(Question{URL: "http://" + vip.String() + "/"})
	must(t, err)
	icmp, err := l.Probe(Question{URL: "icmp://" + vip.String()})
	must(t, err)
	tcp, err := l.Probe(Question{URL: "tcp://" + vip.String() + ":80", Every: 5 * time.Millisecond})
	must(t, err)
	probes := map[string]*Probe{"http": http, "icmp": icmp, "tcp": tcp}
	for _, p := range probes {
		_, err := p.AwaitAnswer(deadline(t, patience), "")
		must(t, err)
	}

	// From alpha to beta with nobody holding it for 300 ms or somewhat more.
	address(alpha, "delete")
	gone := time.Now()
	_, err = http.Await(deadline(t, patience), "300 ms without an answer", func(s Sample) bool {
		return s.Err != "" && s.Asked.Sub(gone) > 300*time.Millisecond
	})
	must(t, err)
	address(beta, "add")
	client(t, l, "ip", "neighbour", "flush", "to", vip.String()) // as an announcement would
	flushed := time.Now()
	for _, p := range probes {
		_, err = p.AwaitAnswer(deadline(t, patience), "")
		must(t, err)
	}
	h, err := watch.History()
	must(t, err)
	vacant := h.Vacancies(vip)
	if len(vacant) != 1 || vacant[0].Length() < 300*time.Millisecond || h.Overlaps(vip) != nil || !slices.Equal(h.Holders(vip), []string{"beta"}) {
		t.Fatalf("vacancies %v, overlaps %v, holders %v in:\n%s", vacant, h.Overlaps(vip), h.Holders(vip), h)
	}
	for kind, p := range probes {
		r, err := p.Stop()
		must(t, err)
		t.Logf("%s: %s", kind, r)
		// It cannot be shorter than the vacancy, but for the answers under way
		// when it began; nor much longer than until the client looked anew.
		got := r.Longest()
		atLeast, atMost := vacant[0].Length()-2*time.Millisecond, flushed.Sub(vacant[0].From)+100*time.Millisecond+got.Late
		if got.Length() < atLeast || got.Length() > atMost || got.Open {
			t.Errorf("%s: longest gap %v, want %v to %v", kind, got, atLeast, atMost)
		}
		if kind == "http" && (got.Before != "alpha" || got.After != "beta") {
			t.Errorf("http: the gap is between %q and %q", got.Before, got.After)
		}
	}

	// Both at once.
	address(alpha, "add")
	_, err = watch.AwaitHolder(deadline(t, patience), vip, "alpha")
	must(t, err)
	before := time.Now()
	address(beta, "delete")
	h, err = watch.Await(deadline(t, patience), "beta to let go", func(h History) bool {
		return slices.Equal(h.Holders(vip), []string{"alpha"})
	})
	must(t, err)
	if both := h.Overlaps(vip); len(both) != 1 || both[0].From.After(before) || both[0].To.Before(before) {
		t.Errorf("overlaps %v, want one round %v in:\n%s", both, before, h)
	}
	must(t, watch.Close())
}

// TestWatchIPv6 adds an address that is first looked for on the link: it is
// held only when the kernel has found no duplicate.
func TestWatchIPv6(t *testing.T) {
	t.Parallel()
	l := New(t, WithNodes("alpha"))
	watch, err := l.Watch()
	must(t, err)
	address := netip.MustParseAddr("2001:db8::50")
	asked := time.Now()
	succeeds(t, l.Node("alpha"), "ip", "address", "add", address.String()+"/64", "dev", "eth0")
	since, err := watch.AwaitHolder(deadline(t, patience), address, "alpha")
	must(t, err)
	// RFC 4862: one probe, then one second.
	if took := since.Sub(asked); took < time.Second {
		t.Errorf("held %v after it was added, want after a second of looking for duplicates", took)
	}
}

// TestProbeNoise measures a service that does not fail: the longest gap is what
// the measurement itself adds to every outage.
func TestProbeNoise(t *testing.T) {
	t.Parallel()
	l := New(t, WithNodes("alpha"))
	alpha := l.Node("alpha")
	must(t, Nginx(alpha))
	must(t, alpha.Start(deadline(t, patience), "nginx"))
	for _, question := range []string{"http://192.0.2.1/", "icmp://192.0.2.1", "icmp://[2001:db8::1]", "http://[2001:db8::1]/"} {
		p, err := l.Probe(Question{URL: question, Timeout: time.Second}) // slow is not lost
		must(t, err)
		count := 0
		_, err = p.Await(deadline(t, patience), "500 answers", func(s Sample) bool {
			count++
			return count == 500
		})
		must(t, err)
		r, err := p.Stop()
		must(t, err)
		t.Logf("%s: %s", question, r)
		if r.Answered() < len(r.Samples)*99/100 {
			t.Errorf("%s: only %d of %d answered", question, r.Answered(), len(r.Samples))
		}
		// On two busy cores nginx, which is not in real time, may wait for one. A
		// pause of the whole machine is the prober's lateness, too.
		if got := r.Longest(); got.Length()-got.Late > 250*time.Millisecond {
			t.Errorf("%s: a gap of %v where nothing failed", question, got)
		}
	}
}

func client(t testing.TB, l *Lab, command string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	_, err := l.Client().Run(ctx, command, args...)
	must(t, err)
}
