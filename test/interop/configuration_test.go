package interop

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/systole-ha/systole/test/cluster"
	"github.com/systole-ha/systole/test/lab"
)

// A configuration is a column of the table.
type configuration struct {
	systole  string // the node that runs it: alpha, which the first address prefers, or beta
	failback string // auto_failback: on, off
	method   string // crc, md5, sha1
	medium   string // bcast, mcast, ucast
	links    int
	msgfmt   string // classic, netstring
	lines    int    // of haresources: one that prefers alpha, or one for each node
	timers   string
	parts    part // of a life, that are walked through in it
}

// A part of a life begins and ends where each node holds what prefers it.
type part int

const (
	moving part = 1 << iota
	going
	suffering
	starting
	wholeLife = moving | going | suffering | starting
)

// configurations have every value of every setting together with every value of
// every other. Every part is walked through with either daemon as the preferred
// node, and with auto_failback on and off. With netstring nothing is asked of
// Heartbeat that its children have a part in: see ends.
var configurations = []configuration{
	{"alpha", "on", "md5", "mcast", 2, "classic", 2, even, wholeLife},
	{"beta", "off", "md5", "ucast", 2, "netstring", 2, even, suffering},
	{"alpha", "off", "crc", "bcast", 2, "classic", 2, patientSystole, moving | going},
	{"beta", "on", "sha1", "bcast", 1, "classic", 2, brisk, wholeLife},
	{"alpha", "on", "sha1", "ucast", 2, "netstring", 1, even, suffering},
	{"beta", "on", "crc", "mcast", 1, "netstring", 1, even, suffering},
	{"alpha", "off", "crc", "ucast", 1, "classic", 1, even, going | suffering | starting},
	{"alpha", "off", "md5", "bcast", 1, "netstring", 1, even, suffering},
	{"beta", "off", "sha1", "mcast", 2, "classic", 2, patientHeartbeat, wholeLife},
}

// common is the one that most clusters have: make test walks through it, and
// through some of the first.
var common = configuration{"beta", "on", "sha1", "bcast", 2, "classic", 2, even, going | suffering}

// What is special about timers, if anything: a lively rhythm, or one node that
// is to be given more time than the other.
const (
	even             = ""
	brisk            = "many heartbeats"
	patientSystole   = "systole's deadtime is longer"
	patientHeartbeat = "Heartbeat's deadtime is longer"
)

// A setting is one of those that differ.
type setting struct {
	name string
	of   func(configuration) string
}

var settings = []setting{
	{"systole runs on", func(c configuration) string { return c.systole }},
	{"`auto_failback`", func(c configuration) string { return c.failback }},
	{"key", func(c configuration) string { return c.method }},
	{"medium", func(c configuration) string { return c.medium }},
	{"links", func(c configuration) string { return fmt.Sprint(c.links) }},
	{"`msgfmt`", func(c configuration) string { return c.msgfmt }},
	{"lines of `haresources`", func(c configuration) string { return fmt.Sprint(c.lines) }},
}

func (c configuration) String() string {
	return fmt.Sprintf("systole is %s, auto_failback %s, %s, %d %s, %s, %d lines %s", c.systole, c.failback, c.method, c.links, c.medium, c.msgfmt, c.lines, c.timers)
}

func TestConfigurationsPairEveryTwoValues(t *testing.T) {
	for i, a := range settings {
		for _, b := range settings[i+1:] {
			values, others, pairs := map[string]bool{}, map[string]bool{}, map[[2]string]bool{}
			for _, c := range configurations {
				values[a.of(c)], others[b.of(c)], pairs[[2]string{a.of(c), b.of(c)}] = true, true, true
			}
			if got, want := len(pairs), len(values)*len(others); got != want {
				t.Errorf("%s and %s are paired in %d ways, want all %d", a.name, b.name, got, want)
			}
		}
	}
}

func TestEveryPartIsWalkedThroughOnEitherSide(t *testing.T) {
	for _, p := range []part{moving, going, suffering, starting} {
		seen := map[[2]string]bool{}
		for _, c := range configurations {
			if c.parts&p != 0 {
				seen[[2]string{c.systole, c.failback}] = true
			}
		}
		if len(seen) != 4 {
			t.Errorf("part %b is walked through with %v, want both nodes and both values of auto_failback", p, seen)
		}
	}
}

// The addresses, each preferred by a node.
var (
	ofAlpha = netip.MustParseAddr("192.0.2.50")
	ofBeta  = netip.MustParseAddr("192.0.2.60")
)

func (c configuration) addresses() map[string]netip.Addr {
	if c.lines == 1 {
		return map[string]netip.Addr{"alpha": ofAlpha}
	}
	return map[string]netip.Addr{"alpha": ofAlpha, "beta": ofBeta}
}

// networks are those that carry heartbeats. A single one is not the clients'.
func (c configuration) networks() []lab.Network {
	if c.links == 1 {
		return []lab.Network{lab.Private}
	}
	return []lab.Network{lab.Service, lab.Private}
}

// timing is a node's. It bears a machine with two cores that does something else
// as well.
func (c configuration) timing(n *lab.Node) cluster.Timing {
	t := cluster.Timing{Keepalive: 200 * time.Millisecond, Deadtime: 3 * time.Second, Initdead: 5 * time.Second}
	ours := n.Name() == c.systole
	switch {
	case c.timers == brisk:
		t.Keepalive = 50 * time.Millisecond
	case c.timers == patientSystole && ours, c.timers == patientHeartbeat && !ours:
		t.Deadtime = 4 * time.Second
	}
	return t
}

// files are those of a node: the same on both, but for the address that a
// unicast goes to.
func (c configuration) files(n, other *lab.Node) lab.Files {
	var media []string
	for i, network := range c.networks() {
		switch c.medium {
		case "bcast":
			media = append(media, "bcast "+network.Device())
		case "mcast":
			media = append(media, fmt.Sprintf("mcast %s 239.192.0.%d 694 1 0", network.Device(), i+1))
		case "ucast":
			media = append(media, fmt.Sprintf("ucast %s %s", network.Device(), other.Host(network)))
		}
	}
	if c.msgfmt != "" {
		media = append(media, "msgfmt "+c.msgfmt)
	}
	lines := fmt.Sprintf("alpha IPaddr::%s/24/eth0\n", ofAlpha)
	if c.lines == 2 {
		lines += fmt.Sprintf("beta IPaddr::%s/24/eth0\n", ofBeta)
	}
	return lab.Files{
		"ha.cf":       cluster.HaCf(c.timing(n), strings.Join(media, "\n"), "auto_failback "+c.failback, "logfacility daemon"),
		"haresources": lines,
		"authkeys":    c.authkeys(1),
	}
}

// authkeys has two keys, of which one signs.
func (c configuration) authkeys(signs int) string {
	first := map[string]string{"crc": "crc", "md5": "md5 not-a-secret", "sha1": "sha1 not-a-secret"}[c.method]
	second := map[string]string{"crc": "sha1 another-one", "md5": "sha1 another-one", "sha1": "md5 another-one"}[c.method]
	return fmt.Sprintf("auth %d\n1 %s\n2 %s\n", signs, first, second)
}
