package lab

import (
	"net/netip"
	"testing"
	"time"
)

// TestHeartbeat runs Debian's heartbeat 3.0.6 as two nodes: together they bring
// the address to the node that haresources prefers, and a loss of power to the
// other.
func TestHeartbeat(t *testing.T) {
	t.Parallel()
	l := New(t)
	watch, err := l.Watch()
	must(t, err)
	cluster := HeartbeatCluster{
		Nodes:     []string{"alpha", "beta"},
		Keepalive: time.Second,
		Deadtime:  5 * time.Second,
		Initdead:  10 * time.Second,
		Resources: []string{"alpha IPaddr::192.0.2.50/24/eth0"},
	}
	must(t, l.each(func(n *Node) error { return Heartbeat(deadline(t, patience), n, cluster.Files()) }))
	_, err = watch.AwaitHolder(deadline(t, 30*time.Second), vip, "alpha")
	must(t, err)
	off := takeOver(t, l, watch, 30*time.Second)
	// Its deadtime is from the last heartbeat, up to a second before the cut.
	if off < cluster.Deadtime-cluster.Keepalive {
		t.Errorf("beta took over %v after the power-off, want after the deadtime of %v", off, cluster.Deadtime)
	}
}

func TestKeepalived(t *testing.T) {
	t.Parallel()
	l := New(t)
	watch, err := l.Watch()
	must(t, err)
	for i, n := range l.Nodes() {
		k := Keepalived{
			Address:  netip.PrefixFrom(vip, 24),
			Advert:   100 * time.Millisecond,
			Priority: 254 - i,
			Peers:    []netip.Addr{l.Nodes()[1-i].Host(Service)},
		}
		must(t, k.Start(deadline(t, patience), n))
		_, err = watch.AwaitHolder(deadline(t, patience), vip, "alpha") // the first up stays master
		must(t, err)
	}
	// Three adverts and the skew of its priority (RFC 9568, section 6.1) from
	// the last one heard, which was up to one before the cut; and the cut was
	// some milliseconds before PowerOff could say so.
	off := takeOver(t, l, watch, patience)
	if off < 150*time.Millisecond {
		t.Errorf("beta took over %v after the power-off, want after three adverts of 100 ms", off)
	}
}

func TestKeepalivedConfigIsAccepted(t *testing.T) {
	t.Parallel()
	l := New(t, WithNodes("alpha"))
	for name, k := range map[string]Keepalived{
		"multicast":           {Address: netip.PrefixFrom(vip, 24), Advert: 10 * time.Millisecond, Priority: 254, Preempt: true},
		"with all it can say": {Device: "eth1", Address: netip.PrefixFrom(vip, 32), Advert: time.Second, Priority: 1, Peers: []netip.Addr{vip}, Master: "/usr/bin/systemctl start nginx", Realtime: 50},
	} {
		must(t, l.Node("alpha").WriteFile("/root/keepalived.conf", []byte(k.Config()), 0o644))
		if out, err := l.Node("alpha").Run(deadline(t, patience), "keepalived", "--config-test", "--use-file=/root/keepalived.conf"); err != nil || out != "" {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

// takeOver cuts alpha's power and gives the time until beta held the address.
func takeOver(t *testing.T, l *Lab, watch *Watch, within time.Duration) time.Duration {
	t.Helper()
	off, err := l.Node("alpha").PowerOff()
	must(t, err)
	since, err := watch.AwaitHolder(deadline(t, within), vip, "beta")
	must(t, err)
	t.Logf("beta held %s %v after the power-off", vip, since.Sub(off))
	return since.Sub(off)
}
