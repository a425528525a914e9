package failover

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/systole-ha/systole/test/cluster"
	"github.com/systole-ha/systole/test/lab"
)

var virtual6 = netip.MustParseAddr("2001:db8::50")

// TestMedia takes over an IPv4 and an IPv6 address after a power cut that only
// one medium can tell of.
func TestMedia(t *testing.T) {
	medium := cluster.Timing{Keepalive: 200 * time.Millisecond, Deadtime: time.Second, Initdead: 5 * time.Second}
	for _, tt := range []struct {
		name   string
		timing cluster.Timing
		media  string // the same file on both nodes
		link   string
		line   *lab.SerialLine
	}{
		{
			// A heartbeat of some 400 bytes takes a fifth of a second at this speed.
			name: "serial", timing: cluster.Timing{Keepalive: time.Second, Deadtime: 4 * time.Second, Initdead: 10 * time.Second},
			media: "baud 19200\nserial /dev/ttyS9", link: "/dev/ttyS9", line: &lab.SerialLine{Baud: 19200},
		},
		{name: "ucast", timing: medium, media: "ucast eth0 192.0.2.1\nucast eth0 192.0.2.2", link: "eth0"},
		{name: "mcast", timing: medium, media: "mcast eth0 239.192.0.1 694 1 0", link: "eth0"},
		{name: "ucast6", timing: medium, media: "ucast6 eth0 2001:db8::1\nucast6 eth0 2001:db8::2", link: "eth0"},
		{name: "mcast6", timing: medium, media: "mcast6 eth0 ff12::694 694 1 0", link: "eth0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var options []lab.Option
			if tt.line != nil {
				options = append(options, lab.WithSerial(*tt.line))
			}
			p := newPair(t, lab.Files{
				"ha.cf":       cluster.HaCf(tt.timing, tt.media, "auto_failback on"),
				"haresources": fmt.Sprintf("alpha IPaddr::%s/24/eth0 IPv6addr::%s/64/eth0\n", virtual, virtual6),
				"authkeys":    "auth 1\n1 sha1 not-a-secret\n",
			}, options...)
			if tt.line != nil {
				p.allowDevice("/dev/ttyS9")
			}
			p.eachNginx(true)
			p.started(virtual)
			p.held(virtual6, p.alpha)
			p.entry(p.beta, time.Time{}, "link.up", "link", tt.link)

			probes := map[string]*lab.Probe{"IPv4": p.probe("http://192.0.2.50/"), "IPv6": p.probe("http://[2001:db8::50]/")}
			for _, probe := range probes {
				p.answered(probe, p.alpha)
			}
			p.powerOff(p.alpha)
			for version, probe := range probes {
				p.answered(probe, p.beta)
				gap := p.stop(probe).Longest()
				t.Logf("power loss: no %s for %v", version, gap)
				if most := tt.timing.Deadtime + tt.timing.Keepalive; gap.Length()-gap.Late > most {
					t.Errorf("no %s for %v, want at most deadtime and a keepalive, %v", version, gap, most)
				}
			}
			p.bootAndStart(p.alpha)
			p.held(virtual, p.alpha)
			p.held(virtual6, p.alpha)
			p.neverTwo(virtual, virtual6)
		})
	}
}

// allowDevice lets the daemon have a device, as its unit file says it must be
// where a serial line is configured.
func (p *pair) allowDevice(path string) {
	p.t.Helper()
	for _, n := range p.nodes() {
		must(p.t, n.Configure("/etc/systemd/system/systole.service.d", lab.Files{
			"serial.conf": "[Service]\nPrivateDevices=no\nDeviceAllow=" + path + " rw\n",
		}))
	}
}

// TestOneLinkOfTwo loses the private link, in every way a cable can be lost,
// and then the one the clients use.
func TestOneLinkOfTwo(t *testing.T) {
	p := newPair(t, clusterFiles(fast, "alpha IPaddr::192.0.2.50/24/eth0", "auto_failback on"))
	p.eachNginx(true)
	p.started(virtual)
	probe := p.probe("http://192.0.2.50/")
	p.answered(probe, p.alpha)
	began := time.Now()
	for _, cut := range []struct {
		what         string
		link         string
		lose, mend   func() error
		deaf, noDeaf []*lab.Node // who does not hear the other there
	}{
		{
			what: "cut both ways", link: "eth1", deaf: p.nodes(),
			lose: func() error { return p.alpha.Cut(lab.Private, lab.Both) },
			mend: func() error { return p.alpha.Heal(lab.Private) },
		},
		{
			what: "cut on the way to beta", link: "eth1", deaf: []*lab.Node{p.beta}, noDeaf: []*lab.Node{p.alpha},
			lose: func() error { return p.alpha.Cut(lab.Private, lab.Out) },
			mend: func() error { return p.alpha.Heal(lab.Private) },
		},
		{
			what: "cable pulled", link: "eth1", deaf: p.nodes(),
			lose: func() error { return p.alpha.Carrier(lab.Private, false) },
			mend: func() error { return p.alpha.Carrier(lab.Private, true) },
		},
	} {
		since := time.Now()
		must(t, cut.lose())
		for _, n := range cut.deaf {
			e := p.entry(n, since, "link.down", "link", cut.link)
			t.Logf("%s: %s: %s", cut.what, n, e.Message)
			if got := e.Number("links_left"); got != 1 {
				t.Errorf("%s: %s counts %d links left, want 1", cut.what, n, got)
			}
			if got := p.metrics(n)[fmt.Sprintf(`systole_link_up{link=%q,peer=%q}`, cut.link, p.other(n).Name())]; got != 0 {
				t.Errorf("%s: %s's systole_link_up is %v", cut.what, n, got)
			}
		}
		must(t, cut.mend())
		for _, n := range cut.deaf {
			p.entry(n, since, "link.up", "link", cut.link)
			if got := p.metrics(n)[fmt.Sprintf(`systole_link_up{link=%q,peer=%q}`, cut.link, p.other(n).Name())]; got != 1 {
				t.Errorf("%s, mended: %s's systole_link_up is %v", cut.what, n, got)
			}
		}
		for _, n := range cut.noDeaf {
			p.none(n, since, "link.down")
		}
	}
	result := p.stop(probe)
	t.Logf("the client: %s", result)
	if gap := result.Longest(); gap.Length()-gap.Late > 100*time.Millisecond {
		t.Errorf("the client was without an answer for %v", gap)
	}
	for _, n := range p.nodes() {
		p.none(n, began, "peer.dead", "takeover.started", "release.started")
	}
}
