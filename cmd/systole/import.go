package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"os"

	"github.com/alecthomas/kingpin/v2"

	"github.com/systole-ha/systole/agent/config"
	"github.com/systole-ha/systole/agent/migrate"
	"github.com/systole-ha/systole/agent/migrate/heartbeat"
	"github.com/systole-ha/systole/agent/migrate/keepalived"
	"github.com/systole-ha/systole/resources"
	"github.com/systole-ha/systole/resources/ipaddr"
	"github.com/systole-ha/systole/resources/script"
)

// Exit codes of systole import.
const (
	importFine    = 0 // shown, or written
	importFailed  = 1 // nothing to read, or it could not be written
	importBlocked = 2 // there is something to be cured first
)

// importOptions are the arguments of systole import.
type importOptions struct {
	write      bool
	heartbeat  heartbeat.Options
	keepalived keepalived.Options
}

// importCommands adds systole import and its two sources.
func importCommands(app *kingpin.Application, o *importOptions) (fromHeartbeat, fromKeepalived *kingpin.CmdClause) {
	all := app.Command("import", "Show what Heartbeat's or keepalived's configuration of this node means for systole: files, differences. Exit code 0: shown, or written; 2: something is to be cured first.")
	all.Flag("write", "Write the files. What is there is kept beside them.").BoolVar(&o.write)

	fromHeartbeat = all.Command("heartbeat", "Of Linux-HA Heartbeat: its files may stay where they are.")
	fromHeartbeat.Flag("from", "Folder of ha.cf. The default is the first of /etc/ha.d and /etc/heartbeat that has one.").StringVar(&o.heartbeat.From)
	fromHeartbeat.Flag("to", "Folder for systole's files. The default is where they are, or /etc/systole where systole needs others.").StringVar(&o.heartbeat.To)

	fromKeepalived = all.Command("keepalived", "Of keepalived: what its virtual routers hold, in systole's files. Run it on one node and copy the files to the other.")
	fromKeepalived.Arg("file", "keepalived.conf.").Default("/etc/keepalived/keepalived.conf").StringVar(&o.keepalived.File)
	fromKeepalived.Flag("peer", "The other node, as uname -n prints it there.").StringVar(&o.keepalived.Peer)
	fromKeepalived.Flag("peer-file", "The other node's keepalived.conf, copied here: for its priorities.").StringVar(&o.keepalived.PeerFile)
	fromKeepalived.Flag("to", "Folder for systole's files.").Default("/etc/systole").StringVar(&o.keepalived.To)
	return fromHeartbeat, fromKeepalived
}

// runImportHeartbeat is systole import heartbeat.
func runImportHeartbeat(o importOptions, stdout, stderr io.Writer) int {
	host, err := config.ThisHost()
	if err != nil {
		fmt.Fprintln(stderr, "systole import:", err)
		return importFailed
	}
	ctx, cancel := context.WithTimeout(context.Background(), checkTimeout)
	defer cancel()
	r := drivers(machine{node: host.Name, dir: cmp.Or(o.heartbeat.From, script.HeartbeatFolder)}, ipaddr.Terms{})
	defer r.close()
	o.heartbeat.Root, o.heartbeat.Host = os.DirFS("/"), host
	o.heartbeat.Runs = r.says
	o.heartbeat.Examine = func(c *config.Config) config.Diagnostics { return r.look(ctx, c) }
	plan, err := heartbeat.Plan(o.heartbeat)
	return carryOut(plan, err, "/", o.write, stdout, stderr)
}

// runImportKeepalived is systole import keepalived.
func runImportKeepalived(o importOptions, stdout, stderr io.Writer) int {
	host, err := config.ThisHost()
	if err != nil {
		fmt.Fprintln(stderr, "systole import:", err)
		return importFailed
	}
	o.keepalived.Root, o.keepalived.Node, o.keepalived.Address = os.DirFS("/"), host.Name, firstAddress
	plan, err := keepalived.Convert(o.keepalived)
	return carryOut(plan, err, "/", o.write, stdout, stderr)
}

// carryOut shows a plan, and writes its files below root if told so.
func carryOut(plan *migrate.Plan, err error, root string, write bool, stdout, stderr io.Writer) int {
	if err != nil {
		fmt.Fprintln(stderr, "systole import:", err)
		return importFailed
	}
	var tree fs.FS = os.DirFS(root)
	plan.Print(stdout, tree)
	fmt.Fprintln(stdout)
	switch {
	case plan.Blocked():
		fmt.Fprintln(stdout, "Nothing was written: there is something to be cured first.")
		return importBlocked
	case len(plan.Files) == 0:
		fmt.Fprintln(stdout, "There is nothing to write.")
		return importFine
	case !write:
		fmt.Fprintln(stdout, "Nothing was written: that takes --write.")
		return importFine
	}
	if err := plan.Write(root, stdout); err != nil {
		fmt.Fprintln(stderr, "systole import:", err)
		return importFailed
	}
	return importFine
}

// says is what runs a resource, and whether that is a unit.
func (r registry) says(s resources.Spec) (by string, unit bool, err error) {
	name, _, err := r.driver(s)
	if err != nil {
		return "", false, err
	}
	return runs(r, s), name == driverSystemd, nil
}

// look is all that the drivers have to say about a configuration.
func (r registry) look(ctx context.Context, c *config.Config) config.Diagnostics {
	return append(r.refuse(c), append(r.examine(ctx, c), r.examineFencing(ctx, c)...)...)
}

// firstAddress is the first IPv4 address of an interface that is one for other
// hosts.
func firstAddress(device string) (netip.Addr, bool) {
	i, err := net.InterfaceByName(device)
	if err != nil {
		return netip.Addr{}, false
	}
	addresses, err := i.Addrs()
	if err != nil {
		return netip.Addr{}, false
	}
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok {
			if ip, ok := netip.AddrFromSlice(n.IP.To4()); ok && ip.IsGlobalUnicast() {
				return ip, true
			}
		}
	}
	return netip.Addr{}, false
}
