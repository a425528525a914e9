package failover

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/systole-ha/systole/agent/control"
	"github.com/systole-ha/systole/test/cluster"
	"github.com/systole-ha/systole/test/lab"
)

// readyPair is a pair whose clients are on eth0 alone: its heartbeats go over
// eth1 and a second interface on the same cable, so that a fault of one is none
// of the other.
func readyPair(t *testing.T) *pair {
	timing := fast
	timing.Initdead = 10 * time.Second // the time in which nothing may be judged
	p := newPair(t, lab.Files{
		"ha.cf":       cluster.HaCf(timing, "bcast eth1 hb1", "auto_failback on"),
		"haresources": "alpha IPaddr::192.0.2.50/24/eth0 IPv6addr::2001:db8::50/64/eth0 nginx\n",
		"authkeys":    "auth 1\n1 sha1 not-a-secret\n",
	})
	for i, n := range p.nodes() {
		p.shell(n, fmt.Sprintf("ip link add link eth1 name hb1 type macvlan mode bridge && ip address add 203.0.113.%d/24 broadcast + dev hb1 && ip link set hb1 up", i+1))
	}
	p.eachNginx(false)
	return p
}

// shell runs a line of shell in a node.
func (p *pair) shell(n *lab.Node, line string) string {
	p.t.Helper()
	return p.run(n, "sh", "-c", line)
}

// ready asks a node whether a takeover there would work, and gives the exit
// code.
func (p *pair) ready(n *lab.Node) (control.Ready, int) {
	p.t.Helper()
	out, err := n.Run(soon(p.t), "systole", "ready", "--json")
	code := 0
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		code = exit.ExitCode()
	} else {
		must(p.t, err)
	}
	var r control.Ready
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		p.t.Fatalf("systole ready on %s: %v in %s", n, err, out)
	}
	return r, code
}

// becomesReady waits until a node is.
func (p *pair) becomesReady(n *lab.Node) {
	p.t.Helper()
	must(p.t, lab.WaitFor(soon(p.t), n.Name()+" to be ready", func(context.Context) error {
		if r, code := p.ready(n); code != 0 {
			return fmt.Errorf("%+v", r)
		}
		return nil
	}))
}

// TestReadiness breaks what a takeover by beta would need, one thing after
// another. Each fault is found by its own check, and by no other.
func TestReadiness(t *testing.T) {
	p := readyPair(t)
	p.start(p.beta)
	if r, code := p.ready(p.beta); code != 2 || r.Judged || !strings.Contains(r.Reason, "does not take part yet") {
		t.Errorf("beta, alone and not long ago started, exits with %d: %+v", code, r)
	}
	if page := p.metricsPage(p.beta); strings.Contains(page, "\nsystole_takeover_ready") {
		t.Error("systole_takeover_ready has a value while the node waits for its peer")
	}
	p.start(p.alpha)
	p.held(virtual, p.alpha)
	p.hold(p.alpha, "local")
	p.hold(p.beta, "local")
	p.settled()
	for _, n := range p.nodes() {
		p.becomesReady(n)
		p.allReady(n, 1)
	}
	t.Logf("beta is ready:\n%s", p.run(p.beta, "systole", "ready"))

	client := func(line string) func() {
		return func() {
			_, err := p.lab.Client().Run(soon(t), "sh", "-c", line)
			must(t, err)
		}
	}
	beta := func(line string) func() { return func() { p.shell(p.beta, line) } }
	for _, fault := range []struct {
		name, check, reason string
		happen, mend        func()
	}{
		{
			"a masked unit", "units_loadable", "nginx.service is masked",
			beta("systemctl mask nginx"), beta("systemctl unmask nginx"),
		},
		{
			"the clients' interface down", "interface_up", "eth0 is down",
			beta("ip link set eth0 down"), beta("ip link set eth0 up && ip address replace 2001:db8::2/64 dev eth0 nodad"),
		},
		{
			"the clients' cable pulled", "interface_up", "eth0 has no carrier",
			func() { must(t, p.beta.Carrier(lab.Service, false)) }, func() { must(t, p.beta.Carrier(lab.Service, true)) },
		},
		{
			"a third machine with the address", "address_free", "alpha holds IPaddr::192.0.2.50/24/eth0, but 2 answer for it",
			client("ip address add 192.0.2.50/32 dev eth0"), client("ip address del 192.0.2.50/32 dev eth0"),
		},
		{
			"a third machine with the IPv6 address", "address_free", "alpha holds IPv6addr::2001:db8::50/64/eth0, but 2 answer for it",
			client("ip address add 2001:db8::50/128 dev eth0 nodad"), client("ip address del 2001:db8::50/128 dev eth0"),
		},
		{
			"an interface in another network", "address_free", "alpha holds IPaddr::192.0.2.50/24/eth0, but nobody answers for it on eth0",
			func() { must(t, p.beta.Cut(lab.Service, lab.Both)) }, func() { must(t, p.beta.Heal(lab.Service)) },
		},
		{
			"one link of two", "link_redundant", "alpha is heard on eth1 only, not on hb1",
			beta("ip link set hb1 down"), beta("ip link set hb1 up"),
		},
		{
			"a state directory that is read-only", "disk", "permission denied",
			beta("chmod 0500 /var/lib/systole"), beta("chmod 0700 /var/lib/systole"),
		},
		{
			"a full disk", "disk", "no space left on device",
			beta("mount -t tmpfs -o size=64k tmpfs /var/lib/systole && dd if=/dev/zero of=/var/lib/systole/filler bs=4k count=17 2>/dev/null || true"),
			beta("umount /var/lib/systole"),
		},
	} {
		since := time.Now()
		fault.happen()
		p.becomesUnready(p.beta, fault.name, fault.check, fault.reason)
		e := p.entry(p.beta, since, "readiness.changed", "check", fault.check)
		t.Logf("%s: %s", fault.name, e.Message)
		fault.mend()
		p.becomesReady(p.beta)
		e = p.entry(p.beta, since, "readiness.changed", "check", fault.check, "ready", "true")
		t.Logf("mended: %s", e.Message)
	}
	p.allReady(p.beta, 1)
	for _, n := range p.nodes() {
		p.none(n, time.Time{}, "peer.dead", "takeover.failed", "split_brain.suspected", "release.started")
	}
}

// becomesUnready waits until a node's check fails, which must be its only one.
func (p *pair) becomesUnready(n *lab.Node, what, check, reason string) {
	p.t.Helper()
	var r control.Ready
	must(p.t, lab.WaitFor(soon(p.t), check+" to fail for "+what, func(context.Context) error {
		var code int
		if r, code = p.ready(n); code != 1 {
			return fmt.Errorf("exit code %d: %+v", code, r)
		}
		return nil
	}))
	for _, c := range r.Checks {
		switch {
		case c.Check == check && (c.Ready || !strings.Contains(c.Reason, reason)):
			p.t.Errorf("%s: %s says %+v, want %q", what, check, c, reason)
		case c.Check != check && !c.Ready:
			p.t.Errorf("%s: %s fails as well: %s", what, c.Check, c.Reason)
		}
	}
	for _, c := range p.status(n).Readiness {
		if c.Ready == (c.Check == check) {
			p.t.Errorf("%s: the status says %+v", what, c)
		}
	}
}

// allReady compares a node's metrics.
func (p *pair) allReady(n *lab.Node, want float64) {
	p.t.Helper()
	shown := p.metrics(n)
	for _, series := range []string{"systole_takeover_ready", `systole_takeover_ready_check{check="disk"}`, `systole_takeover_ready_check{check="units_loadable"}`} {
		if got, ok := shown[series]; !ok || got != want {
			p.t.Errorf("%s: %s is %v (there: %v), want %v", n, series, got, ok, want)
		}
	}
}

// TestReload changes keys and mistakes while the daemon runs.
func TestReload(t *testing.T) {
	p := newPair(t, clusterFiles(fast, "alpha IPaddr::192.0.2.50/24/eth0", "auto_failback on"))
	p.started(virtual)
	began := time.Now()
	reload := func(kind string, with ...string) {
		t.Helper()
		since := time.Now()
		p.run(p.alpha, "systemctl", "reload", "systole")
		t.Log(p.entry(p.alpha, since, kind, with...).Message)
	}
	write := func(files lab.Files) { must(t, p.alpha.Configure("/etc/ha.d", files)) }

	write(lab.Files{"authkeys": "auth 1\n1 sha1 not-a-secret\n2 sha256 another\n"})
	reload("config.reloaded", "changed", "key 2", "keys", "1 sha1,2 sha256")
	shown := p.metrics(p.alpha)
	if shown[`systole_auth_key_info{key_id="2",method="sha256"}`] != 1 || shown["systole_config_last_reload_successful"] != 1 {
		t.Error("the new key is not in the metrics, or the reload is no success")
	}

	haCf := cluster.HaCf(fast, "bcast eth0 eth1", "auto_failback on")
	write(lab.Files{"ha.cf": haCf + "watchdgo /dev/watchdog\n", "authkeys": "auth 2\n2 sha256 a-third\n"})
	reload("config.reload_failed", "file", "ha.cf", "errors", "1")
	if shown = p.metrics(p.alpha); shown["systole_config_last_reload_successful"] != 0 || shown[`systole_auth_key_info{key_id="1",method="sha1"}`] != 1 {
		t.Error("the refused reload is a success, or has taken keys")
	}
	p.entry(p.alpha, began, "config.pending", "file", "ha.cf")
	pending := p.status(p.alpha).Pending
	if len(pending) != 2 || !strings.Contains(pending[0].Error, "watchdgo") || pending[1].File != "authkeys" {
		t.Errorf("pending is %+v", pending)
	}

	write(lab.Files{"ha.cf": haCf, "authkeys": "auth 1\n1 sha1 not-a-secret\n"})
	reload("config.reloaded", "changed", "key 2")
	shown = p.metrics(p.alpha)
	if _, there := shown[`systole_auth_key_info{key_id="2",method="sha256"}`]; there || shown["systole_config_last_reload_successful"] != 1 {
		t.Error("the key that is gone is in the metrics, or the reload is no success")
	}
	p.entry(p.alpha, began, "config.pending", "file", "ha.cf", "agrees", "true")
	if pending := p.status(p.alpha).Pending; len(pending) > 0 {
		t.Errorf("pending is %+v", pending)
	}
	for _, n := range p.nodes() {
		p.none(n, began, "peer.dead", "heartbeat.rejected")
	}
}
