package chaos

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/systole-ha/systole/test/cluster"
	"github.com/systole-ha/systole/test/lab"
)

// A protection is what a cluster is configured with against what befalls its
// links, beyond two of them.
type protection struct {
	ha    string               // lines of ha.cf
	yaml  string               // of systole.yaml
	begin func(s *stage) error // starts what is asked; nil: nothing
}

var (
	unprotected = &protection{}
	// arbiter has the casting vote on a third machine.
	arbiter = &protection{yaml: "cluster: chaos\narbiter: 192.0.2.3\n", begin: beginArbiter}
	// fence has a device that switches off, by its network, either node. The delay
	// is longer than that takes on a busy machine, or each would switch off the other.
	fence = &protection{
		yaml: "fencing:\n  devices:\n    - {node: alpha, agent: /usr/local/sbin/fence_lab}\n    - {node: beta, agent: /usr/local/sbin/fence_lab}\n" +
			"  delay: 3\n  timeout: 10\n",
		begin: beginFence,
	}
	// pings has the client as a ping node, whose loss is judged by ipfail, as
	// Heartbeat calls it.
	pings = &protection{ha: "ping 192.0.2.100\ndeadping DEADTIME\nrespawn hacluster /usr/libexec/heartbeat/ipfail\n"}
)

// haCf is p's part of ha.cf.
func (p *protection) haCf(deadtime time.Duration) string {
	return strings.ReplaceAll(p.ha, "DEADTIME", fmt.Sprintf("%dms", deadtime.Milliseconds()))
}

const authkeys = "auth 1\n1 sha1 not-a-secret\n"

// beginArbiter starts the arbiter on gamma, unless it runs. One that has just
// started has forgotten to whom it gave its vote, and gives it to nobody for as
// long as that may have lasted.
func beginArbiter(s *stage) error {
	gamma := s.lab.Node("gamma")
	if gamma.Active(soon(s.t), "systole-arbiter") {
		return nil
	}
	return errors.Join(cluster.Install(gamma, nil),
		gamma.WriteFile("/etc/systole/arbiter/chaos", []byte(authkeys), 0o600),
		gamma.Reload(soon(s.t)), gamma.Start(soon(s.t), "systole-arbiter"),
		pass(s.t.Context(), 4*s.deadtime))
}

// fenceAgent speaks as fence agents do: what is to be done stands on its
// standard input. The device is the lab's own, at the client's address.
const fenceAgent = `#!/bin/sh
while read -r line; do
	case $line in action=*) action=${line#action=};; plug=*) plug=${line#plug=};; esac
done
case $action in
metadata) echo '<?xml version="1.0"?><resource-agent name="fence_lab"><parameters/><actions><action name="off"/><action name="monitor"/></actions></resource-agent>';;
monitor|status) exit 0;;
off) exec curl --silent --fail --max-time 9 "http://192.0.2.100:9000/off/$plug";;
*) exit 1;;
esac
`

// beginFence gives both nodes the agent, and the lab a device that obeys it.
func beginFence(s *stage) error {
	err := s.each(func(n *lab.Node) error {
		return n.WriteFile("/usr/local/sbin/fence_lab", []byte(fenceAgent), 0o755)
	})
	if err != nil || s.fences {
		return err
	}
	listener, err := s.lab.Client().Listen(context.Background(), "tcp", "192.0.2.100:9000")
	if err != nil {
		return err
	}
	s.fences = true
	device := http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n := s.lab.Node(path.Base(r.URL.Path)); n.On() {
			if _, err := n.PowerOff(); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
			}
		}
	})}
	go device.Serve(listener)
	s.t.Cleanup(func() { device.Close() })
	return nil
}

// rejoin mends the links, and switches on who was switched off.
func rejoin(ctx context.Context, s *stage, n *lab.Node) error {
	errs := []error{join(ctx, s, n)}
	for _, n := range s.nodes() {
		if !n.On() {
			errs = append(errs, s.boot(n), n.Start(ctx, s.by.unit))
		}
	}
	return errors.Join(errs...)
}
