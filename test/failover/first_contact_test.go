package failover

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"sync"
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

// TestFirstContact runs systole on one node and Debian's heartbeat 3.0.6 on the
// other, with the same files, through all that a cluster does in its life.
func TestFirstContact(t *testing.T) {
	for _, tt := range []struct{ alpha, beta daemon }{
		{systole, heartbeat},
		{heartbeat, systole},
	} {
		t.Run(tt.alpha.name+" and "+tt.beta.name, func(t *testing.T) {
			m := newMixed(t, tt.alpha, tt.beta)
			m.live()
			m.neverTwo(ofAlpha, ofBeta)
			m.nobodyComplains()
		})
	}
}

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

// live is the life of a cluster. Nowhere in it do heartbeat's own scripts, which
// stop what they give up before they say so, make two nodes hold an address.
func (m *mixed) live() {
	m.t.Helper()
	for _, n := range m.nodes() {
		m.begin(n)
	}
	m.expect("joint start, alpha first", m.alpha, m.beta)
	for _, n := range m.nodes() {
		other := m.other(n)
		m.order(n, "hb_standby", "all", other, other)
		m.order(other, "hb_standby", "foreign", m.alpha, m.beta)
		m.order(n, "hb_standby", "local", other, other)
		m.order(n, "hb_takeover", "local", m.alpha, m.beta)
	}
	for _, n := range m.nodes() {
		must(m.t, n.Stop(within(m.t, time.Minute), m.runs[n].unit))
		m.expect(fmt.Sprintf("clean stop of %s", n), m.other(n), m.other(n))
		m.begin(n)
		m.expect(fmt.Sprintf("return of %s", n), m.alpha, m.beta)
	}
	for _, n := range m.nodes() {
		m.powerOff(n)
		m.expect(fmt.Sprintf("power cut of %s", n), m.other(n), m.other(n))
		must(m.t, n.Boot(within(m.t, time.Minute)))
		m.begin(n)
		m.expect(fmt.Sprintf("return of %s after a power cut", n), m.alpha, m.beta)
	}
	m.stopBoth()
	m.begin(m.beta)
	m.begin(m.alpha)
	m.expect("joint start, beta first", m.alpha, m.beta)
}

func (m *mixed) stopBoth() {
	m.t.Helper()
	errs := make([]error, 2)
	var stops sync.WaitGroup
	for i, n := range m.nodes() {
		stops.Go(func() { errs[i] = n.Stop(within(m.t, time.Minute), m.runs[n].unit) })
	}
	stops.Wait()
	must(m.t, errors.Join(errs...))
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

// usual is what a 3.0.6 node complains of beside another 3.0.6 node, through the
// same life: the lab's limit on locked memory, which is the distribution's.
const usual = "Cannot lock ourselves into memory"

// complaint is a line of heartbeat or one of its scripts at one of the levels
// that call for somebody.
var complaint = regexp.MustCompile(`\b(?:ERROR|CRIT|CRITICAL|ALERT|EMERG): .*`)

// nobodyComplains fails the test for what a daemon found to be wrong.
func (m *mixed) nobodyComplains() {
	m.t.Helper()
	for _, n := range m.nodes() {
		if m.runs[n] == systole {
			m.none(n, time.Time{}, "message.lost", "peer.false_death", "split_brain.suspected", "resource.failed", "takeover.failed")
			continue
		}
		journal, err := n.Journal(soon(m.t))
		must(m.t, err)
		for line := range strings.Lines(journal) {
			if complaint.MatchString(line) && !strings.Contains(line, usual) {
				m.t.Errorf("%s", line)
			}
		}
	}
}
