package lab

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/vishvananda/netlink"
)

// Start starts a unit and returns when systemd calls it started. An error has
// the last lines of the unit's journal.
func (n *Node) Start(ctx context.Context, unit string) error {
	return n.unit(ctx, "start", unit)
}

// Stop stops a unit and returns when it has stopped.
func (n *Node) Stop(ctx context.Context, unit string) error {
	return n.unit(ctx, "stop", unit)
}

// Signal sends a signal, such as KILL or STOP, to all processes of a unit.
func (n *Node) Signal(ctx context.Context, unit, signal string) error {
	_, err := n.Run(ctx, "systemctl", "kill", "--kill-whom=all", "--signal="+signal, unit)
	return err
}

func (n *Node) unit(ctx context.Context, verb, unit string) error {
	_, err := n.Run(ctx, "systemctl", verb, unit)
	if err == nil || ctx.Err() != nil {
		return err
	}
	journal, journalErr := n.Journal(ctx, unit)
	return errors.Join(fmt.Errorf("%w; its journal:\n%s", err, tail(journal, 20)), journalErr)
}

// Journal is what a unit has logged, since the disk was new; of all units if
// none is named.
func (n *Node) Journal(ctx context.Context, units ...string) (string, error) {
	args := []string{"--no-pager", "--quiet", "--output=short-precise"}
	for _, unit := range units {
		args = append(args, "--unit="+unit)
	}
	return n.Run(ctx, "journalctl", args...)
}

// Reload has systemd read its units again, after Install or WriteFile.
func (n *Node) Reload(ctx context.Context) error {
	_, err := n.Run(ctx, "systemctl", "daemon-reload")
	return err
}

// An Address is one of a node's, as its kernel lists it.
type Address struct {
	Device string
	Prefix netip.Prefix
}

// Addresses are all of the node's, loopback and link-local ones included.
func (n *Node) Addresses() ([]Address, error) {
	c := n.running()
	if c == nil {
		return nil, fmt.Errorf("addresses of %s: it is off", n.name)
	}
	var all []Address
	err := c.space.Do(func() error {
		links, err := netlink.LinkList()
		if err != nil {
			return err
		}
		for _, link := range links {
			list, err := netlink.AddrList(link, netlink.FAMILY_ALL)
			if err != nil {
				return err
			}
			for _, a := range list {
				address, _ := netip.AddrFromSlice(a.IP)
				bits, _ := a.Mask.Size()
				all = append(all, Address{link.Attrs().Name, netip.PrefixFrom(address.Unmap(), bits)})
			}
		}
		return nil
	})
	return all, err
}

// Holds says whether the node has the address on any device.
func (n *Node) Holds(address netip.Addr) (bool, error) {
	all, err := n.Addresses()
	for _, a := range all {
		if a.Prefix.Addr() == address {
			return true, nil
		}
	}
	return false, err
}

// Host is the node's own address on a network, the IPv4 one.
func (n *Node) Host(network Network) netip.Addr { return network.prefixes(n.host)[0].Addr() }

// Host6 is the node's own IPv6 address on a network.
func (n *Node) Host6(network Network) netip.Addr { return network.prefixes(n.host)[1].Addr() }

// Active says whether a unit is active, which systemctl calls its state.
func (n *Node) Active(ctx context.Context, unit string) bool {
	out, err := n.Run(ctx, "systemctl", "is-active", unit)
	return err == nil && strings.TrimSpace(out) == "active"
}
