package failover

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/systole-ha/systole/test/cluster"
	"github.com/systole-ha/systole/test/lab"
)

// Two groups of an address each, one preferred by either node.
var (
	ofAlpha = netip.MustParseAddr("192.0.2.50")
	ofBeta  = netip.MustParseAddr("192.0.2.60")
)

// A daemon is what runs a node of a mixed cluster.
type daemon struct{ name, unit, commands string }

var (
	systole   = daemon{"systole", cluster.Unit, "/usr/bin/"}
	heartbeat = daemon{"heartbeat", "heartbeat.service", "/usr/share/heartbeat/"}
)

// A mixed cluster has a daemon for each node.
type mixed struct {
	*pair
	runs map[*lab.Node]daemon
}

func newMixed(t *testing.T, alpha, beta daemon) *mixed {
	timing := cluster.Timing{Keepalive: 200 * time.Millisecond, Deadtime: 2 * time.Second, Initdead: 10 * time.Second}
	files := lab.Files{
		"ha.cf":       cluster.HaCf(timing, "bcast eth0 eth1", "auto_failback on", "logfacility daemon"),
		"haresources": fmt.Sprintf("alpha IPaddr::%s/24/eth0\nbeta IPaddr::%s/24/eth0\n", ofAlpha, ofBeta),
		"authkeys":    "auth 1\n1 sha1 not-a-secret\n",
	}
	p := bootPair(t)
	m := &mixed{p, map[*lab.Node]daemon{p.alpha: alpha, p.beta: beta}}
	for n, runs := range m.runs {
		if runs == systole {
			must(t, cluster.Install(n, files))
		} else {
			must(t, n.Configure("/etc/ha.d", files)) // cl_status stays heartbeat's own
		}
	}
	return m
}

// begin starts a node's daemon.
func (m *mixed) begin(n *lab.Node) {
	m.t.Helper()
	if m.runs[n] == systole {
		m.start(n)
		return
	}
	must(m.t, n.Start(soon(m.t), m.runs[n].unit))
}

// order is an operator's command, and where the addresses are afterwards.
func (m *mixed) order(n *lab.Node, command, what string, alphas, betas *lab.Node) {
	m.t.Helper()
	m.run(n, m.runs[n].commands+command, what)
	m.expect(fmt.Sprintf("%s %s on %s", command, what, n), alphas, betas)
}

// expect waits until the kernels say that the addresses are where they should
// be and nowhere else, and both daemons agree and have nothing under way.
func (m *mixed) expect(after string, alphas, betas *lab.Node) {
	m.t.Helper()
	began := time.Now()
	_, err := m.watch.Await(within(m.t, time.Minute), after, func(h lab.History) bool {
		return slices.Equal(h.Holders(ofAlpha), []string{alphas.Name()}) && slices.Equal(h.Holders(ofBeta), []string{betas.Name()})
	})
	must(m.t, err)
	moved := time.Since(began)
	holder := map[*lab.Node]*lab.Node{m.alpha: alphas, m.beta: betas}
	for _, n := range m.nodes() {
		if n.On() && n.Active(soon(m.t), m.runs[n].unit) {
			m.says(n, holdWord(holder[n] == n, holder[m.other(n)] == n), "rscstatus")
		}
	}
	m.t.Logf("%-36s addresses in place after %8v, books after %8v", after, round(moved), round(time.Since(began)))
}

// holdWord is what cl_status rscstatus calls it.
func holdWord(local, foreign bool) string {
	switch {
	case local && foreign:
		return "all"
	case local:
		return "local"
	case foreign:
		return "foreign"
	}
	return "none"
}
