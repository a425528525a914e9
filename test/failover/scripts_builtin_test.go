package failover

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/systole-ha/systole/test/cluster"
	"github.com/systole-ha/systole/test/lab"
)

// TestScriptsBuiltIn moves a group of everything that heartbeat has scripts for
// and systole does by itself, but DRBD, which this kernel lacks. A process keeps the
// file system busy.
func TestScriptsBuiltIn(t *testing.T) {
	const group = "alpha portblock::tcp::80::block IPaddr::192.0.2.50/24/eth0 Delay::0.5::0.1 " +
		"Filesystem::tmpfs::/srv/data::tmpfs::size=1m Filesystem::/var/www::/srv/data/www::none::bind,ro " +
		"IPsrcaddr::192.0.2.50 SendArp::192.0.2.50/eth1 nginx MailTo::root::Web portblock::tcp::80::unblock"
	timing := cluster.Timing{Keepalive: 100 * time.Millisecond, Deadtime: 3 * time.Second, Initdead: 3 * time.Second} // a restart is not to be missed
	p := newPair(t, clusterFiles(timing, group, "auto_failback on"))
	p.eachNginx(false)
	for _, n := range p.nodes() {
		must(t, n.WriteFile("/usr/sbin/sendmail", []byte("#!/bin/sh\ncat >>/root/mails\n"), 0o755))
		p.run(n, "ip", "route", "replace", "default", "via", p.other(n).Host(lab.Service).String())
	}
	p.run(p.alpha, "systole", "check")
	began := time.Now()
	p.started(virtual)
	p.has(p.alpha, true)
	p.has(p.beta, false)
	p.mails(p.alpha, "Web Takeover in progress")

	p.shell(p.alpha, `touch /srv/data/of-alpha; systemd-run --quiet --unit=holder sh -c 'cd /srv/data; exec sleep 1000'`) // of which systemd does not know that it needs the place
	must(t, p.alpha.WaitRun(soon(t), "sh", "-c", `test "$(readlink /proc/$(systemctl show --property=MainPID --value holder)/cwd)" = /srv/data`))
	probe := p.probe("http://192.0.2.50/")
	p.answered(probe, p.alpha)
	p.run(p.alpha, "hb_standby", "all")
	p.held(virtual, p.beta)
	p.hold(p.beta, "all")
	p.settled()
	p.answered(probe, p.beta)
	t.Logf("moved while a process held the file system: %v", p.stop(probe).Longest())
	p.has(p.beta, true)
	p.has(p.alpha, false)
	p.mails(p.alpha, "Web Migrating resource away")
	p.mails(p.beta, "Web Takeover in progress")
	journal, err := p.alpha.Journal(soon(t), cluster.Unit)
	must(t, err)
	if !strings.Contains(journal, "processes were ended that kept a file system from being unmounted") || !strings.Contains(journal, "by /srv/data") {
		t.Errorf("alpha does not tell of the process that it has ended:\n%s", journal)
	}

	p.run(p.beta, "systemctl", "restart", cluster.Unit) // what is started is not started again
	p.hold(p.beta, "all")
	p.has(p.beta, true)
	if got := p.shell(p.beta, "grep -c ^Subject: /root/mails"); strings.TrimSpace(got) != "1" {
		t.Errorf("beta has sent %s mails, want the one of the takeover", got)
	}
	p.run(p.beta, "systemctl", "stop", cluster.Unit)
	p.hold(p.alpha, "all")
	p.has(p.alpha, true)
	p.has(p.beta, false)
	p.mails(p.beta, "Web Migrating resource away") // sent at the very end of the daemon
	for _, n := range p.nodes() {
		p.none(n, began, "resource.failed", "takeover.failed", "peer.dead")
	}
}

// has wants all of the group on a node, or nothing of it.
func (p *pair) has(n *lab.Node, all bool) {
	p.t.Helper()
	for what, command := range map[string]string{
		"the file system":            "findmnt --noheadings --output=FSTYPE /srv/data",
		"the directory bound in it":  "findmnt --noheadings --output=OPTIONS /srv/data/www | grep -w ro",
		"the source of connections":  "ip route show default | grep -w 'src 192.0.2.50'",
		"the service":                "systemctl is-active nginx",
		"the note of the wait":       "ls /run/systole/started | grep Delay",
		"the note of the mail":       "ls /run/systole/started | grep MailTo",
		"the note of the announcing": "ls /run/systole/started | grep SendArp",
		"the note of the port":       "ls /run/systole/started | grep unblock",
	} {
		out, err := n.Run(soon(p.t), "sh", "-c", command)
		if (err == nil) != all {
			p.t.Errorf("%s: %s: got %q, %v; want that it is there: %v", n, what, out, err, all)
		}
	}
	if out := p.shell(n, "nft list tables"); strings.Contains(out, "portblock") {
		p.t.Errorf("%s still shuts its port: %s", n, out)
	}
}

// mails waits for a mail of a node's, which is sent beside the takeover.
func (p *pair) mails(n *lab.Node, subject string) {
	p.t.Helper()
	must(p.t, lab.WaitFor(soon(p.t), fmt.Sprintf("%s to send a mail about %s", n, subject), func(ctx context.Context) error {
		_, err := n.Run(ctx, "grep", "^Subject: "+subject, "/root/mails")
		return err
	}))
}
