package ipaddr

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// A place is where on this machine an address belongs.
type place struct {
	link    link
	prefix  int
	covered bool // the link has a network that the address is in
}

// A noPlace says why the machine has no place for an address.
type noPlace string

func (e noPlace) Error() string { return string(e) }

// place finds out where an address belongs; to is the kernel's route to it. An
// interface that is not given is that of the route, as heartbeat's findif has
// it: of a network that contains the address, else of the default route. A
// prefix that is not given is that of the network, else of a single address.
//
// The kernel's route to an address that is held here ends here and tells
// nothing. Then the table is read as if the address was not held.
func (k *kernel) place(ctx context.Context, a Address, to route) (p place, err error) {
	if a.Interface != "" {
		if p.link, err = k.named(ctx, a.Interface); err != nil {
			return place{}, err
		}
		if a.Prefix != 0 && a.IP.Is4() { // what remains is of no interest
			return place{link: p.link, prefix: a.Prefix}, nil
		}
	}
	if to.isLocal() || p.link.index != 0 && to.link != p.link.index {
		if to, err = k.routeWithout(ctx, a, p.link.index); err != nil {
			return place{}, err
		}
	}
	if p.link.index == 0 {
		if p.link, err = k.linkOf(ctx, a, to); err != nil {
			return place{}, err
		}
	}
	p.covered = to.connects()
	p.prefix = a.IP.BitLen()
	if p.covered {
		p.prefix = to.network.Bits()
	}
	if a.Prefix != 0 {
		p.prefix = a.Prefix
	}
	return p, nil
}

// routeWithout is the route to an address as if it was not held.
func (k *kernel) routeWithout(ctx context.Context, a Address, link int) (route, error) {
	list, err := k.addresses(ctx, a.IP)
	if err != nil {
		return route{}, err
	}
	routes, err := k.routes(ctx, a.IP)
	if err != nil {
		return route{}, err
	}
	return longest(routes, list, a.IP, link), nil
}

// named looks up the interface that the configuration names.
func (k *kernel) named(ctx context.Context, name string) (link, error) {
	l, err := k.linkNamed(name)
	if !errors.Is(err, unix.ENODEV) {
		return l, err
	}
	return link{}, noPlace("no such interface " + name + "; " + k.inventory(ctx))
}

// linkOf looks up the interface that a route leads to.
func (k *kernel) linkOf(ctx context.Context, a Address, to route) (link, error) {
	if to.kind != unix.RTN_UNICAST {
		return link{}, noPlace(fmt.Sprintf("no route leads to %s: name its interface, as in %s/24/eth0; %s", a.IP, a.IP, k.inventory(ctx)))
	}
	return k.linkAt(to.link)
}

// inventory says which interfaces there are, at most eight by name.
func (k *kernel) inventory(ctx context.Context) string {
	links, err := k.links(ctx)
	if err != nil {
		return fmt.Sprintf("the interfaces of this machine are unknown: %v", err)
	}
	var names []string
	for _, l := range links {
		names = append(names, l.name)
	}
	slices.Sort(names)
	more := ""
	if len(names) > 8 {
		more = fmt.Sprintf(" and %d more", len(names)-8)
		names = names[:8]
	}
	return "this machine has " + strings.Join(names, ", ") + more
}
