package main

import (
	"fmt"
	"strings"

	"github.com/systole-ha/systole/agent/config"
	"github.com/systole-ha/systole/agent/permission"
)

// permission says which evidence lets a node hold addresses, and who is asked.
func (p *plan) permission() {
	origin := p.c.Origin("permission")
	if origin == "" {
		origin = p.c.Origin("arbiter")
	}
	if origin == "" {
		origin = "default without arbiters"
	}
	p.row("permission", string(p.c.Permission), origin)
	for _, a := range p.c.Arbiters {
		p.row("arbiter", a.Kind+" at "+strings.Join(a.Addresses, " "), a.Origin)
	}
}

// whenCut is what the two nodes will do when no link carries anything between
// them, in one sentence.
func whenCut(c *config.Config) string {
	if c.Fencing.Enabled() {
		return whenCutAndFenced(c)
	}
	switch c.Permission {
	case permission.Peer:
		return fmt.Sprintf("both nodes give up everything within %s, and nobody serves until a link is back; nor does anybody when one node dies.", config.Human(c.Deadtime))
	case permission.Ping:
		return "a node that reaches no ping node gives up everything, and where both reach one, both run everything."
	case permission.Arbiter, permission.Quorum:
		who := "the arbiter"
		if c.Permission == permission.Quorum {
			who = fmt.Sprintf("%d of the %d arbiters", len(c.Arbiters)/2+1, len(c.Arbiters))
		}
		s := fmt.Sprintf("the node that wins the vote of %s, which is the one that serves where it can ask, goes on and takes the rest; the other gives up everything within %s; if neither can ask, nobody serves.",
			who, config.Human(c.Deadtime))
		if c.Lease() == 0 {
			s += " A node that stands still just then keeps its addresses beside it: there are no leases."
		}
		return s
	}
	return "both nodes run everything, each with every address, until they hear each other again; an arbiter or fencing would prevent it."
}
