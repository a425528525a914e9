// Systole keeps services running when a node dies: it takes over their
// addresses and units from its peer, and measures everything it does.
package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/version"

	"github.com/systole-ha/systole/agent/config"
	"github.com/systole-ha/systole/agent/control"
)

func main() {
	app := kingpin.New("systole", "Failover of addresses and systemd units between two nodes, with Linux-HA Heartbeat's files and on its wire, measured throughout.")
	app.UsageWriter(os.Stdout)
	app.HelpFlag.Short('h')

	run := app.Command("run", "Run the daemon.")
	runDir := configDir(run)

	check := app.Command("check", "Say what is wrong with a configuration, and what systole would do with it. Exit code 0: it can run; 1: warnings, with --strict; 2: errors.")
	checkDir := configDir(check)
	strict := check.Flag("strict", "Take warnings for failures.").Bool()

	status := app.Command("status", "Show nodes, links with their margin to a false death, groups, the last takeovers.")
	statusOf := statusOptions{}
	socket := status.Flag("control.socket", "Where the daemon answers.").Default(control.SocketFromEnvironment()).String()
	status.Flag("json", "As JSON, for programs.").BoolVar(&statusOf.json)
	status.Flag("watch", "Redraw every second.").BoolVar(&statusOf.watch)

	ready := app.Command("ready", "Look now whether a takeover by this node would work. Exit code 0: yes; 1: no; 2: cannot tell.")
	ready.Flag("control.socket", "Where the daemon answers.").Default(control.SocketFromEnvironment()).StringVar(socket)
	readyJSON := ready.Flag("json", "As JSON, for programs.").Bool()

	events := app.Command("events", "Show what happened.")
	eventsOf := eventsOptions{}
	events.Flag("control.socket", "Where the daemon answers.").Default(control.SocketFromEnvironment()).StringVar(socket)
	events.Flag("follow", "Go on as things happen.").Short('f').BoolVar(&eventsOf.follow)
	events.Flag("since", "Begin behind the event of this sequence number.").Uint64Var(&eventsOf.since)
	events.Flag("generation", "The daemon that gave that number, as JSON has it: where another runs now, begin at its start.").Uint64Var(&eventsOf.of)
	events.Flag("severity", "Leave out what is less than this: info, notice, warning, error, critical.").Default("info").EnumVar(&eventsOf.severity, "info", "notice", "warning", "error", "critical")
	events.Flag("json", "One JSON object a line.").BoolVar(&eventsOf.json)

	top := app.Command("top", "Show all of this live, on the whole screen: links with their margins of the last minutes, groups, takeovers phase by phase.")
	top.Flag("control.socket", "Where the daemon answers.").Default(control.SocketFromEnvironment()).StringVar(socket)
	fence := app.Command("fence", "Fence a node that is dead now, and not when it would be tried again. Exit code 0: it is being done; 1: refused.")
	fence.Flag("control.socket", "Where the daemon answers.").Default(control.SocketFromEnvironment()).StringVar(socket)
	confirmed := fence.Flag("confirm", "Instead, tell the daemon that the node is off: you have seen it, and it cannot come on again by itself. What it holds starts here. Where that is wrong, both nodes write to the same data.").Bool()
	fenceNode := fence.Arg("node", "The node.").Required().String()

	outages := app.Command("outages", "Show when nobody was proven to serve a group, and why: what this node ended. Needs no daemon.")
	outagesDir := configDir(outages)
	outagesJSON := outages.Flag("json", "The ledger itself.").Bool()

	release := app.Command("release", "Stop what a daemon that is gone for good has left running. For systole-release.service, which systemd starts when it gives the daemon up. Exit code 0: nothing is left, or a daemon looks after it.")
	releaseDir := configDir(release)
	release.Flag("control.socket", "Where the daemon answered.").Default(control.SocketFromEnvironment()).StringVar(socket)

	third := app.Command("arbiter", "Run the casting vote for clusters of two nodes, on a third machine. It runs no resources.")
	thirdAddress := third.Flag("listen.address", "Address and UDP port to listen on.").Default(fmt.Sprintf(":%d", config.ArbiterPort)).String()
	thirdKeys := third.Flag("keys.dir", "Folder with the authkeys of each cluster, in a file that has the cluster's name.").Default("/etc/systole/arbiter").String()

	importing := importOptions{}
	fromHeartbeat, fromKeepalived := importCommands(app, &importing)

	ending := app.Command(endHolders, "End the processes that keep a place from being unmounted. For the daemon.").Hidden()
	endSignal := ending.Arg("signal", "TERM or KILL.").Required().Enum("TERM", "KILL")
	endPlace := ending.Arg("place", "The mount point.").Required().String()

	versionCommand := app.Command("version", "Print the version.")

	switch kingpin.MustParse(app.Parse(os.Args[1:])) {
	case run.FullCommand():
		os.Exit(runDaemon(*runDir))
	case check.FullCommand():
		os.Exit(runCheck(*checkDir, *strict, os.Stdout))
	case status.FullCommand():
		os.Exit(runStatus(*socket, statusOf, os.Stdout, os.Stderr))
	case ready.FullCommand():
		os.Exit(runReady(*socket, *readyJSON, os.Stdout, os.Stderr))
	case events.FullCommand():
		os.Exit(runEvents(*socket, eventsOf, os.Stdout, os.Stderr))
	case fence.FullCommand():
		os.Exit(runFence(*socket, strings.ToLower(*fenceNode), *confirmed, os.Stdout, os.Stderr))
	case top.FullCommand():
		os.Exit(runTop(*socket, os.Stdin, os.Stdout, os.Stderr))
	case outages.FullCommand():
		os.Exit(runOutages(*outagesDir, *outagesJSON, os.Stdout, os.Stderr))
	case release.FullCommand():
		os.Exit(runRelease(*socket, *releaseDir, os.Stdout, os.Stderr))
	case third.FullCommand():
		os.Exit(runArbiter(*thirdAddress, *thirdKeys, os.Stderr))
	case fromHeartbeat.FullCommand():
		os.Exit(runImportHeartbeat(importing, os.Stdout, os.Stderr))
	case fromKeepalived.FullCommand():
		os.Exit(runImportKeepalived(importing, os.Stdout, os.Stderr))
	case ending.FullCommand():
		os.Exit(runEndHolders(*endSignal, *endPlace, os.Stdout, os.Stderr))
	case versionCommand.FullCommand():
		fmt.Println(version.Print("systole"))
	}
}

func configDir(command *kingpin.CmdClause) *string {
	return command.Flag("config.dir", "Folder of ha.cf, haresources, authkeys and, optional, systole.yaml. The default is the first that exists of /etc/systole, /etc/ha.d and /etc/heartbeat.").
		Default(config.DefaultDir()).String()
}
