package config

import (
	"net/netip"
	"strconv"
	"strings"
)

// defaultBaud is heartbeat's.
const defaultBaud = 19200

// bauds are the speeds heartbeat knows.
var bauds = []string{"9600", "19200", "38400", "57600", "115200", "230400", "460800"}

// addBcast makes a link of one word of bcast.
func (h *haCf) addBcast(device string) *problem {
	broadcast, p := h.checkInterface(device)
	if p != nil {
		return p
	}
	p = h.addLink(Link{Kind: Bcast, Device: device, Port: h.portOf(Bcast), Address: broadcast})
	if p == nil && h.member && h.host.Interface != nil && !broadcast.IsValid() {
		return odd("", "%s has no IPv4 broadcast address: nothing can be sent there until it has one", printable(device))
	}
	return p
}

// addSerial makes a link of one word of serial.
func (h *haCf) addSerial(path string) *problem {
	if path[0] != '/' {
		return bad("write its whole path, such as /dev/ttyS0", "%s is no path", printable(path))
	}
	if h.member && h.host.Serial != nil {
		if err := h.host.Serial(path); err != nil {
			return bad("", "no serial port %s: %s", printable(path), cause(err))
		}
	}
	return h.addLink(Link{Kind: Serial, Device: path, Baud: h.baud})
}

// addUcast makes a link of a line of ucast or ucast6: device and peer.
func (h *haCf) addUcast(kind Kind, args []string) *problem {
	if p := arguments(args, "device", "peer's address"); p != nil {
		return p
	}
	if _, p := h.checkInterface(args[0]); p != nil {
		return p
	}
	peer, p := h.address(args[1], kind == Ucast6)
	if p != nil {
		return p
	}
	if peer.IsMulticast() || peer.IsUnspecified() || kind == Ucast6 && peer.IsLoopback() {
		return bad("", "%s is not the address of a node", peer)
	}
	local := h.host.Local != nil && peer.IsValid() && h.host.Local(peer)
	return h.addLink(Link{Kind: kind, Device: args[0], Port: h.portOf(kind), Target: args[1], Address: peer, Local: local})
}

// addMcast makes a link of a line of mcast or mcast6: device, group, port, ttl
// and loop. udpport does not matter to it.
func (h *haCf) addMcast(kind Kind, args []string) *problem {
	if p := arguments(args, "device", "group", "port", "ttl", "loop"); p != nil {
		return p
	}
	if _, p := h.checkInterface(args[0]); p != nil {
		return p
	}
	group, err := netip.ParseAddr(args[1])
	if err != nil || !group.IsMulticast() || group.Zone() != "" || group.Is6() != (kind == Mcast6) {
		example := map[Kind]string{Mcast: "such as 225.0.0.1", Mcast6: "such as ff12::1:2:3:4"}[kind]
		return bad(example, "%s is no multicast group for %s", printable(args[1]), kind)
	}
	port, p := parseNumber("port", args[2], 1, 65535)
	if p != nil {
		return p
	}
	ttl, p := parseNumber("ttl", args[3], 0, 4)
	if p != nil {
		p.hint = "1 stays on the network it is sent to"
		return p
	}
	loop, p := parseNumber("loop", args[4], 0, 1)
	if p != nil {
		return p
	}
	return h.addLink(Link{Kind: kind, Device: args[0], Port: uint16(port), Group: group, TTL: ttl, Loop: loop == 1})
}

// addLink keeps a link.
func (h *haCf) addLink(l Link) *problem {
	switch {
	case len(h.cfg.Links) >= maxLinks:
		return bad("", "more than %d links", maxLinks)
	case !visible(l.Device):
		return bad("", "%s has a character in it that cannot be shown", printable(l.Device))
	}
	l.Name, l.Line = l.Device, h.line
	h.cfg.Links = append(h.cfg.Links, l)
	return nil
}

// addPing makes a ping node of one word of ping or ping6.
func (h *haCf) addPing(name string, ipv6 bool) *problem {
	if _, p := h.address(name, ipv6); p != nil {
		return p
	}
	return h.keepPing(Ping{Name: strings.ToLower(name), Targets: []string{name}, IPv6: ipv6})
}

// addPingGroup makes a ping node of a line of ping_group: name and addresses.
func (h *haCf) addPingGroup(args []string) *problem {
	if p := arguments(args[:min(len(args), 2)], "name", "address"); p != nil {
		return p
	}
	group := Ping{Name: strings.ToLower(args[0]), Group: true}
	for _, a := range args[1:] {
		if _, p := h.address(a, false); p != nil {
			return p
		}
		group.Targets = append(group.Targets, a)
	}
	return h.keepPing(group)
}

// keepPing keeps a ping node, which must have a name of its own.
func (h *haCf) keepPing(p Ping) *problem {
	if before := h.pingLine(p.Name); before != 0 {
		return odd("", "%s is pinged already, by line %d", printable(p.Name), before)
	}
	if pr := h.newName(p.Name); pr != nil {
		return pr
	}
	p.Line = h.line
	h.cfg.Pings = append(h.cfg.Pings, p)
	return nil
}

// pingLine is the line of a ping node, or 0 if there is none of that name.
func (h *haCf) pingLine(name string) int {
	for _, p := range h.cfg.Pings {
		if p.Name == name {
			return p.Line
		}
	}
	return 0
}

// portOf is the port for a new link. Heartbeat reads udpport when it meets the
// first link of a kind and never again for that kind.
func (h *haCf) portOf(kind Kind) uint16 {
	for _, l := range h.cfg.Links {
		if l.Kind == kind {
			return l.Port
		}
	}
	return h.cfg.UDPPort
}

// checkInterface asks the machine for an interface, if this machine is a
// member of the cluster: those of another prove nothing.
func (h *haCf) checkInterface(device string) (broadcast netip.Addr, p *problem) {
	if !h.member || h.host.Interface == nil {
		return netip.Addr{}, nil
	}
	broadcast, err := h.host.Interface(device)
	if err != nil {
		return netip.Addr{}, bad("see ip link", "there is no network interface %s on this node", printable(device))
	}
	return broadcast, nil
}

// address reads an address, or looks a name up where this machine can be
// asked; where it cannot, a name gives the zero Addr.
func (h *haCf) address(s string, ipv6 bool) (netip.Addr, *problem) {
	family, network := "IPv4", "ip4"
	if ipv6 {
		family, network = "IPv6", "ip6"
	}
	address, err := netip.ParseAddr(s)
	switch {
	case !visible(s):
		return netip.Addr{}, bad("", "%s is neither an address nor a name", printable(s))
	case err != nil && (!h.member || h.host.Resolve == nil):
		return netip.Addr{}, nil
	case err != nil:
		address, err = h.host.Resolve(network, s)
	}
	if err != nil {
		return netip.Addr{}, bad("", "%s is no address and no name that is known here", printable(s))
	}
	if address.Is6() != ipv6 {
		return netip.Addr{}, bad("", "%s is no %s address", printable(s), family)
	}
	return address, nil
}

// arguments checks that every argument of a whole-line directive is there. More
// than there are names are ignored, as heartbeat does.
func arguments(args []string, names ...string) *problem {
	if len(args) >= len(names) {
		return nil
	}
	return bad("", "the %s is missing (argument %s of %d)", names[len(args)], strconv.Itoa(len(args)+1), len(names))
}
