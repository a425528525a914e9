package failover

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/systole-ha/systole/test/cluster"
	"github.com/systole-ha/systole/test/lab"
)

// sleeper is a resource script of Heartbeat's kind: it starts a daemon that
// nobody waits for, and prints what becomes of it.
const sleeper = `#!/bin/sh
# sleeper <name> {start|stop|status}
pid=/run/sleeper.$1
here() { [ -e $pid ] && kill -0 $(cat $pid) 2>/dev/null; }
case $2 in
start)
	echo "starting $1 on $HA_CURHOST in $(grep ^0:: /proc/self/cgroup)"
	case $(cat /proc/self/oom_score_adj)$(grep -c '^policy *: *0$' /proc/self/sched) in 01) ;; *) echo "as a child of the daemon"; exit 1 ;; esac
	touch /etc/sleeper || exit 1 # the daemon's unit may not
	setsid sleep 100000 >/dev/null 2>&1 </dev/null &
	echo $! >$pid
	;;
stop)
	echo "stopping $1"
	here && kill $(cat $pid)
	rm -f $pid
	echo "$(systemctl is-system-running)" >>/etc/sleeper.stopped
	;;
status)
	if here; then echo "$1 is running"; else echo "$1 is not running"; exit 3; fi
	;;
*)
	exit 1
	;;
esac
`

// agent is an OCF agent.
const agent = `#!/bin/sh
state=$OCF_RESKEY_state
case $1 in
start) echo "$OCF_RESOURCE_INSTANCE of $OCF_RESOURCE_TYPE starts"; touch "$state" ;;
stop) rm -f "$state" ;;
monitor) [ -e "$state" ] || exit 7 ;;
meta-data) echo '<resource-agent name="marker"><parameters><parameter name="state" required="1"/></parameters><actions><action name="start"/></actions></resource-agent>' ;;
*) exit 3 ;;
esac
`

// hanging is a script whose start does not end.
const hanging = `#!/bin/sh
case $1 in
start) echo "waiting for a disk"; sleep 200000 ;;
stop) ;;
status) echo stopped ;;
esac
`

// TestScripts moves a group of a resource script and an OCF agent, restarts the
// daemon under them, and has a script that hangs.
func TestScripts(t *testing.T) {
	p := newPair(t, clusterFiles(restarting, strings.Join([]string{
		"alpha IPaddr::192.0.2.50/24/eth0 sleeper::one OCF::test:marker::state=/run/marker",
		"beta hanging",
	}, "\n"), "auto_failback off"))
	for _, n := range p.nodes() {
		must(t, n.WriteFile("/etc/ha.d/resource.d/sleeper", []byte(sleeper), 0o755))
		must(t, n.WriteFile("/etc/ha.d/resource.d/hanging", []byte(hanging), 0o755))
		must(t, n.WriteFile("/usr/lib/ocf/resource.d/test/marker", []byte(agent), 0o755))
		must(t, n.WriteFile("/etc/ha.d/systole.yaml", []byte("timeouts:\n  start: 2s\n"), 0o644))
	}
	checked := p.run(p.alpha, "systole", "check")
	for _, want := range []string{"script: /etc/ha.d/resource.d/sleeper one", "ocf: /usr/lib/ocf/resource.d/test/marker state=/run/marker", "there is no unit hanging.service", "this can run"} {
		if !strings.Contains(checked, want) {
			t.Errorf("systole check does not say %q:\n%s", want, checked)
		}
	}
	p.start(p.nodes()...)
	p.held(virtual, p.alpha)
	p.runsScripts(p.alpha)

	// What hangs is killed, and said.
	e := p.entry(p.beta, time.Time{}, "takeover.failed", "resource", "hanging")
	t.Log(e.Message)
	if why := e.Get("error"); !strings.Contains(why, "killed, it did not end in time: waiting for a disk") {
		t.Errorf("beta's journal says: %s", e.Message)
	}
	if out, _ := p.beta.Run(soon(t), "pgrep", "-f", "sleep 200000"); strings.TrimSpace(out) != "" {
		t.Errorf("what hangs still runs: %s", out)
	}

	// The script's words, by its resource and by its unit.
	said := p.run(p.alpha, "journalctl", "--quiet", "--output=cat", "SYSTOLE_RESOURCE=sleeper::one")
	for _, want := range []string{"starting one on alpha in ", "/system.slice/systole-sleeper::one-start-", "one is not running", "one is running"} {
		if !strings.Contains(said, want) {
			t.Errorf("alpha's journal does not say %q of sleeper::one:\n%s", want, said)
		}
	}
	if said := p.run(p.alpha, "journalctl", "--quiet", "--output=cat", "SYSTOLE_RESOURCE=OCF::test:marker::state=/run/marker"); !strings.Contains(said, "of marker starts") {
		t.Errorf("alpha's journal of the agent: %s", said)
	}

	// They live on while the daemon does not, and are not started again.
	process := p.run(p.alpha, "cat", "/run/sleeper.one")
	for _, way := range []func(){
		func() { p.run(p.alpha, "systemctl", "restart", cluster.Unit) },
		func() { must(t, p.alpha.Signal(soon(t), cluster.Unit, "KILL")) },
	} {
		way()
		p.settled()
		p.hold(p.alpha, "local")
		p.runsScripts(p.alpha)
		if again := p.run(p.alpha, "cat", "/run/sleeper.one"); again != process {
			t.Errorf("after a restart of the daemon process %s runs, before it was %s", again, process)
		}
	}

	began := time.Now()
	p.alpha.Run(soon(t), "hb_standby", "--wait", "all") // says that nobody holds hanging
	p.held(virtual, p.beta)
	p.runsScripts(p.beta)
	p.runsNoScripts(p.alpha)
	for _, n := range p.nodes() {
		for _, e := range p.entries(n, began).Of("resource.operation") {
			t.Logf("%s: %s", n, e.Message)
		}
	}

	// A machine that is shut down hands over: what the scripts have started lives
	// until they stop it, and they are run although everything ends.
	must(t, p.beta.Shutdown(within(t, time.Minute)))
	p.held(virtual, p.alpha)
	p.runsScripts(p.alpha)
	stopped, err := p.beta.ReadFile("/etc/sleeper.stopped")
	if err != nil || !strings.HasSuffix(string(stopped), "stopping\n") {
		t.Errorf("beta ran the script to stop with systemd %q, %v, want stopping at last", stopped, err)
	}
	p.neverTwo(virtual)
}

// runsScripts waits until a node runs what the scripts start.
func (p *pair) runsScripts(n *lab.Node) {
	p.t.Helper()
	must(p.t, lab.WaitFor(soon(p.t), n.Name()+" to run the scripts", func(ctx context.Context) error {
		_, err := n.Run(ctx, "sh", "-c", "test -e /run/marker && kill -0 $(cat /run/sleeper.one)")
		return err
	}))
}

func (p *pair) runsNoScripts(n *lab.Node) {
	p.t.Helper()
	out := p.run(n, "sh", "-c", "ls /run/marker /run/sleeper.one 2>/dev/null; pgrep -f '[s]leep 100000'; systemctl list-units --all --plain --no-legend 'systole-*one*' 'systole-OCF*'")
	if strings.TrimSpace(out) != "" {
		p.t.Errorf("%s still has\n%s", n, out)
	}
}
