package readiness

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/systole-ha/systole/agent/core"
	"github.com/systole-ha/systole/resources"
)

// addresses wants each address answered for by its owner alone, on the network
// that it would be used on. While the peer holds it, one machine must answer:
// if none does, our interface is not where the peer's is, and a takeover would
// bring the address to a network without clients. While we hold it, or nobody
// does, nobody else may answer.
//
// Which machine it is that answers cannot be known: the peer's hardware address
// is nowhere configured, and changes with its network card.
func (c *Checker) addresses(ctx context.Context) Verdict {
	before, err := c.snapshot(ctx)
	if err != nil {
		return not(err.Error())
	}
	asked, found, err := c.probe(ctx)
	if err != nil {
		return not(cause(err))
	}
	after, err := c.snapshot(ctx)
	if err != nil {
		return not(err.Error())
	}
	var wrong, fine []string
	for i, a := range asked {
		owner := ownerOf(before, a.group)
		if ownerOf(after, a.group) != owner {
			owner = onTheMove
		}
		if reason := owner.objects(a.spec, found[i]); reason != "" {
			wrong = append(wrong, reason)
		} else if !found[i].Asked {
			fine = add(fine, "not asked: "+found[i].Unasked)
		} else {
			fine = add(fine, "asked on "+found[i].Interface)
		}
	}
	if len(fine) == 0 {
		fine = []string{"no addresses"}
	}
	return verdict(AddressFree, wrong, fine)
}

// An address is a resource that is asked for, and its group by its key.
type address struct {
	spec  resources.Spec
	group string
}

// probe asks for all addresses at once, driver by driver.
func (c *Checker) probe(ctx context.Context) (asked []address, found []resources.Probe, err error) {
	var prober resources.Prober
	var specs []resources.Spec
	for _, g := range c.cfg.Groups {
		for _, r := range g.Resources {
			if p, ok := c.cfg.Driver(r.Spec).(resources.Prober); ok {
				prober = p // there is one driver of addresses
				specs = append(specs, r.Spec)
				asked = append(asked, address{r.Spec, g.Key()})
			}
		}
	}
	if prober == nil {
		return nil, nil, nil
	}
	found, err = prober.Probe(ctx, specs)
	return asked, found, err
}

// An owner is who holds a group, as far as that can be said.
type owner struct {
	kind ownership
	name string
}

type ownership int

const (
	moving ownership = iota
	ours
	peers
	nobodys
)

var onTheMove = owner{}

// claimTime is how long a 3.0.6 node may take to start what it claims: it says
// that it holds a group before it begins.
const claimTime = time.Minute

// ownerOf reads the owner of a group. While it starts or stops somewhere, or
// two nodes claim it, there is none to be named.
func ownerOf(s core.Snapshot, group string) owner {
	for _, g := range s.Takeover.Groups {
		if g.Key != group {
			continue
		}
		switch {
		case g.Holder == s.Self:
			return owner{ours, s.Self}
		case !s.Takeover.Stable, g.State != "stopped" && g.State != "failed", strings.Contains(g.Holder, " "):
			return onTheMove
		case !g.Claimed.IsZero() && s.Now.Sub(g.Claimed) < claimTime:
			return onTheMove
		case g.Holder != "":
			return owner{peers, g.Holder}
		case anyPresent(s) && !(s.Takeover.Peer.Told && s.Takeover.Peer.Stable):
			return onTheMove
		}
		return owner{nobodys, ""}
	}
	return onTheMove
}

// objects says what is wrong with the answers; "" for nothing. What this
// machine has counts as its own, whatever is known of the group: a stop that
// failed leaves addresses behind.
func (o owner) objects(s resources.Spec, p resources.Probe) string {
	others := strings.Join(p.Others, ", ")
	switch {
	case !p.Asked:
		return ""
	case (p.Held || o.kind == ours) && len(p.Others) > 0:
		return fmt.Sprintf("%s is held here, but %s answers for it, too", s, others)
	case p.Held, o.kind == ours, o.kind == moving:
		return ""
	case o.kind == nobodys && len(p.Others) > 0:
		return fmt.Sprintf("nobody holds %s, but %s answers for it", s, others)
	case o.kind == peers && len(p.Others) == 0:
		return fmt.Sprintf("%s holds %s, but nobody answers for it on %s", o.name, s, p.Interface)
	case o.kind == peers && len(p.Others) > 1:
		return fmt.Sprintf("%s holds %s, but %d answer for it: %s", o.name, s, len(p.Others), others)
	}
	return ""
}
