package failover

import (
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/mdlayher/arp"
	"github.com/mdlayher/ethernet"
	"github.com/mdlayher/packet"
	"golang.org/x/sys/unix"

	"github.com/systole-ha/systole/test/lab"
)

// TestWatchers breaks what a node holds behind its daemon's back: a service is
// killed, a third machine takes the address, an operator removes it. Each is
// told by the events and the metrics, and the address put back within
// milliseconds. Planned moves before it tell none of it.
func TestWatchers(t *testing.T) {
	const unit, present = "nginx.service", `systole_address_present{address="192.0.2.50",interface="eth0"}`
	p := newPair(t, clusterFiles(fast, "alpha IPaddr::192.0.2.50/24/eth0 nginx", "auto_failback off"))
	p.eachNginx(false)
	for _, n := range p.nodes() {
		must(t, n.WriteFile("/etc/systemd/system/nginx.service.d/restart.conf", []byte("[Service]\nRestart=on-failure\nRestartSec=100ms\n"), 0o644))
		p.run(n, "systemctl", "daemon-reload")
	}
	began := time.Now()
	p.started(virtual)
	p.entry(p.alpha, began, "unit.state_changed", "unit", unit, "to", "active")
	p.entry(p.alpha, began, "address.changed", "address", "192.0.2.50", "present", "true")
	for range 3 {
		p.run(p.alpha, "hb_standby", "all")
		p.held(virtual, p.beta)
		p.settled()
		p.run(p.alpha, "hb_takeover", "local")
		p.held(virtual, p.alpha)
		p.settled()
	}
	for _, n := range p.nodes() {
		p.none(n, began, "address.conflict", "address.lost", "unit.restarted")
	}
	calm := p.metrics(p.alpha)
	p.sample(calm, present, 1)
	p.sample(calm, `systole_unit_state{state="active",unit="nginx.service"}`, 1)
	p.sample(calm, `systole_unit_state{state="inactive",unit="nginx.service"}`, 0)
	p.sample(calm, `systole_gratuitous_arp_errors_total{address="192.0.2.50"}`, 0)
	p.sample(calm, `systole_unit_restarts_total{unit="nginx.service"}`, 0)
	p.sample(calm, `systole_address_conflicts_total{address="192.0.2.50"}`, 0)
	if got := calm[`systole_gratuitous_arp_sent_total{address="192.0.2.50"}`]; got < 8 { // 4 takeovers of at least one announcement of 2
		t.Errorf("%v gratuitous ARPs sent, want 8 at least", got)
	}
	p.sample(p.metrics(p.beta), present, 0)
	p.sample(p.metrics(p.beta), `systole_unit_state{state="inactive",unit="nginx.service"}`, 1)

	t.Run("a service is killed", func(t *testing.T) {
		killed := time.Now()
		p.run(p.alpha, "kill", "-SEGV", p.mainPID(p.alpha, "nginx"))
		e := p.entry(p.alpha, killed, "unit.restarted", "unit", unit)
		if e.Get("status") != "killed SEGV" || e.Get("restarts") != "1" {
			t.Errorf("told %s with status %q, restarts %q; want killed SEGV and 1", e.Message, e.Get("status"), e.Get("restarts"))
		}
		t.Logf("%v after the kill: %s", round(e.At.Sub(killed)), e.Message)
		p.entry(p.alpha, killed, "unit.state_changed", "unit", unit, "to", "active")
		p.seen(p.alpha, "unit.restarted")
		after := p.metrics(p.alpha)
		p.sample(after, `systole_unit_restarts_total{unit="nginx.service"}`, 1)
		p.sample(after, `systole_unit_state{state="active",unit="nginx.service"}`, 1)
	})
	t.Run("a third machine claims the address", func(t *testing.T) {
		claimed := time.Now()
		theirs := strings.TrimSpace(p.asClient("claim", "192.0.2.50"))
		e := p.entry(p.alpha, claimed, "address.conflict", "address", "192.0.2.50", "theirs", theirs)
		t.Logf("%v after the claim was asked for: %s", round(e.At.Sub(claimed)), e.Message)
		p.seen(p.alpha, "address.conflict")
		after := p.metrics(p.alpha)
		p.sample(after, `systole_address_conflict{address="192.0.2.50"}`, 1)
		p.sample(after, `systole_address_conflicts_total{address="192.0.2.50"}`, 1)
		p.none(p.beta, claimed, "address.conflict") // it holds nothing

		p.run(p.alpha, "hb_standby", "all")
		p.held(virtual, p.beta)
		p.entry(p.alpha, claimed, "address.conflict_cleared", "address", "192.0.2.50")
		p.sample(p.metrics(p.alpha), `systole_address_conflict{address="192.0.2.50"}`, 0)
		p.settled()
	})
	t.Run("an operator removes the address", func(t *testing.T) {
		began := time.Now()
		for range 10 {
			removed := time.Now()
			p.run(p.beta, "ip", "address", "del", "192.0.2.50/24", "dev", "eth0")
			p.entry(p.beta, removed, "address.lost", "address", "192.0.2.50", "cause", "removed")
			p.entry(p.beta, removed, "resource.put_back")
			p.held(virtual, p.beta)
		}
		gaps := p.putBack(p.beta, virtual, began)
		t.Logf("put back after %v", gaps)
		if len(gaps) != 10 || median(gaps) > 10*time.Millisecond {
			t.Errorf("put back %d times, after %v, want 10 and a median of 10ms", len(gaps), gaps)
		}
		p.seen(p.beta, "address.lost")
		p.sample(p.metrics(p.beta), present, 1)
		p.none(p.alpha, began, "address.lost", "takeover.started")
	})
	for _, n := range p.nodes() {
		p.lint(n)
	}
}

// putBack is how long an address was gone from a node each time it was removed
// since an instant, by the kernel's own messages.
func (p *pair) putBack(n *lab.Node, address netip.Addr, since time.Time) (gaps []time.Duration) {
	p.t.Helper()
	h, err := p.watch.History()
	must(p.t, err)
	var gone time.Time
	for _, c := range h.Changes {
		if c.Node != n.Name() || c.Prefix.Addr() != address || c.At.Before(since) {
			continue
		}
		switch {
		case c.Kind == lab.Removed:
			gone = c.At
		case c.Kind == lab.Added && !gone.IsZero():
			gaps = append(gaps, c.At.Sub(gone))
			gone = time.Time{}
		}
	}
	return gaps
}

// seen fails the test if `systole events` does not show a kind.
func (p *pair) seen(n *lab.Node, kind string) {
	p.t.Helper()
	for line := range strings.Lines(p.run(n, "systole", "events", "--json")) {
		var e struct{ Kind string }
		must(p.t, json.Unmarshal([]byte(line), &e))
		if e.Kind == kind {
			return
		}
	}
	p.t.Errorf("systole events on %s shows no %s", n, kind)
}

// claim announces an address as this machine's, on the interface whose network
// it is in, and prints the interface's MAC.
func claim(args []string) error {
	ip, err := netip.ParseAddr(args[0])
	if err != nil {
		return err
	}
	device, err := deviceOf(ip)
	if err != nil {
		return err
	}
	conn, err := packet.Listen(device, packet.Raw, unix.ETH_P_ARP, nil)
	if err != nil {
		return err
	}
	defer conn.Close()
	p, err := arp.NewPacket(arp.OperationRequest, device.HardwareAddr, ip, make(net.HardwareAddr, 6), ip)
	if err != nil {
		return err
	}
	payload, err := p.MarshalBinary()
	if err != nil {
		return err
	}
	frame := ethernet.Frame{Destination: ethernet.Broadcast, Source: device.HardwareAddr, EtherType: ethernet.EtherTypeARP, Payload: payload}
	b, err := frame.MarshalBinary()
	if err != nil {
		return err
	}
	if _, err := conn.WriteTo(b, &packet.Addr{HardwareAddr: ethernet.Broadcast}); err != nil {
		return err
	}
	fmt.Println(device.HardwareAddr)
	return nil
}

// deviceOf finds the interface that has a network with ip in it.
func deviceOf(ip netip.Addr) (*net.Interface, error) {
	devices, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	for _, device := range devices {
		addresses, err := device.Addrs()
		if err != nil {
			return nil, err
		}
		for _, a := range addresses {
			if network, err := netip.ParsePrefix(a.String()); err == nil && network.Contains(ip) {
				return &device, nil
			}
		}
	}
	return nil, &net.AddrError{Err: "no interface has a network with it", Addr: ip.String()}
}
