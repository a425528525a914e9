package chaos

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/systole-ha/systole/test/cluster"
	"github.com/systole-ha/systole/test/lab"
)

// A contender is a daemon that is put to the test.
type contender struct {
	name string // as the table calls it
	unit string // of systemd
	pkg  string // Debian's, "" for this tree

	// install puts the daemon's files on a node, with deadtime or what is like
	// it, and what protects the cluster; nothing runs then.
	install func(n *lab.Node, deadtime time.Duration, with *protection) error
	// ready says what a node still lacks to be able to take over or to serve.
	ready func(ctx context.Context, n *lab.Node) error
	told  bool // by ready, that the daemon does not run
	// forgets are its directories of state, emptied before it starts anew.
	forgets []string
}

var (
	systole = contender{
		name: "systole", unit: cluster.Unit, install: installSystole, ready: systoleReady, told: true, forgets: []string{"/var/lib/systole"},
	}
	keepalived = contender{
		name: "keepalived", unit: "keepalived.service", pkg: "keepalived", install: installKeepalived,
		ready: func(context.Context, *lab.Node) error { return nil }, // it cannot be asked
	}
	heartbeat = contender{
		name: "heartbeat", unit: "heartbeat.service", pkg: "heartbeat", install: installHeartbeat, ready: heartbeatReady,
		forgets: []string{"/var/lib/heartbeat"},
	}
	contenders = []contender{systole, keepalived, heartbeat}
)

// timing gives a deadtime its heartbeats: five in it or ten.
func timing(deadtime time.Duration) cluster.Timing {
	keepalive := deadtime / 10
	if deadtime < time.Second {
		keepalive = deadtime / 5
	}
	return cluster.Timing{Keepalive: keepalive, Deadtime: deadtime, Initdead: max(3*time.Second, deadtime)}
}

func installSystole(n *lab.Node, deadtime time.Duration, with *protection) error {
	return cluster.Install(n, lab.Files{
		"ha.cf":        cluster.HaCf(timing(deadtime), "bcast eth0 eth1", "auto_failback off", with.haCf(deadtime)),
		"systole.yaml": with.yaml,
		"haresources":  "alpha IPaddr::192.0.2.50/24/eth0\n",
		"authkeys":     authkeys,
	})
}

func systoleReady(ctx context.Context, n *lab.Node) error {
	s, err := cluster.Status(ctx, n)
	if err == nil && (!s.Stable || s.Hold == "transition" || s.Peer().State != "active") {
		err = fmt.Errorf("%s is %s, holds %s, its peer is %s; %s", n, s.State, s.Hold, s.Peer().State, s.Activity)
	}
	return err
}

// installKeepalived configures one virtual router, as keepalived is at its best:
// in real time, with priorities next to each other at the upper end, which keeps
// the skew small, and without a preference that would move the address back. It
// calls a master dead after three advertisements and the skew.
func installKeepalived(n *lab.Node, deadtime time.Duration, _ *protection) error {
	advert := (deadtime / 3).Truncate(10 * time.Millisecond)
	if deadtime > time.Second {
		advert = advert.Truncate(100 * time.Millisecond)
	}
	priority := 254
	if n.Name() != "alpha" {
		priority = 253
	}
	k := lab.Keepalived{Address: netip.PrefixFrom(virtual, 24), Advert: advert, Priority: priority, Realtime: 50}
	return n.Configure("/etc/keepalived", lab.Files{"keepalived.conf": k.Config()})
}

func installHeartbeat(n *lab.Node, deadtime time.Duration, with *protection) error {
	t := timing(deadtime)
	files := lab.HeartbeatCluster{
		Nodes: []string{"alpha", "beta"}, Keepalive: t.Keepalive, Deadtime: t.Deadtime, Initdead: t.Initdead,
		Resources: []string{"alpha IPaddr::192.0.2.50/24/eth0"},
	}.Files()
	files["ha.cf"] = strings.Replace(files["ha.cf"], "auto_failback on", "auto_failback off", 1) + with.haCf(deadtime)
	return n.Configure("/etc/ha.d", files)
}

// heartbeatReady asks Heartbeat's own cl_status, which does not answer before
// its node takes part.
func heartbeatReady(ctx context.Context, n *lab.Node) error {
	peer := map[string]string{"alpha": "beta", "beta": "alpha"}[n.Name()]
	var errs []error
	for _, question := range []struct{ words, want string }{
		{"nodestatus " + peer, "active"},
		{"rscstatus", "all none local foreign"},
	} {
		out, _ := n.Run(ctx, "timeout", append([]string{"2", "cl_status"}, strings.Fields(question.words)...)...)
		answer := strings.TrimSpace(out)
		if answer == "" || !strings.Contains(question.want, answer) {
			errs = append(errs, fmt.Errorf("%s: cl_status %s answers %q", n, question.words, answer))
		}
	}
	return errors.Join(errs...)
}
