package main

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/systole-ha/systole/agent/config"
	"github.com/systole-ha/systole/agent/permission"
	"github.com/systole-ha/systole/resources"
	"github.com/systole-ha/systole/resources/ipaddr"
)

// A plan is a table: what, its value, and where that comes from.
type plan struct {
	table bytes.Buffer
	c     *config.Config
}

// printPlan says what systole makes of a configuration: every setting that
// decides about a takeover, with its origin, and then what will happen.
func printPlan(w io.Writer, c *config.Config, r registry) {
	p := plan{c: c}
	p.nodes()
	p.links()
	p.keys()
	p.timers()
	p.settings()
	p.receivers()
	p.groups(r)
	p.print(w)
	fmt.Fprintf(w, "\n%s\n\n", strings.Join(prospects(c), "\n"))
}

// print aligns the table and writes it, without blanks at the ends of lines.
func (p *plan) print(w io.Writer) {
	var aligned bytes.Buffer
	columns := tabwriter.NewWriter(&aligned, 0, 0, 2, ' ', 0)
	columns.Write(p.table.Bytes())
	columns.Flush()
	for line := range bytes.Lines(aligned.Bytes()) {
		fmt.Fprintf(w, "%s\n", bytes.TrimRight(line, " \n"))
	}
}

// row adds a line to the table; what repeats the line above is left blank.
func (p *plan) row(what, value, origin string) {
	fmt.Fprintf(&p.table, "%s\t%s\t%s\n", what, value, origin)
}

// setting adds a setting of one of the files.
func (p *plan) setting(what, value, name, fallback string) {
	p.row(what, value, cmp.Or(p.c.Origin(name), fallback))
}

func (p *plan) nodes() {
	p.setting("cluster", p.c.Cluster, "cluster", "default: the names of the nodes")
	what := "nodes"
	for _, n := range p.c.Nodes {
		origin := ""
		if n == p.c.Self {
			origin = "this node"
		}
		p.row(what, n, origin)
		what = ""
	}
	for _, ping := range p.c.Pings {
		value := ping.Name
		if ping.Group {
			value += ", any of " + strings.Join(ping.Targets, " ")
		}
		p.row("ping node", value, fmt.Sprintf("%s:%d", config.HaCf, ping.Line))
	}
}

func (p *plan) links() {
	what := "links"
	for _, l := range p.c.Links {
		p.row(what, fmt.Sprintf("%s: %s, %s", l.Name, l.Kind, l.Destination()), fmt.Sprintf("%s:%d", config.HaCf, l.Line))
		what = ""
	}
	if len(p.c.Links) == 0 {
		p.row(what, "none", "")
	}
}

func (p *plan) keys() {
	what := "authkeys"
	for _, k := range p.c.Auth.Keys {
		use := "is accepted"
		if k.Number == p.c.Auth.Send {
			use = "signs"
		}
		p.row(what, fmt.Sprintf("key %d (%s) %s", k.Number, k.Method, use), fmt.Sprintf("%s:%d", config.Authkeys, k.Line))
		what = ""
	}
}

func (p *plan) timers() {
	p.setting("keepalive", config.Human(p.c.Keepalive), "keepalive", "default")
	p.setting("warntime", config.Human(p.c.Warntime), "warntime", "default: half of deadtime")
	p.setting("deadtime", config.Human(p.c.Deadtime), "deadtime", "default")
	initdead := "default"
	switch p.c.Initdead {
	case p.c.Deadtime:
		initdead = "default: the deadtime"
	case 2 * p.c.Deadtime:
		initdead = "default: twice the deadtime"
	}
	p.setting("initdead", config.Human(p.c.Initdead), "initdead", initdead)
	if len(p.c.Pings) > 0 {
		p.setting("ipfail", onOff(p.c.IPFail), "ipfail", "default")
		p.setting("deadping", config.Human(p.c.Deadping), "deadping", "default: the deadtime")
	}
	p.leases()
	p.permission()
	p.fencing()
	failback := map[bool]string{true: "on", false: "off"}[p.c.AutoFailback]
	p.setting("auto_failback", failback, "auto_failback", "default: legacy, which runs as on")
}

func (p *plan) receivers() {
	for _, w := range p.c.Webhooks {
		signed := "not signed"
		if w.Secrets != nil {
			signed = "signed"
		}
		p.row("webhook", fmt.Sprintf("%s: %s, events from %s up, %s", w.Name, w.URL, w.Severity, signed), w.Origin)
	}
	for _, a := range p.c.Alertmanagers {
		p.row("alertmanager", a.URL, a.Origin)
	}
}

func (p *plan) settings() {
	realtime := "off"
	if p.c.Realtime {
		realtime = fmt.Sprintf("on, priority %d of SCHED_RR", p.c.RealtimePriority)
	}
	p.setting("realtime", realtime, "realtime", "default")
	if p.c.Watchdog != "" {
		p.setting("watchdog", watchdogText(p.c), "watchdog", "default")
	}
	p.setting("recorder", onOff(p.c.FlightRecorder), "flight_recorder", "default")
	p.setting("metrics", cmp.Or(p.c.Web.ListenAddress, "not served"), "web.listen_address", "default")
	if p.c.Web.ConfigFile != "" {
		p.setting("", p.c.Web.ConfigFile, "web.config_file", "default")
	}
	p.setting("control", p.c.ControlSocket, "control_socket", "default")
	p.setting("state", p.c.StateDir, "state_dir", "default")
	p.setting("timeouts", "start "+config.Human(p.c.StartTimeout), "timeouts.start", "default")
	p.setting("", "stop "+config.Human(p.c.StopTimeout), "timeouts.stop", "default")
}

// groups lists each group with what runs its resources, in the order they
// start.
func (p *plan) groups(r registry) {
	for _, g := range p.c.Groups {
		p.row("group", "prefers "+g.Preferred, fmt.Sprintf("%s:%d", config.Haresources, g.Line))
		for _, s := range g.Resources {
			p.row("", "  "+s.String(), runs(r, s))
		}
	}
}

// runs says what runs a resource: its driver, and what that takes the word for.
func runs(r registry, s resources.Spec) string {
	name, d, err := r.driver(s)
	text := ""
	switch {
	case err != nil:
		return "nothing"
	case name == driverIPAddr:
		if a, err := ipaddr.Parse(s); err == nil {
			text = a.String()
		}
	case name == driverSystemd:
		text = unitOf(s)
	default:
		if t, ok := d.(resources.Describer); ok {
			text = t.Describe(s)
		}
	}
	if why := r.why(s, name); why != "" {
		text += "; " + why
	}
	if text == "" {
		return name
	}
	return name + ": " + text
}

// fencedFirst is what comes between a death and a takeover.
func fencedFirst(c *config.Config) string {
	if !c.Fencing.Enabled() {
		return ""
	}
	return "once it is known to be off "
}

// prospects is what will happen, in sentences.
func prospects(c *config.Config) []string {
	s := []string{fmt.Sprintf("Each node sends a heartbeat every %s on every link. A silence of more than %s is reported.",
		config.Human(c.Keepalive), config.Human(c.Warntime))}
	if len(c.Nodes) == 2 && c.Deadtime > c.Keepalive {
		s = append(s,
			fmt.Sprintf("A node that loses its power is declared dead %s to %s later, and %sits groups start on the other one, resource by resource.",
				config.Human(c.Deadtime-c.Keepalive), config.Human(c.Deadtime), fencedFirst(c)),
			"A node that is shut down hands its groups over at once.",
			fmt.Sprintf("A node that starts waits for the other one, for %s at most, before it takes that one's groups, too.", config.Human(c.Initdead)))
		if c.AutoFailback {
			s = append(s, "When a node comes back, the groups that prefer it return to it.")
		} else {
			s = append(s, "When a node comes back, groups stay where they are until hb_standby or hb_takeover moves them.")
		}
	}
	if len(c.Nodes) == 2 {
		s = append(s, "When all links are cut: "+whenCut(c))
	}
	switch {
	case len(c.Pings) > 0 && c.IPFail:
		s = append(s, "Groups move to the node that reaches more ping nodes, when that has been so for two seconds.")
	case len(c.Pings) > 0 && c.Permission != permission.Ping:
		s = append(s, "Ping nodes are watched and reported, and decide nothing: write ipfail: on in systole.yaml if groups are to move to the node that reaches more.")
	}
	return s
}
