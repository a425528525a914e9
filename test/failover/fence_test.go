package failover

import (
	"context"
	"net/http"
	"path"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/systole-ha/systole/test/lab"
)

// fenceAgent speaks as fence agents do: what is to be done stands on its
// standard input, with the secret that the device wants.
const fenceAgent = `#!/bin/sh
while read -r line; do
	case $line in action=*) action=${line#action=};; plug=*) plug=${line#plug=};; password=*) password=${line#password=};; esac
done
[ "$action" = off ] || exit 1
exec curl --silent --show-error --fail --max-time 5 --user "systole:$password" "http://192.0.2.100:9000/off/$plug"
`

const fenceYAML = `leases: off
fencing:
  devices:
    - {node: alpha, agent: /usr/local/sbin/fence_lab, secrets: fence-lab}
    - {node: beta, agent: /usr/local/sbin/fence_lab, secrets: fence-lab}
  delay: 1
  timeout: 5
  tries: 1
  retry: 60
`

// A device switches nodes of the lab off, at the client's address.
type device struct{ broken atomic.Bool }

func newDevice(p *pair) *device {
	p.t.Helper()
	d := &device{}
	listener, err := p.lab.Client().Listen(context.Background(), "tcp", "192.0.2.100:9000")
	must(p.t, err)
	server := http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, password, _ := r.BasicAuth(); d.broken.Load() || password != "not-a-secret" {
			http.Error(w, "no", http.StatusServiceUnavailable)
			return
		}
		if n := p.lab.Node(path.Base(r.URL.Path)); n.On() {
			if _, err := n.PowerOff(); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
			}
		}
	})}
	go server.Serve(listener)
	p.t.Cleanup(func() { server.Close() })
	return d
}

// TestFence has nodes switched off that cannot be heard and live, without any
// lease: the address is never on two. What the device does not do, a person does.
func TestFence(t *testing.T) {
	files := clusterFiles(fast, "alpha IPaddr::192.0.2.50/24/eth0", "auto_failback off")
	files["systole.yaml"] = fenceYAML
	p := newPair(t, files)
	d := newDevice(p)
	for _, n := range p.nodes() {
		must(t, n.WriteFile("/usr/local/sbin/fence_lab", []byte(fenceAgent), 0o755))
		must(t, n.WriteFile("/etc/ha.d/fence-lab", []byte("password=not-a-secret\n"), 0o600))
	}
	p.eachNginx(true)
	p.started(virtual)

	t.Run("the node that serves is cut off from everything", func(t *testing.T) {
		began := time.Now()
		for _, network := range []lab.Network{lab.Private, lab.Service} {
			must(t, p.alpha.Cut(network, lab.Both))
		}
		taken := p.held(virtual, p.beta)
		tried := p.entry(p.beta, began, "fence.attempted", "result", "ok")
		done := p.entry(p.beta, began, "fence.completed", "result", "off")
		t.Logf("taken %v after the cut; the device took %v, all of fencing %v", round(taken.Sub(began)), round(tried.Seconds("took")), round(done.Seconds("took")))
		if p.alpha.On() {
			t.Error("alpha has its power")
		}
		p.neverTwo(virtual)
	})

	t.Run("the node that serves stands still, and the device fails", func(t *testing.T) {
		p.bootAndStart(p.alpha)
		p.settled()
		d.broken.Store(true)
		began := time.Now()
		must(t, p.beta.Freeze())
		failed := p.entry(p.alpha, began, "fence.failed")
		t.Logf("after %v: %s", round(time.Since(began)), failed.Get("error"))
		if h, err := p.watch.History(); err != nil || len(h.Holders(virtual)) != 1 || h.Holders(virtual)[0] != p.beta.Name() {
			t.Errorf("held by %v (%v), want it with beta, which nobody has switched off", h.Holders(virtual), err)
		}
		if out, err := p.alpha.Run(soon(t), "systole", "fence", "--confirm", "alpha"); err == nil || !strings.Contains(out+err.Error(), "not the other node") {
			t.Errorf("systole fence --confirm of itself: %q, %v", out, err)
		}
		_, err := p.beta.PowerOff() // the person
		must(t, err)
		p.run(p.alpha, "systole", "fence", "--confirm", "beta")
		p.held(virtual, p.alpha)
		p.entry(p.alpha, began, "fence.completed", "result", "confirmed")
		p.neverTwo(virtual)
	})
}
