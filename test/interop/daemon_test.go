package interop

import (
	"context"

	"github.com/systole-ha/systole/test/cluster"
	"github.com/systole-ha/systole/test/lab"
)

// A daemon is what runs a node.
type daemon struct {
	name     string
	unit     string
	commands string   // where hb_standby and hb_takeover are
	reread   []string // has it read authkeys again
	install  func(n *lab.Node, files lab.Files) error
	start    func(ctx context.Context, n *lab.Node) error
}

var (
	systole = &daemon{
		name: "systole", unit: cluster.Unit, commands: "/usr/bin/",
		reread:  []string{"systemctl", "reload", cluster.Unit},
		install: cluster.Install, start: cluster.Start,
	}
	heartbeat = &daemon{
		name: "Heartbeat", unit: "heartbeat.service", commands: "/usr/share/heartbeat/",
		reread: []string{"/usr/libexec/heartbeat/heartbeat", "-r"},
		install: func(n *lab.Node, files lab.Files) error { // cl_status stays its own
			return n.Configure("/etc/ha.d", files)
		},
		start: func(ctx context.Context, n *lab.Node) error { return n.Start(ctx, "heartbeat.service") },
	}
)
