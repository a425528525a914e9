package heartbeat

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/systole-ha/systole/agent/config"
	"github.com/systole-ha/systole/agent/migrate"
)

// differences are those in behaviour that this cluster will see;
// docs/compat.md has all of them.
func (i *installation) differences() {
	if len(i.cfg.Nodes) == 0 {
		return
	}
	i.protocol()
	i.moves()
	i.failures()
	i.addresses()
	i.around()
}

func (i *installation) differs(instead, format string, args ...any) {
	i.plan.Add(migrate.Differs, "", "", instead, format, args...)
}

func (i *installation) protocol() {
	if i.legacy() {
		i.plan.Add(migrate.Blocks, i.here(config.HaCf), "auto_failback",
			"write auto_failback on (or off) into ha.cf on both nodes; then stop Heartbeat on both and start it on both: nodes that differ in it do not understand each other",
			"the nodes speak Heartbeat's legacy protocol for resources, which is its default, and systole does not: it cannot replace one node at a time")
	}
	if form, _ := i.cfg.Parameter("msgfmt"); form == "netstring" {
		i.plan.Add(migrate.Differs, fmt.Sprintf("%s:%d", i.here(config.HaCf), i.line("msgfmt")), "msgfmt",
			"take the line out, on both nodes, before one of them is replaced",
			"in this form a Heartbeat node loses what two of its own scripts tell it at one instant: when the other one stops it may stay in transition for ever, and not stop itself")
	}
}

// moves is what is different when groups move as they should.
func (i *installation) moves() {
	c := i.cfg
	i.differs("", "when both nodes start together, groups start at once: Heartbeat waits for 10 s")
	if len(c.Groups) > 1 {
		i.differs("", "of the %d groups of a takeover, all addresses at the beginning of lines are taken first, then the lines side by side; Heartbeat goes line by line", len(c.Groups))
	}
	sides := map[string]int{}
	for _, g := range c.Groups {
		sides[g.Preferred]++
	}
	for _, n := range c.Nodes {
		if sides[n] > 1 {
			i.differs("", "between two systole nodes, the %d groups that prefer %s can move one by one; beside a Heartbeat node they move together", sides[n], n)
		}
	}
	if c.IPFail {
		i.plan.Add(migrate.Differs, fmt.Sprintf("%s:%d", i.here(config.HaCf), i.line("ipfail")), "ipfail", "",
			"it is built in: groups move to the node that reaches more ping nodes, after two seconds; beside a Heartbeat node, by ipfail's own messages")
	}
}

// line is that of a directive of ha.cf; 0 for none.
func (i *installation) line(directive string) (line int) {
	_, number, _ := strings.Cut(i.cfg.Origin(directive), ":")
	fmt.Sscanf(number, "%d", &line)
	return line
}

// failures is what is different when something fails.
func (i *installation) failures() {
	if len(i.cfg.Groups) > 0 {
		i.differs("", "a resource that does not start: its group is released and offered to the other node at once; Heartbeat leaves it down, announced as held")
		instead := ""
		if !i.cfg.Fencing.Enabled() {
			instead = "fencing is what makes sure (docs/fencing.md)"
		}
		i.differs(instead, "a resource that does not stop, after 10 tries: nothing is rebooted, and the group counts as held here; Heartbeat reboots the node")
	}
	i.differs("", "when the nodes hear each other again after a partition, one gives up what both hold, at once, and nothing restarts (two systole nodes); a Heartbeat node restarts itself")
	i.differs("", "a daemon that is killed is started again, and takes up what it left running; Heartbeat stays dead")
}

// addresses is what is different about them.
func (i *installation) addresses() {
	var unlabelled []string
	any := false
	for _, w := range i.words {
		if !slices.Contains([]string{"IPaddr", "IPaddr2", "IPv6addr"}, w.spec.Name) {
			continue
		}
		any = true
		if w.spec.Name == "IPaddr" && strings.Count(strings.Join(w.spec.Args, "::"), ":") == 0 {
			unlabelled = append(unlabelled, strings.Join(w.spec.Args, "::"))
		}
	}
	if !any {
		return
	}
	if len(unlabelled) > 0 {
		i.differs("look with ip address; or give one its label: IPaddr::192.0.2.1/24/eth0:0",
			"%s: no alias such as eth0:0 is made, so that ifconfig does not show it", strings.Join(unlabelled, ", "))
	}
	if lease := i.cfg.Lease(); lease > 0 {
		i.differs("", "addresses last for %s unless the daemon renews them (ip address shows it), so that a node that is frozen has lost them before the other one takes them", config.Human(lease))
	}
	i.differs("", "an address that somebody else removes is put back; Heartbeat does not notice")
}

// around is what is different for who looks on.
func (i *installation) around() {
	for _, name := range i.ownScripts("rc.d") {
		i.plan.Add(migrate.Lost, path.Join(i.From, "rc.d", name), "", "a webhook, or systole events --follow --json", "systole runs no scripts on messages")
	}
	if i.enabled() {
		i.differs("systemctl disable heartbeat, and systemctl enable systole, when this node has moved", "heartbeat.service is enabled at boot, and systole.service conflicts with it")
	}
	i.differs("", "hb_standby and hb_takeover, in /usr/bin, say what became of the request; --wait waits for it. cl_status is systole's: keep Heartbeat's for the way back (docs/migrate-from-heartbeat.md)")
	if i.cfg.Web.ListenAddress != "" {
		i.differs("web.listen_address in systole.yaml", "metrics and a page are served at %s", i.cfg.Web.ListenAddress)
	}
	i.differs("", "SIGHUP reads authkeys again and nothing else; changes of ha.cf and haresources take a restart, which moves nothing")
}

// shipped are the scripts of rc.d that come with Heartbeat.
var shipped = []string{"ask_resources", "hb_takeover", "hb_addnode", "hb_delnode", "hb_setsite", "hb_setweight", "ip-request", "ip-request-resp", "status"}

// ownScripts are those of a folder of Heartbeat's that did not come with it.
func (i *installation) ownScripts(folder string) (names []string) {
	entries, err := fs.ReadDir(i.Root, relative(path.Join(i.From, folder)))
	if err != nil {
		return nil
	}
	for _, e := range entries {
		if !slices.Contains(shipped, e.Name()) && isExecutable(i.Root, path.Join(i.From, folder, e.Name())) {
			names = append(names, e.Name())
		}
	}
	return names
}
