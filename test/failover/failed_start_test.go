package failover

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/systole-ha/systole/agent/control"
	"github.com/systole-ha/systole/test/lab"
)

// unit is a service of one line more than it needs to run.
func unit(exec string) []byte {
	return []byte("[Service]\nExecStart=" + exec + "\n")
}

const (
	works = "/usr/bin/sleep infinity"
	fails = "/usr/bin/false"
)

// TestFailedStart lets three of four groups fail on their preferred node, each
// for another reason. They run on the peer, and the fourth is not touched.
func TestFailedStart(t *testing.T) {
	p := newPair(t, clusterFiles(fast, strings.Join([]string{
		"alpha IPaddr::192.0.2.50/24/eth0 good",
		"alpha IPaddr::192.0.2.51/24/eth0 missing",
		"alpha IPaddr::192.0.2.52/24/eth0 masked",
		"alpha IPaddr::192.0.2.53/24/eth0 failing",
	}, "\n"), "auto_failback on"))
	write := func(n *lab.Node, name, exec string) {
		t.Helper()
		must(t, n.WriteFile("/etc/systemd/system/"+name+".service", unit(exec), 0o644))
	}
	for _, name := range []string{"good", "masked", "failing", "missing"} {
		write(p.beta, name, works)
	}
	write(p.alpha, "good", works)
	write(p.alpha, "failing", fails)
	must(t, p.alpha.WriteFile("/etc/systemd/system.control/masked.service", nil, 0o644)) // an empty file masks, too

	p.start(p.nodes()...)
	good := p.held(netip.MustParseAddr("192.0.2.50"), p.alpha)
	for _, address := range []string{"192.0.2.51", "192.0.2.52", "192.0.2.53"} {
		p.held(netip.MustParseAddr(address), p.beta)
	}
	p.settled()
	since := p.run(p.alpha, "systemctl", "show", "--value", "--property=ActiveEnterTimestampMonotonic", "good")

	// Why, in the status, the journal and cl_status' own words.
	alpha, beta := p.status(p.alpha), p.status(p.beta)
	for _, tt := range []struct{ group, unit, why string }{
		{"IPaddr::192.0.2.51/24/eth0", "missing", "no such unit missing.service"},
		{"IPaddr::192.0.2.52/24/eth0", "masked", "masked.service is masked"},
		{"IPaddr::192.0.2.53/24/eth0", "failing", "exited with status 1"},
	} {
		if got := groupOf(t, alpha, tt.group); got.State != "failed" || !strings.Contains(got.Failure, tt.why) || !slices.Equal(got.Holders, []string{"beta"}) {
			t.Errorf("alpha: %+v, want it failed because %q, held by beta", got, tt.why)
		}
		if got := groupOf(t, beta, tt.group); got.State != "running" || got.Failure != "" {
			t.Errorf("beta: %+v, want it running", got)
		}
		e := p.entry(p.alpha, time.Time{}, "takeover.failed", "group", tt.group)
		t.Log(e.Message)
		if e.Get("resource") != tt.unit || !strings.Contains(e.Get("error"), tt.why) || !strings.Contains(e.Get("next"), "offered to beta") {
			t.Errorf("alpha's journal says: %s", e.Message)
		}
		p.entry(p.beta, time.Time{}, "takeover.started", "trigger", "failure")
	}
	p.says(p.alpha, "local", "rscstatus")
	p.says(p.beta, "all", "rscstatus")

	// The fourth.
	if got := groupOf(t, alpha, "IPaddr::192.0.2.50/24/eth0"); got.State != "running" {
		t.Errorf("alpha: %+v, want it running", got)
	}
	if got := p.run(p.alpha, "systemctl", "show", "--value", "--property=ActiveEnterTimestampMonotonic", "good"); got != since {
		t.Errorf("good.service was started again")
	}
	if again := p.held(netip.MustParseAddr("192.0.2.50"), p.alpha); again != good {
		t.Errorf("192.0.2.50 was away and back after %v", again.Sub(good))
	}

	// Mended, and asked for again.
	write(p.alpha, "missing", works)
	write(p.alpha, "failing", works)
	p.run(p.alpha, "rm", "/etc/systemd/system.control/masked.service")
	write(p.alpha, "masked", works)
	must(t, p.alpha.Reload(soon(t)))
	p.run(p.alpha, "hb_takeover", "local")
	for _, address := range []string{"192.0.2.51", "192.0.2.52", "192.0.2.53"} {
		p.held(netip.MustParseAddr(address), p.alpha)
		p.neverTwo(netip.MustParseAddr(address))
	}
	p.says(p.beta, "local", "rscstatus")
	if got := groupOf(t, p.status(p.alpha), "IPaddr::192.0.2.52/24/eth0"); got.State != "running" || got.Failure != "" {
		t.Errorf("mended: %+v, want it running", got)
	}
	for _, n := range p.nodes() {
		p.none(n, time.Time{}, "split_brain.suspected", "peer.dead")
	}
}

func groupOf(t *testing.T, s control.Status, name string) control.Group {
	t.Helper()
	i := slices.IndexFunc(s.Groups, func(g control.Group) bool { return g.Group == name })
	if i < 0 {
		t.Fatalf("%s knows no group %s", s.Node, name)
	}
	return s.Groups[i]
}
