package lab

import (
	"strings"
	"testing"
)

func TestPower(t *testing.T) {
	t.Parallel()
	l := New(t)
	alpha, beta := l.Node("alpha"), l.Node("beta")
	must(t, alpha.WriteFile("/root/kept", []byte("x"), 0o644))
	succeeds(t, alpha, "ip", "address", "add", vip.String()+"/24", "dev", "eth0")
	watch, err := l.Watch()
	must(t, err)
	machine := succeeds(t, alpha, "cat", "/etc/machine-id")

	off, err := alpha.PowerOff()
	must(t, err)
	if _, err := alpha.Run(t.Context(), "true"); err == nil || !strings.Contains(err.Error(), "alpha is off") {
		t.Errorf("a command in a node that is off: got %v", err)
	}
	succeeds(t, beta, "ping", "-c1", "-W1", "192.0.2.100")
	if _, err := beta.Run(t.Context(), "ping", "-c1", "-W0.2", "alpha"); err == nil {
		t.Error("a node that is off answers")
	}
	h, err := watch.History()
	must(t, err)
	if got := h.Holdings(vip); len(got) != 1 || got[0].Open || !got[0].To.Equal(off) {
		t.Errorf("%s was held %v, want until the power-off at %v", vip, got, off)
	}
	if got, err := alpha.ReadFile("/root/kept"); err != nil || string(got) != "x" {
		t.Errorf("its disk while it is off: got %q, %v", got, err)
	}
	must(t, alpha.WriteFile("/root/new", []byte("y"), 0o644))

	must(t, alpha.Boot(deadline(t, bootTime)))
	if got := succeeds(t, alpha, "cat", "/root/kept", "/root/new"); got != "xy" {
		t.Errorf("its disk after boot: got %q", got)
	}
	if got := succeeds(t, alpha, "cat", "/etc/machine-id"); got != machine {
		t.Errorf("machine-id: got %q, before the power-off %q", got, machine)
	}
	if held, err := alpha.Holds(vip); err != nil || held {
		t.Errorf("after boot it holds %s: %v, %v", vip, held, err)
	}
	succeeds(t, beta, "ping", "-c1", "-W1", "alpha")

	succeeds(t, alpha, "ip", "address", "add", vip.String()+"/24", "dev", "eth0")
	if _, err := watch.AwaitHolder(deadline(t, patience), vip, "alpha"); err != nil {
		t.Errorf("the watch did not go on after boot: %v", err)
	}
	must(t, alpha.Shutdown(deadline(t, bootTime)))
	must(t, alpha.Wipe())
	must(t, alpha.Boot(deadline(t, bootTime)))
	if out, err := alpha.Run(t.Context(), "cat", "/root/kept"); err == nil {
		t.Errorf("after a wipe the disk still has %q", out)
	}
	must(t, watch.Close())
}

func TestNodesCanBeConfiguredBeforeTheirFirstBoot(t *testing.T) {
	t.Parallel()
	l := New(t, WithNodes("alpha"), WithoutBoot())
	alpha := l.Node("alpha")
	if alpha.On() {
		t.Error("it is on")
	}
	if _, err := alpha.PowerOff(); err == nil {
		t.Error("a node that is off was powered off")
	}
	must(t, Nginx(alpha))
	must(t, alpha.Boot(deadline(t, bootTime)))
	must(t, alpha.Start(deadline(t, patience), "nginx"))
	p, err := l.Probe(Question{URL: "http://" + alpha.Host6(Service).String() + "/"})
	if err == nil {
		_, err = p.Stop()
	}
	if err == nil || !strings.Contains(err.Error(), "2001:db8::1") {
		t.Errorf("an IPv6 address without brackets: got %v", err)
	}
	p, err = l.Probe(Question{URL: "http://[" + alpha.Host6(Service).String() + "]/"})
	must(t, err)
	_, err = p.AwaitAnswer(deadline(t, patience), "alpha")
	must(t, err)
}
