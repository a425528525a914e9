package srcaddr

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// everything is where a default route leads.
var everything = netip.PrefixFrom(netip.IPv4Unspecified(), 0)

// destination of a route. The library leaves that of a default route out, or
// not.
func destination(r netlink.Route) netip.Prefix {
	if r.Dst == nil {
		return everything
	}
	ip, _ := netip.AddrFromSlice(r.Dst.IP.To4())
	ones, _ := r.Dst.Mask.Size()
	return netip.PrefixFrom(ip, ones)
}

func source(r netlink.Route) netip.Addr {
	ip, _ := netip.AddrFromSlice(r.Src.To4())
	return ip
}

// routes are those of the main table, which is the one that the script changes.
func routes(h *netlink.Handle) ([]netlink.Route, error) {
	for {
		list, err := h.RouteListFiltered(netlink.FAMILY_V4, &netlink.Route{Table: unix.RT_TABLE_MAIN}, netlink.RT_FILTER_TABLE)
		if !errors.Is(err, netlink.ErrDumpInterrupted) { // the table changed meanwhile
			return list, err
		}
	}
}

// interfaceOf is the index of the interface that has an address; 0: none has.
func interfaceOf(h *netlink.Handle, ip netip.Addr) (int, error) {
	for {
		list, err := h.AddrList(nil, netlink.FAMILY_V4)
		if errors.Is(err, netlink.ErrDumpInterrupted) {
			continue
		}
		for _, a := range list {
			if got, _ := netip.AddrFromSlice(a.IP.To4()); got == ip {
				return a.LinkIndex, err
			}
		}
		return 0, err
	}
}

// concerned picks the routes that carry connections from an interface to
// elsewhere: its default route, and that of the network that the address is in,
// of which there may be none. The script changes both.
func concerned(list []netlink.Route, link int, ip netip.Addr) (picked []netlink.Route, err error) {
	var network *netlink.Route
	for i, r := range list {
		to := destination(r)
		switch {
		case r.LinkIndex != link || r.Type != unix.RTN_UNICAST:
		case to.Bits() == 0:
			picked = append(picked, r)
		case r.Gw == nil && to.Contains(ip) && (network == nil || to.Bits() > destination(*network).Bits()):
			network = &list[i]
		}
	}
	switch len(picked) {
	case 0:
		return nil, fmt.Errorf("no default route leads through the interface that has %s: there is nothing to set", ip)
	case 1:
	default:
		return nil, fmt.Errorf("%d default routes lead through the interface that has %s: which one is meant cannot be told", len(picked), ip)
	}
	if network != nil {
		picked = append([]netlink.Route{*network}, picked...)
	}
	return picked, nil
}

// A former is a route as it was before we changed it. It has what is needed to
// put it back even after the kernel has removed it, as the kernel does with
// every route whose preferred source is an address that goes.
type former struct {
	To       netip.Prefix
	Source   netip.Addr // the zero Addr: none
	Gateway  netip.Addr `json:",omitzero"`
	Link     int
	Metric   int `json:",omitempty"`
	Protocol int `json:",omitempty"`
	Scope    int `json:",omitempty"`
	MTU      int `json:",omitempty"`
	Flags    int `json:",omitempty"`
}

func formerly(r netlink.Route) former {
	gateway, _ := netip.AddrFromSlice(r.Gw.To4())
	return former{
		To: destination(r), Source: source(r), Gateway: gateway, Link: r.LinkIndex, Metric: r.Priority,
		Protocol: int(r.Protocol), Scope: int(r.Scope), MTU: r.MTU, Flags: r.Flags & unix.RTNH_F_ONLINK,
	}
}

// isOf reports whether a route is the former one, whatever its source is now.
func (f former) isOf(r netlink.Route) bool {
	return destination(r) == f.To && r.LinkIndex == f.Link && r.Priority == f.Metric
}

func (f former) route() netlink.Route {
	to := net.IPNet{IP: f.To.Addr().AsSlice(), Mask: net.CIDRMask(f.To.Bits(), 32)}
	return netlink.Route{
		Dst: &to, Src: bytesOf(f.Source), Gw: bytesOf(f.Gateway), LinkIndex: f.Link, Priority: f.Metric,
		Protocol: netlink.RouteProtocol(f.Protocol), Scope: netlink.Scope(f.Scope), MTU: f.MTU, Flags: f.Flags,
		Table: unix.RT_TABLE_MAIN, Type: unix.RTN_UNICAST,
	}
}

// bytesOf is nil for no address.
func bytesOf(ip netip.Addr) net.IP { return ip.AsSlice() }

// note is how the former routes are remembered.
func note(list []former) (string, error) {
	b, err := json.Marshal(list)
	return string(b), err
}

// readNote is the opposite. Of a note that is none of ours it remembers nothing.
func readNote(text string) (list []former) {
	if json.Unmarshal([]byte(text), &list) != nil {
		return nil
	}
	for _, f := range list {
		if !f.To.Addr().Is4() || f.Source.Is6() || f.Gateway.Is6() {
			return nil
		}
	}
	return list
}
