package lab

import (
	"context"
	"fmt"
	"testing"
	"time"
)

// TestCensus has two nodes hold one address, one of them silenced at times: a
// census tells who answered.
func TestCensus(t *testing.T) {
	t.Parallel()
	l := New(t)
	alpha, beta := l.Node("alpha"), l.Node("beta")
	for _, n := range l.Nodes() {
		succeeds(t, n, "ip", "address", "add", vip.String()+"/24", "dev", "eth0")
	}
	silence := func(n *Node, hook string) {
		t.Helper()
		family, rule := "ip", "ip daddr "+vip.String()+" drop"
		if hook == "arp" {
			family, rule = "arp", "drop"
		}
		succeeds(t, n, "nft", fmt.Sprintf("add table %[1]s shut; add chain %[1]s shut in { type filter hook input priority 0; }; add rule %[1]s shut in %[2]s", family, rule))
	}
	during := func(d time.Duration) []Answering {
		t.Helper()
		c, err := l.Census(vip)
		must(t, err)
		passes(t, d)
		all, err := c.Stop()
		must(t, err)
		return all
	}
	total := func(all []Answering, node string) (sum time.Duration) {
		for _, a := range all {
			if a.Node == node {
				sum += a.Length()
			}
		}
		return sum
	}

	// On a busy machine questions are skipped; each skip of 10 ms ends a stretch.
	all := during(400 * time.Millisecond)
	if both := Total(TwoAnswered(all)); both < 200*time.Millisecond {
		t.Errorf("two nodes have the address, and both answered for %v of 400 ms: %v", both, all)
	}
	silence(beta, "ip")
	if all = during(400 * time.Millisecond); total(all, "beta") < 200*time.Millisecond {
		t.Errorf("beta answers ARP, but only for %v of 400 ms: %v", total(all, "beta"), all)
	}
	silence(beta, "arp")
	all = during(400 * time.Millisecond)
	if total(all, "alpha") < 200*time.Millisecond || total(all, "beta") > 0 || len(TwoAnswered(all)) > 0 {
		t.Errorf("beta is silenced: got %v", all)
	}
	must(t, alpha.Freeze()) // its kernel is not
	if all = during(400 * time.Millisecond); total(all, "alpha") < 200*time.Millisecond {
		t.Errorf("alpha, frozen, answered for %v of 400 ms: %v", total(all, "alpha"), all)
	}
	must(t, alpha.Thaw())
}

func TestTwoAnswered(t *testing.T) {
	a := func(node string, from, to float64) Answering { return Answering{node, span(from, to)} }
	for _, tt := range []struct {
		name string
		all  []Answering
		want time.Duration
	}{
		{"one after the other", []Answering{a("alpha", 1, 2), a("beta", 2, 3)}, 0},
		{"twice the same node", []Answering{a("alpha", 1, 2), a("alpha", 1.5, 3)}, 0},
		{"one before the other is done", []Answering{a("alpha", 1, 2), a("beta", 1.5, 3)}, 500 * time.Millisecond},
		{"one within the other, twice", []Answering{a("alpha", 1, 9), a("beta", 2, 3), a("beta", 4, 5)}, 2 * time.Second},
	} {
		if got := Total(TwoAnswered(tt.all)); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}

// TestStarve has the kernel kill a unit for want of memory, and nothing else.
func TestStarve(t *testing.T) {
	t.Parallel()
	l := New(t, WithNodes("alpha"))
	alpha := l.Node("alpha")
	must(t, Nginx(alpha))
	must(t, alpha.Start(deadline(t, patience), "nginx"))
	must(t, alpha.Starve(deadline(t, patience), "nginx.service"))
	must(t, WaitFor(deadline(t, patience), "nginx to be dead", func(ctx context.Context) error {
		if alpha.Active(ctx, "nginx") {
			return fmt.Errorf("it is active")
		}
		return nil
	}))
	must(t, alpha.Start(deadline(t, patience), "nginx"))
}

// passes lets time pass.
func passes(t *testing.T, d time.Duration) {
	t.Helper()
	began := time.Now()
	must(t, WaitFor(deadline(t, d+patience), fmt.Sprint(d, " to pass"), func(context.Context) error {
		if left := d - time.Since(began); left > 0 {
			return fmt.Errorf("%v are left", left)
		}
		return nil
	}))
}
