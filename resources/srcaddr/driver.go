// Package srcaddr has outgoing connections come from a virtual address: the
// resource IPsrcaddr of haresources, by netlink.
package srcaddr

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/systole-ha/systole/resources"
	"github.com/systole-ha/systole/resources/mark"
)

// A Driver sets the preferred source address of the default route, and of the
// network that the address is in, and puts back at the stop what was there
// before.
type Driver struct{ marks mark.Marks }

var (
	_ resources.Driver  = (*Driver)(nil)
	_ resources.Checker = (*Driver)(nil)
	_ resources.Parser  = (*Driver)(nil)
)

// New returns a Driver that remembers by these marks what it has changed.
func New(marks mark.Marks) *Driver { return &Driver{marks: marks} }

// Parse reads the argument of an IPsrcaddr, an IPv4 address.
//
// Source: resource.d/IPsrcaddr of heartbeat 3.0.6.
func Parse(s resources.Spec) (netip.Addr, error) {
	if len(s.Args) != 1 {
		return netip.Addr{}, fmt.Errorf("%s takes one argument, an address, as in %s::192.0.2.10", s.Name, s.Name)
	}
	ip, err := netip.ParseAddr(s.Args[0])
	switch {
	case err != nil:
		if p, err := netip.ParsePrefix(s.Args[0]); err == nil {
			return netip.Addr{}, fmt.Errorf("%s takes an address without a prefix: write %s::%s", s.Name, s.Name, p.Addr())
		}
		return netip.Addr{}, fmt.Errorf("%q is not an address, as in 192.0.2.10", s.Args[0])
	case !ip.Is4():
		return netip.Addr{}, fmt.Errorf("%s sets no IPv6 address: the source of IPv6 connections is chosen by other rules (RFC 6724)", s.Name)
	case ip.IsLoopback() || ip.IsUnspecified() || ip.IsMulticast():
		return netip.Addr{}, fmt.Errorf("%s cannot be the source of a connection to another machine", ip)
	}
	return ip, nil
}

// Start sets the address as the source. This node must have it already.
func (d *Driver) Start(ctx context.Context, s resources.Spec) error {
	return d.do(ctx, "start", s, func(h *netlink.Handle, ip netip.Addr) error {
		link, err := interfaceOf(h, ip)
		if err != nil {
			return err
		}
		if link == 0 {
			return fmt.Errorf("this node does not have %s: its address resource belongs to the left of %s", ip, s)
		}
		list, err := routes(h)
		if err != nil {
			return err
		}
		picked, err := concerned(list, link, ip)
		if err != nil {
			return err
		}
		if err := d.remember(s, ip, picked); err != nil {
			return err
		}
		for _, r := range picked {
			if source(r) == ip {
				continue
			}
			r.Src = ip.AsSlice()
			if err := h.RouteReplace(&r); err != nil {
				return fmt.Errorf("set the source of the route to %s: %w", destination(r), err)
			}
		}
		return nil
	})
}

// remember notes the routes as they are before they are changed, unless an
// earlier start has.
func (d *Driver) remember(s resources.Spec, ip netip.Addr, picked []netlink.Route) error {
	if _, started, err := d.marks.Get(s); err != nil || started {
		return err
	}
	var before []former
	for _, r := range picked {
		f := formerly(r)
		if f.Source == ip {
			f.Source = netip.Addr{} // by whom is not known; the kernel chooses
		}
		before = append(before, f)
	}
	text, err := note(before)
	if err != nil {
		return err
	}
	return d.marks.Set(s, text)
}

// Stop puts the routes back that still have the address as their source, and
// those that are gone with it. A route that somebody else has changed since is
// left alone.
func (d *Driver) Stop(ctx context.Context, s resources.Spec) error {
	return d.do(ctx, "stop", s, func(h *netlink.Handle, ip netip.Addr) error {
		text, _, err := d.marks.Get(s)
		if err != nil {
			return err
		}
		list, err := routes(h)
		if err != nil {
			return err
		}
		before := readNote(text)
		for _, f := range before {
			if err := putBack(h, list, f, ip); err != nil {
				return err
			}
		}
		if err := forget(h, list, before, ip); err != nil {
			return err
		}
		return d.marks.Clear(s)
	})
}

// putBack restores one route. The source it had may be gone, too.
func putBack(h *netlink.Handle, list []netlink.Route, f former, ip netip.Addr) error {
	r := f.route()
	for _, now := range list {
		if f.isOf(now) && source(now) != ip {
			return nil
		} else if f.isOf(now) {
			r = now
			r.Src = bytesOf(f.Source)
		}
	}
	err := h.RouteReplace(&r)
	if errors.Is(err, unix.EINVAL) && r.Src != nil {
		r.Src = nil
		err = h.RouteReplace(&r)
	}
	switch {
	case errors.Is(err, unix.ENETDOWN), errors.Is(err, unix.ENODEV), errors.Is(err, unix.ENETUNREACH):
		return nil // its interface, or what it leads through, is gone, and it with that
	case err != nil:
		return fmt.Errorf("put back the route to %s: %w", f.To, err)
	}
	return nil
}

// forget lets the kernel choose the source of default routes that have the
// address without a note of ours.
func forget(h *netlink.Handle, list []netlink.Route, before []former, ip netip.Addr) error {
	for _, r := range list {
		known := false
		for _, f := range before {
			known = known || f.isOf(r)
		}
		if known || source(r) != ip || destination(r).Bits() > 0 {
			continue
		}
		r.Src = nil
		if err := h.RouteReplace(&r); err != nil {
			return fmt.Errorf("put back the default route: %w", err)
		}
	}
	return nil
}

// Status reports Running while a default route has the address as its source;
// Failed if that was so once and the route is gone.
func (d *Driver) Status(ctx context.Context, s resources.Spec) (status resources.Status, err error) {
	err = d.do(ctx, "status", s, func(h *netlink.Handle, ip netip.Addr) error {
		list, err := routes(h)
		if err != nil {
			return err
		}
		defaults := 0
		for _, r := range list {
			if destination(r).Bits() > 0 {
				continue
			}
			if defaults++; source(r) == ip {
				status = resources.Running
				return nil
			}
		}
		status = resources.Stopped
		if marked, err := d.marks.Status(s); err != nil || marked == resources.Running && defaults == 0 {
			status = resources.Failed
			return err
		}
		return nil
	})
	if err != nil {
		status = resources.Unknown
	}
	return status, err
}

// Parse judges the argument.
func (d *Driver) Parse(s resources.Spec) error {
	_, err := Parse(s)
	return err
}

// Check judges the argument, and whether there is a default route to set it on.
func (d *Driver) Check(ctx context.Context, s resources.Spec) []resources.Finding {
	if err := d.Parse(s); err != nil {
		return []resources.Finding{{Fatal: true, Text: err.Error()}}
	}
	var list []netlink.Route
	err := d.do(ctx, "check", s, func(h *netlink.Handle, _ netip.Addr) (err error) {
		list, err = routes(h)
		return err
	})
	if err != nil {
		return []resources.Finding{{Unknown: true, Text: fmt.Sprintf("the routes could not be examined: %v", err)}}
	}
	for _, r := range list {
		if destination(r).Bits() == 0 {
			return nil
		}
	}
	return []resources.Finding{{Fatal: true, Text: "this machine has no default route to set the source address on"}}
}

func (d *Driver) do(ctx context.Context, op string, s resources.Spec, fn func(*netlink.Handle, netip.Addr) error) error {
	ip, err := Parse(s)
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		err = withHandle(func(h *netlink.Handle) error { return fn(h, ip) })
	}
	if err != nil {
		return &resources.Error{Op: op, Spec: s, Err: err}
	}
	return nil
}

// withHandle opens a socket for one operation. The kernel answers at once.
func withHandle(fn func(*netlink.Handle) error) error {
	h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("open netlink socket: %w", err)
	}
	defer h.Close()
	return fn(h)
}
