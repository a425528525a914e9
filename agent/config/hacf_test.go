package config

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestEveryDirectiveIsKnown holds the list of ha.cf(5) of heartbeat 3.0.6
// against the table: none may be called unknown.
func TestEveryDirectiveIsKnown(t *testing.T) {
	const all = `node bcast udp ucast mcast ucast6 mcast6 serial baud ping ping_group ping6 udpport keepalive deadtime
		warntime initdead deadping hopfudge auto_failback nice_failback logfile debugfile logfacility use_logd
		conn_logd_time syslogmsgfmt debug log_badpack msgfmt compression compression_threshold
		traditional_compression max_rexmit_delay realtime rtprio memreserve hbgenmethod uuidfrom autojoin crm
		pacemaker crm_daemon_dir crmd_spawns_pengine record_config_changes record_pengine_inputs
		enable_config_writes respawn failfast apiauth stonith stonith_host watchdog use_apphbd coredumps coreroot
		cluster quorum_server env`
	for _, name := range strings.Fields(all) {
		_, ds := Load(with(map[string]string{HaCf: name + " x\n"}), Host{Name: "alpha"})
		for _, d := range ds {
			if d.File == HaCf && strings.Contains(d.Text, "unknown directive") {
				t.Errorf("%s: %s", name, d)
			}
		}
	}
	const own = 3 // flight_recorder, webhook, alertmanager
	if got, want := len(directiveList), len(strings.Fields(all))+own; got != want {
		t.Errorf("%d directives in the table, want the %d of the manual and of our own", got, want)
	}
}

// TestTimers judges the timers of an otherwise good ha.cf; every limit is tried
// on both sides.
func TestTimers(t *testing.T) {
	const (
		defaults = "keepalive 1s, warntime 15s, deadtime 30s, initdead 30s, deadping 30s"
		noRT     = "realtime off\n"
	)
	for _, tt := range []struct {
		name, lines, timers string
		want                []string // from line 4 on
	}{
		{"heartbeat's defaults", "", defaults, nil},
		{"a deadtime of twice the keepalive is refused", "deadtime 2\n", "",
			[]string{"ha.cf:4: deadtime: 2 s is not more than twice the keepalive of 1 s"}},
		{"one more is advised against", "deadtime 2.001\n", "",
			[]string{"ha.cf:4: warning: deadtime: 2.001 s is less than three keepalives of 1 s: two lost heartbeats make a node dead"}},
		{"one less than three keepalives, too", "deadtime 2.999\n", "",
			[]string{"ha.cf:4: warning: deadtime: 2.999 s is less than three keepalives of 1 s: two lost heartbeats make a node dead"}},
		{"three keepalives are enough", "deadtime 3\n", "keepalive 1s, warntime 1.5s, deadtime 3s, initdead 12s, deadping 3s", nil},
		{"the keepalive may be what is wrong", "deadtime 10\nkeepalive 5\n", "",
			[]string{"ha.cf:5: deadtime: 10 s is not more than twice the keepalive of 5 s"}},
		{"without real time a deadtime of 2 s will do", noRT + "keepalive .5\ndeadtime 2\n", "", nil},
		{"and less will not", noRT + "keepalive .5\ndeadtime 1999ms\n", "",
			[]string{"ha.cf:6: warning: deadtime: 1.999 s without real-time scheduling: a busy machine can be as late without being dead; write realtime on, or a deadtime of 2 or more"}},
		{"with real time 300 ms will do", "keepalive 50ms\ndeadtime 300ms\n", "keepalive 50ms, warntime 150ms, deadtime 300ms, initdead 12s, deadping 300ms", nil},
		{"and less will not, either", "keepalive 50ms\ndeadtime 299ms\n", "",
			[]string{"ha.cf:5: warning: deadtime: 299 ms is short even with real-time scheduling: a virtual machine can be kept waiting as long by its host"}},
		{"a warntime just before deadtime is right", "warntime 29.999\n", "", nil},
		{"at deadtime it warns of nothing", "warntime 30\n", "",
			[]string{"ha.cf:4: warning: warntime: 30 s is not before the deadtime of 30 s: no heartbeat will be reported late before its node is dead"}},
		{"initdead is 12 s for a deadtime under 6 s", "deadtime 5999ms\n", "keepalive 1s, warntime 2.999s, deadtime 5.999s, initdead 12s, deadping 5.999s", nil},
		{"twice the deadtime from 6 s", "deadtime 6\n", "keepalive 1s, warntime 3s, deadtime 6s, initdead 12s, deadping 6s", nil},
		{"to 10 s", "deadtime 10\n", "keepalive 1s, warntime 5s, deadtime 10s, initdead 20s, deadping 10s", nil},
		{"and the deadtime beyond", "deadtime 10.001\n", "keepalive 1s, warntime 5s, deadtime 10.001s, initdead 10.001s, deadping 10.001s", nil},
		{"initdead may be the deadtime", "initdead 30\n", defaults, nil},
		{"and not less", "initdead 29999ms\n", "",
			[]string{"ha.cf:4: initdead: 29.999 s is less than the deadtime of 30 s"}},
		{"an initdead of zero is not the default", "initdead 0\n", "",
			[]string{"ha.cf:4: initdead: 0 ms is less than the deadtime of 30 s"}},
		{"under 10 s it may be too short", "deadtime 5\ninitdead 9999ms\n", "",
			[]string{"ha.cf:5: warning: initdead: 9.999 s may be too short for a network that is starting up: a node that boots alone takes everything after it; 10 or more is usual"}},
		{"10 s are enough", "deadtime 5\ninitdead 10\n", "", nil},
		{"deadping of twice the keepalive is refused", "deadping 2\n", "",
			[]string{"ha.cf:4: deadping: 2 s is not more than twice the keepalive of 1 s"}},
		{"one more is not", "deadping 2001ms\n", "", nil},
		{"the last value counts", "deadtime 1 10, 20\n", "keepalive 1s, warntime 10s, deadtime 20s, initdead 20s, deadping 20s", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, ds := Load(with(map[string]string{HaCf: "node alpha beta\nbcast eth0 eth1\nauto_failback on\n" + tt.lines}), machine("alpha"))
			check(t, ds, tt.want)
			seconds := func(d time.Duration) string { return strings.TrimSuffix(d.String(), "0m0s") }
			got := fmt.Sprintf("keepalive %s, warntime %s, deadtime %s, initdead %s, deadping %s", seconds(c.Keepalive), seconds(c.Warntime), seconds(c.Deadtime), seconds(c.Initdead), seconds(c.Deadping))
			if tt.timers != "" && got != tt.timers {
				t.Errorf("timers:\n got %s\nwant %s", got, tt.timers)
			}
		})
	}
}

// TestCluster judges nodes and links.
func TestCluster(t *testing.T) {
	for _, tt := range []struct {
		name, hacf string
		want       []string
	}{
		{"CR, commas, tabs and a missing last newline are understood", "node alpha,beta\r\n\tbcast\teth0,eth1\r\nauto_failback on", nil},
		{"an empty file has neither nodes nor links", "\n", []string{
			"ha.cf: node: no nodes; write node and the names that uname -n prints on the two nodes",
			"ha.cf: no link to the other node; write bcast eth0 or the like",
			"ha.cf: warning: auto_failback: not set, and heartbeat's default is legacy, which runs as on: groups return to their preferred node; write auto_failback on, or off",
		}},
		{"one node is advised against", "node alpha\nbcast eth0\nauto_failback on", []string{
			"ha.cf:1: warning: node: only one node: there is nothing to fail over to",
		}},
		{"three nodes are refused, at the third", "node alpha\nnode beta\nnode gamma\nbcast eth0 eth1\nauto_failback on", []string{
			"ha.cf:3: node: 3 nodes, where haresources can only serve two: with a third one, groups end up running twice",
		}},
		{"a node named twice is one", "node alpha beta ALPHA\nbcast eth0 eth1\nauto_failback on", nil},
		{"a machine that is no member is told so, and its interfaces are not judged", "node alfa beta\nbcast eth8 eth9\nserial /dev/nothing\nucast eth0 nowhere\nauto_failback on", []string{
			"ha.cf:1: node: this node, alpha, is not among them; its interfaces were not looked at, did you mean alfa?",
			"haresources:1: alpha: not a node of ha.cf, did you mean alfa?",
		}},
		{"a misspelt node line is the only error it makes", "Node alpha beta\nbcast eth0 eth1\nauto_failback on", []string{
			"ha.cf:1: Node: unknown directive, did you mean node?",
		}},
		{"a misspelt link is the only error it makes", "node alpha beta\nbcats eth0 eth1\nauto_failback on", []string{
			"ha.cf:2: bcats: unknown directive, did you mean bcast?",
		}},
		{"a wrong link is the only error it makes", "node alpha beta\nbcast eth9\nauto_failback on", []string{
			"ha.cf:2: bcast: there is no network interface eth9 on this node; see ip link",
		}},
		{"one link is advised against", "node alpha beta\nauto_failback on\nbcast eth1", []string{
			"ha.cf:3: warning: bcast: the only link: if it fails, each node takes the other for dead and both run everything; add a second one that shares nothing with it",
		}},
		{"two links over one interface are one", "node alpha beta\nauto_failback on\nbcast eth1\nmcast eth1 225.0.0.1 694 1 0", []string{
			"ha.cf:3: warning: bcast: the only link: if it fails, each node takes the other for dead and both run everything; add a second one that shares nothing with it",
		}},
		{"a ucast line to this node does not count", "node alpha beta\nauto_failback on\nbcast eth0\nucast eth1 192.168.1.1", []string{
			"ha.cf:3: warning: bcast: the only link: if it fails, each node takes the other for dead and both run everything; add a second one that shares nothing with it",
		}},
		{"nothing but ucast lines to this node is no link", "node alpha beta\nauto_failback on\nucast eth1 192.168.1.1", []string{
			"ha.cf:3: ucast: no link to the other node: every address is one of this node",
		}},
		{"the same link twice is advised against", "node alpha beta\nauto_failback on\nbcast eth0 eth1\nbcast eth0", []string{
			"ha.cf:4: warning: bcast: the same as on line 3: everything is sent twice",
		}},
		{"a slow line and a short keepalive do not fit", "node alpha beta\nauto_failback on\nbcast eth0\nbaud 9600\nserial /dev/ttyS0\nkeepalive 624ms", []string{
			"ha.cf:5: warning: serial: 9600 baud carry about 3 heartbeats a second, too few for a keepalive of 624 ms",
		}},
		{"a keepalive that is long enough does", "node alpha beta\nauto_failback on\nbcast eth0\nbaud 9600\nserial /dev/ttyS0\nkeepalive 625ms", nil},
		{"udpport after a link of its kind is obeyed by other kinds only", "node alpha beta\nauto_failback on\nbcast eth0\nudpport 700\nucast eth1 10.0.0.2", []string{
			"ha.cf:4: warning: udpport: comes too late: bcast on line 3 keeps 694, as with heartbeat; move it above bcast",
		}},
		{"udpport that changes nothing may come late", "node alpha beta\nauto_failback on\nbcast eth0 eth1\nudpport 694", nil},
		{"nice_failback after auto_failback means off", "node alpha beta\nauto_failback on\nnice_failback on\nbcast eth0 eth1", []string{
			"ha.cf:3: warning: nice_failback: obsolete: counts as auto_failback off; write auto_failback on or off instead",
		}},
		{"what a terminal should not be shown is refused", "node alpha be\x1bta\nauto_failback on\nbcast eth0 eth1\nucast6 eth0 fe80::1%\x1b[2J\nmcast6 eth0 ff12::1%\x07 694 1 0", []string{
			`ha.cf:1: node: "be\x1bta" has a character in it that cannot be shown`,
			`ha.cf:1: warning: node: only one node: there is nothing to fail over to`,
			`ha.cf:4: ucast6: "fe80::1%\x1b[2J" is neither an address nor a name`,
			`ha.cf:5: mcast6: "ff12::1%\a" is no multicast group for mcast6; such as ff12::1:2:3:4`,
		}},
		{"a hundred errors are enough", strings.Repeat("nonsense\n", 200), append(nonsense(100),
			"ha.cf:101: the rest is not read after 100 errors, is this the right file?")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, ds := Load(with(map[string]string{HaCf: tt.hacf}), machine("alpha"))
			if strings.HasPrefix(tt.hacf, "nonsense") {
				ds = ds[:101] // what follows is about what is missing
			}
			check(t, ds, tt.want)
		})
	}
}

func nonsense(n int) []string {
	var lines []string
	for i := range n {
		lines = append(lines, fmt.Sprintf("ha.cf:%d: nonsense: unknown directive", i+1))
	}
	return lines
}

func TestFailback(t *testing.T) {
	for _, tt := range []struct {
		lines string
		want  bool
	}{
		{"", true}, // legacy, run as on
		{"auto_failback on", true},
		{"auto_failback off", false},
		{"auto_failback legacy", true},
		{"nice_failback off", true},
		{"auto_failback on\nnice_failback off", false},
		{"nice_failback on\nauto_failback off", false},
		{"auto_failback off\nauto_failback legacy", true},
	} {
		c, _ := Load(with(map[string]string{HaCf: "node alpha beta\nbcast eth0\n" + tt.lines}), machine("alpha"))
		if c.AutoFailback != tt.want {
			t.Errorf("AutoFailback after %q = %t, want %t", tt.lines, c.AutoFailback, tt.want)
		}
	}
}

func TestPorts(t *testing.T) {
	c, _ := Load(with(map[string]string{HaCf: "node alpha beta\nbcast eth0\nudpport 700\nbcast eth1\nucast eth1 10.0.0.2\nmcast eth0 225.0.0.1 5405 1 0\n"}), machine("alpha"))
	want := []uint16{694, 694, 700, 5405}
	for i, l := range c.Links {
		if l.Port != want[i] {
			t.Errorf("%s %s: port %d, want %d", l.Kind, l.Name, l.Port, want[i])
		}
	}
}
