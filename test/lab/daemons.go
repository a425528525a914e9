package lab

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// Nginx configures nginx to answer every request with the node's name, on all
// addresses, and does not start it.
func Nginx(n *Node) error {
	const site = `server {
	listen 80 default_server;
	listen [::]:80 default_server;
	access_log off;
	default_type text/plain;
	location / { return 200 "%s\n"; }
}
`
	return n.Configure("/etc/nginx/sites-enabled", Files{"default": fmt.Sprintf(site, n.name)})
}

// Heartbeat writes Debian's heartbeat 3 its files, ha.cf, haresources and
// authkeys, and starts it. It returns when systemd calls the unit started, which
// is long before the node is up.
func Heartbeat(ctx context.Context, n *Node, files Files) error {
	if err := n.Configure("/etc/ha.d", files); err != nil {
		return err
	}
	return n.Start(ctx, "heartbeat")
}

// A HeartbeatCluster is what differs between clusters that are measured.
type HeartbeatCluster struct {
	Nodes     []string
	Keepalive time.Duration
	Deadtime  time.Duration
	Initdead  time.Duration
	Resources []string // lines of haresources: alpha IPaddr::192.0.2.50/24/eth0
}

// Files are those of every node of the cluster: broadcasts on both networks,
// signed by SHA-1, with automatic failback. Times are whole milliseconds.
func (c HeartbeatCluster) Files() Files {
	return Files{
		"ha.cf": fmt.Sprintf(`logfacility daemon
keepalive %dms
warntime %dms
deadtime %dms
initdead %dms
bcast eth0 eth1
auto_failback on
node %s
`, c.Keepalive.Milliseconds(), c.Deadtime.Milliseconds()/2, c.Deadtime.Milliseconds(), c.Initdead.Milliseconds(), strings.Join(c.Nodes, " ")),
		"haresources": strings.Join(c.Resources, "\n") + "\n",
		"authkeys":    "auth 1\n1 sha1 systole-lab\n",
	}
}

// A Keepalived is one node's part in a virtual router of VRRP version 3 (RFC
// 9568), as keepalived 2 is configured.
type Keepalived struct {
	Device   string        // "": eth0
	Address  netip.Prefix  // the virtual address
	Advert   time.Duration // between advertisements: 10 ms to 40.95 s in steps of 10 ms
	Priority int           // 1 to 254; the higher, the sooner a backup takes over
	Preempt  bool          // a node that comes back with a higher priority takes the address back
	Peers    []netip.Addr  // unicast to them; multicast if empty
	Master   string        // a command to run on taking over, such as /usr/bin/systemctl start nginx
	Realtime int           // priority of SCHED_RR, 0: none
}

// Start configures and starts keepalived.
func (k Keepalived) Start(ctx context.Context, n *Node) error {
	if err := n.Configure("/etc/keepalived", Files{"keepalived.conf": k.Config()}); err != nil {
		return err
	}
	return n.Start(ctx, "keepalived")
}

// Config is keepalived.conf(5).
func (k Keepalived) Config() string {
	if k.Device == "" {
		k.Device = Service.Device()
	}
	var b strings.Builder
	b.WriteString("global_defs {\n\tvrrp_version 3\n\tscript_user root\n\tenable_script_security\n")
	if k.Realtime > 0 {
		fmt.Fprintf(&b, "\tvrrp_rt_priority %d\n", k.Realtime)
	}
	fmt.Fprintf(&b, "}\nvrrp_instance service {\n\tstate BACKUP\n\tinterface %s\n\tvirtual_router_id 50\n", k.Device)
	fmt.Fprintf(&b, "\tpriority %d\n\tadvert_int %.2f\n", k.Priority, k.Advert.Seconds())
	if !k.Preempt {
		b.WriteString("\tnopreempt\n")
	}
	if len(k.Peers) > 0 {
		b.WriteString("\tunicast_peer {\n")
		for _, peer := range k.Peers {
			fmt.Fprintf(&b, "\t\t%s\n", peer)
		}
		b.WriteString("\t}\n")
	}
	if k.Master != "" {
		fmt.Fprintf(&b, "\tnotify_master %q\n", k.Master)
	}
	fmt.Fprintf(&b, "\tvirtual_ipaddress {\n\t\t%s dev %s\n\t}\n}\n", k.Address, k.Device)
	return b.String()
}
