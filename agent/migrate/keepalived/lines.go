package keepalived

import (
	"fmt"
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/systole-ha/systole/agent/migrate"
)

// resources makes the lines of haresources: one for each virtual router, or for
// all of a vrrp_sync_group, which move together.
func (c *conversion) resources() {
	for _, g := range c.own.groups {
		l := resourceLine{comment: fmt.Sprintf("vrrp_sync_group %s, %s", g.name, g.line.where())}
		for _, name := range g.routers {
			r := c.own.router(name)
			switch {
			case r == nil:
				c.plan.Add(migrate.Lost, g.line.where(), "vrrp_sync_group "+g.name, "", "there is no vrrp_instance %s", visible(name))
			case !slices.ContainsFunc(c.merged, func(l resourceLine) bool { return slices.Contains(l.routers, r) }) && !slices.Contains(l.routers, r):
				l.routers = append(l.routers, r)
			}
		}
		if len(l.routers) > 0 {
			c.fill(&l, g)
		}
	}
	for _, r := range c.own.routers {
		if !slices.ContainsFunc(c.merged, func(l resourceLine) bool { return slices.Contains(l.routers, r) }) {
			l := resourceLine{comment: fmt.Sprintf("vrrp_instance %s, %s", r.name, r.line.where()), routers: []*router{r}}
			c.fill(&l, nil)
		}
	}
}

// fill gives a line its words, and keeps it.
func (c *conversion) fill(l *resourceLine, g *group) {
	for _, r := range l.routers {
		for _, a := range r.addresses {
			l.words = append(l.words, c.word(r, a))
		}
		if len(r.addresses) == 0 {
			c.plan.Add(migrate.Lost, r.line.where(), "vrrp_instance "+r.name, "", "no address: there is nothing that moves")
		}
	}
	services := []scripts{}
	for _, r := range l.routers {
		services = append(services, r.notify)
		c.watch(r.tracked, r)
		c.interfaces(r.devices, r)
	}
	if g != nil {
		services = append(services, g.notify)
		c.watch(g.tracked, l.routers[0])
	}
	for _, s := range services {
		c.notified(l, s)
	}
	c.merged = append(c.merged, *l)
}

// word is an address as haresources has it.
func (c *conversion) word(r *router, a address) string {
	device := a.device
	if device == "" {
		device = c.deviceOf(r)
	}
	name, place := "IPaddr", device
	if a.prefix.Addr().Is6() {
		name = "IPv6addr"
	}
	switch {
	case a.label == "" || name == "IPv6addr":
	case strings.HasPrefix(a.label, device+":"):
		place = a.label
	default:
		c.plan.Add(migrate.Differs, a.line.where(), "label "+visible(a.label), "", "a label begins with its interface and a colon: this one is left out")
	}
	word := fmt.Sprintf("%s::%s/%d/%s", name, a.prefix.Addr(), a.prefix.Bits(), place)
	if a.broadcast.Is4() && name == "IPaddr" {
		word += "/" + a.broadcast.String()
	}
	return word
}

// notified takes the services that are started at a takeover into the line, and
// says what becomes of the other scripts.
func (c *conversion) notified(l *resourceLine, s scripts) {
	started, ok := serviceOf(s.master.text)
	if ok && started.verb == "start" {
		if !slices.Contains(l.words, started.name) {
			l.words = append(l.words, started.name)
			c.plan.Add(migrate.Differs, s.master.line.where(), "notify_master", "systemctl disable "+started.name+", on both nodes",
				"%s is a resource of the group: systole starts it behind its addresses, and stops it before they go", started.name)
		}
		s.master.text = ""
	}
	for _, script := range []*command{&s.backup, &s.fault, &s.stop} {
		if stopped, ok := serviceOf(script.text); ok && stopped.verb == "stop" && stopped.name == started.name {
			script.text = ""
		}
	}
	c.suggest(l, s)
}

// suggest is a unit for scripts that are run when the state changes.
func (c *conversion) suggest(l *resourceLine, s scripts) {
	begin, end := s.master, s.backup
	if end.text == "" {
		end = s.stop
	}
	r := l.routers[0]
	if begin.text == "" && end.text == "" && s.any.text != "" {
		begin, end = s.any, s.any
		begin.text += fmt.Sprintf(" INSTANCE %s MASTER %d", r.name, r.priority)
		end.text += fmt.Sprintf(" INSTANCE %s BACKUP %d", r.name, r.priority)
		s.any.text = ""
	}
	if begin.text == "" && end.text == "" {
		return
	}
	name := unitName(r.name) + "-notify.service"
	for _, script := range []struct {
		command
		word string
	}{{s.master, "notify_master"}, {s.backup, "notify_backup"}, {s.fault, "notify_fault"}, {s.stop, "notify_stop"}, {begin, "notify"}, {end, "notify"}} {
		if script.text != "" && (script.word != "notify" || s.master.text == "" && s.backup.text == "" && s.stop.text == "") {
			c.plan.Add(migrate.Lost, script.line.where(), script.word, "webhooks and alerts tell people; for what must be done, see the suggestion of "+name,
				"no script is run at a change of state")
		}
	}
	if s.any.text != "" {
		c.plan.Add(migrate.Lost, s.any.line.where(), "notify", "webhooks and alerts tell people", "no script is run at a change of state")
	}
	unit := fmt.Sprintf("[Unit]\nDescription=what keepalived ran for %s\n\n[Service]\nType=oneshot\nRemainAfterExit=yes\n", r.name)
	if begin.text != "" {
		unit += "ExecStart=-" + escaped(begin.text) + "\n" // as keepalived, which goes on
	} else {
		unit += "ExecStart=true\n"
	}
	if end.text != "" {
		unit += "ExecStop=-" + escaped(end.text) + "\n"
	}
	c.plan.Suggestions = append(c.plan.Suggestions, migrate.Suggestion{
		Path: path.Join("/etc/systemd/system", name),
		Why:  "if it must run when the addresses come and go: write it on both nodes, and " + strings.TrimSuffix(name, ".service") + " behind them in haresources",
		Text: unit,
	})
}

// escaped is a command as a unit has it: a percent sign stands for itself.
func escaped(command string) string {
	return strings.ReplaceAll(strings.ReplaceAll(command, "%", "%%"), "\n", " ")
}

// unitName makes a name for a unit of any text.
func unitName(text string) string {
	return strings.Map(func(r rune) rune {
		if isUnitName("x" + string(r)) {
			return r
		}
		return '-'
	}, strings.ToLower(text))
}

// watch says what becomes of scripts and processes that are watched, and makes
// ping nodes of those that ping.
func (c *conversion) watch(tracked []track, r *router) {
	for _, t := range tracked {
		check, ok := c.own.checks[t.kind+" "+t.name]
		word := "track_" + t.kind + " " + visible(t.name)
		if !ok {
			c.plan.Add(migrate.Lost, t.line.where(), word, "", "there is nothing of that name, and keepalived ignores it")
			continue
		}
		if target, ok := pinged(check.text); ok {
			if !slices.Contains(c.pings, target) {
				c.pings = append(c.pings, target)
			}
			c.plan.Add(migrate.Differs, t.line.where(), word, "", "%s is a ping node: where both nodes are alive, groups move to the one that reaches more of them, after two seconds", target)
			continue
		}
		name, ok := watchedService(check.text)
		if t.kind == "process" {
			name, ok = path.Base(strings.Trim(strings.Split(check.text, " ")[0], `"`)), true
		}
		if ok {
			c.plan.Add(migrate.Lost, t.line.where(), word,
				fmt.Sprintf("let systemd restart it (Restart=always, by systemctl edit %s); or, if it need not run on both nodes, name %s behind the addresses of %s in haresources: it then starts and stops with them", name, name, r.name),
				"the addresses do not move when %s dies", name)
			continue
		}
		c.plan.Add(migrate.Lost, t.line.where(), word,
			"run it by a timer of systemd on both nodes, and let it call hb_standby where it fails and the other node is well (cl_status nodestatus)",
			"the script %s is not run, and nothing moves when it fails", visible(check.text))
	}
}

// interfaces says what becomes of interfaces that are tracked.
func (c *conversion) interfaces(devices []track, r *router) {
	for _, t := range devices {
		uses := t.name == c.deviceOf(r) || slices.ContainsFunc(r.addresses, func(a address) bool { return a.device == t.name })
		if uses {
			c.plan.Add(migrate.Differs, t.line.where(), "track_interface "+visible(t.name), "", "groups move when the carrier of an interface with one of their addresses is lost, where another link to the peer is left and the peer has a carrier")
			continue
		}
		c.plan.Add(migrate.Lost, t.line.where(), "track_interface "+visible(t.name), "write ping and an address behind it in ha.cf, and ipfail: on in systole.yaml", "no group has an address there, so its carrier moves nothing")
	}
}

// preferred is the node that a line prefers.
func (c *conversion) preferred(l resourceLine) string {
	if l.preferred != "" {
		return l.preferred
	}
	if c.Peer == "" {
		return "not known yet"
	}
	return c.prefers(l.routers[0])
}

// prefers is the node with the higher priority; where only one is known, what
// the state at the beginning says of it.
func (c *conversion) prefers(r *router) string {
	if o := c.other(r); o != nil {
		switch {
		case r.priority > o.priority, r.priority == o.priority && r.state == "MASTER":
			return c.Node
		case r.priority < o.priority, o.state == "MASTER":
			return c.Peer
		}
		c.plan.Add(migrate.Differs, r.line.where(), "vrrp_instance "+r.name, "write the other name into haresources if that one is to have it", "both nodes have priority %d: the group prefers %s", r.priority, c.Node)
		return c.Node
	}
	if r.state == "MASTER" {
		return c.Node
	}
	c.plan.Add(migrate.Differs, r.line.where(), "vrrp_instance "+r.name, "say --peer-file FILE with the other node's keepalived.conf to know it",
		"the state is BACKUP and the priority of %s is not known: the group is assumed to prefer %s", c.Peer, c.Peer)
	return c.Peer
}

func (c *conversion) haresources() string {
	var b strings.Builder
	b.WriteString("# Made by systole import of " + c.File + ". The same on both nodes.\n# The node that is preferred, and what moves together, in the order it starts.\n")
	for _, l := range c.merged {
		if len(l.words) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n# %s\n%s", commented(l.comment), c.preferred(l))
		for _, w := range l.words {
			b.WriteString(" " + w)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// commented is a text for a comment: it ends with its line.
func commented(text string) string {
	return strings.TrimRight(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, text), `\`)
}

// A timing is the heartbeats that are as fast as advertisements.
type timing struct {
	keepalive, deadtime, initdead time.Duration
	of                            *router
	skew                          time.Duration
}

// timing is that of the fastest virtual router: the other node takes over when
// it has heard nothing for down_timer_adverts advertisements and its skew,
// which is the longer the lower its priority.
//
// Source: RFC 3768, 6.1, for version 2 and RFC 9568, 6.1, for version 3.
func (c *conversion) timing() timing {
	r := slices.MinFunc(c.own.routers, func(a, b *router) int { return int(a.advert - b.advert) })
	priority := r.priority
	if o := c.other(r); o != nil {
		priority = min(priority, o.priority)
	}
	unit := time.Second
	if c.version(r) == 3 {
		unit = r.advert
	}
	skew := (unit*time.Duration(256-priority)/256 + time.Millisecond - 1).Truncate(time.Millisecond)
	t := timing{keepalive: r.advert, of: r, skew: skew}
	t.deadtime = time.Duration(max(r.adverts, 3))*r.advert + skew
	t.initdead = max(t.deadtime, 12*time.Second)
	return t
}

// milliseconds is a time as ha.cf has it, for Heartbeat too.
func milliseconds(d time.Duration) string {
	if d%time.Second == 0 {
		return strconv.Itoa(int(d / time.Second))
	}
	return strconv.Itoa(int(d/time.Millisecond)) + "ms"
}

// isGlobal reports whether an address is one for a host.
func isGlobal(a netip.Addr) bool { return a.IsValid() && !a.IsMulticast() && !a.IsUnspecified() }
