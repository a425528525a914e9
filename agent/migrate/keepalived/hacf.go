package keepalived

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/systole-ha/systole/agent/config"
	"github.com/systole-ha/systole/agent/migrate"
)

// A link is a line of ha.cf.
type link struct{ text, comment string }

// links are the ways on which VRRP was spoken: to the two addresses where it
// went from one to the other, by broadcast where it went to a group. VRRP's own
// group is for VRRP, and another group may be kept back by a switch.
func (c *conversion) links() (links []link) {
	for _, r := range c.own.routers {
		device := c.deviceOf(r)
		from := fmt.Sprintf("%s, %s", r.name, r.line.where())
		if len(r.peers) == 0 {
			links = append(links, link{c.group(r, device), from})
			continue
		}
		for _, a := range []netip.Addr{c.source(r, device), r.peers[0]} {
			if !isGlobal(a) {
				continue // it was said
			}
			word := "ucast"
			if a.Is6() {
				word = "ucast6"
			}
			links = append(links, link{fmt.Sprintf("%s %s %s", word, device, a), from})
		}
	}
	seen := map[string]bool{}
	return slices.DeleteFunc(links, func(l link) bool {
		twice := seen[l.text]
		seen[l.text] = true
		return twice
	})
}

// group is the link to everybody on a network. Where only IPv6 is spoken there
// is no broadcast.
func (c *conversion) group(r *router, device string) string {
	for _, other := range c.own.routers {
		if c.deviceOf(other) == device && !(len(other.addresses) > 0 && other.addresses[0].prefix.Addr().Is6()) {
			return "bcast " + device
		}
	}
	return fmt.Sprintf("mcast6 %s ff12::%x 694 1 0", device, 0x694)
}

// source is this node's own address for its peers: as the file says, or as the
// interface has it.
func (c *conversion) source(r *router, device string) netip.Addr {
	if isGlobal(r.source) {
		return r.source
	}
	if o := c.other(r); o != nil && len(o.peers) == 1 {
		return o.peers[0]
	}
	if c.Address != nil && r.peers[0].Is4() {
		if a, ok := c.Address(device); ok {
			return a
		}
	}
	c.plan.Add(migrate.Blocks, r.line.where(), "unicast_peer", "write unicast_src_ip into "+r.name,
		"the address of this node on %s is not known, and ha.cf, the same on both nodes, has those of both", visible(device))
	return netip.Addr{}
}

// haCf is the text of ha.cf.
func (c *conversion) haCf(links []link) string {
	t := c.timing()
	var b strings.Builder
	say := func(directive, comment string, args ...any) {
		fmt.Fprintf(&b, "%-28s # %s\n", directive, commented(fmt.Sprintf(comment, args...)))
	}
	b.WriteString("# Made by systole import of " + c.File + ". The same on both nodes.\n\n")
	fmt.Fprintf(&b, "node %s %s\n", c.Node, c.Peer)
	for _, l := range links {
		say(l.text, "%s", l.comment)
	}
	b.WriteString("\n")
	say("keepalive "+milliseconds(t.keepalive), "advert_int of %s, %s", t.of.name, t.of.line.where())
	say("deadtime "+milliseconds(t.deadtime), "%d advertisements, and %s of skew", int((t.deadtime-t.skew)/t.keepalive), config.Human(t.skew))
	say("initdead "+milliseconds(t.initdead), "what a node that boots alone waits before it takes everything")
	failback, why := c.failback()
	say("auto_failback "+failback, "%s", why)
	for _, p := range c.pings {
		word := "ping"
		if p.Is6() {
			word = "ping6"
		}
		say(word+" "+p.String(), "from a script that pings it")
	}
	c.timers(t)
	return b.String()
}

// failback is whether addresses return to a node that comes back: nopreempt
// keeps a node from taking them, unless its state at the beginning is MASTER.
func (c *conversion) failback() (word, why string) {
	var keep, take []string
	for _, r := range c.own.routers {
		decides := r
		if o := c.other(r); o != nil && c.Peer != "" && c.prefers(r) == c.Peer {
			decides = o
		}
		if decides.nopreempt && decides.state != "MASTER" {
			keep = append(keep, r.name)
			continue
		}
		take = append(take, r.name)
		if decides.nopreempt {
			c.plan.Add(migrate.Differs, r.line.where(), "nopreempt", "", "keepalived ignores it, because the state is MASTER: auto_failback on")
		}
		if decides.delay != "" {
			c.plan.Add(migrate.Lost, r.line.where(), "preempt_delay "+visible(decides.delay), "write auto_failback off, and move back by hb_standby when you want it", "groups return at once when their node is back")
		}
	}
	switch {
	case len(take) == 0:
		return "off", "nopreempt"
	case len(keep) > 0:
		c.plan.Add(migrate.Differs, "", "nopreempt", "write auto_failback off if more depends on those", "is for %s only, and auto_failback is for all groups: on", strings.Join(keep, ", "))
	}
	return "on", "no nopreempt"
}

// timers says what the timers mean.
func (c *conversion) timers(t timing) {
	c.plan.Row("takeover after", "%s of silence: %s, and %s of skew", config.Human(t.deadtime), config.Human(t.deadtime-t.skew), config.Human(t.skew))
	for _, r := range c.own.routers {
		if r.advert != t.keepalive {
			c.plan.Add(migrate.Differs, r.line.where(), "advert_int", "", "%s had an advertisement every %s; all groups go by the fastest, %s", r.name, config.Human(r.advert), config.Human(t.keepalive))
		}
	}
	c.plan.Add(migrate.Differs, "", "initdead", "", "a node that starts and hears nobody takes everything after %s; with keepalived after %s", config.Human(t.initdead), config.Human(t.deadtime))
	if t.keepalive < 20*time.Millisecond {
		c.plan.Add(migrate.Differs, t.of.line.where(), "advert_int", "", "a heartbeat every %s is more than most machines keep up under load", config.Human(t.keepalive))
	}
}
