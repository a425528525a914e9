package portblock

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/systole-ha/systole/resources"
	"golang.org/x/sys/unix"
)

// A Block is what a portblock is about: packets of a protocol to some ports.
type Block struct {
	Protocol byte // unix.IPPROTO_TCP or unix.IPPROTO_UDP
	Ports    []Ports
	To       netip.Prefix // the zero Prefix: any address of this node
	Unblocks bool         // it lets them in while it runs, and shuts them out when it is stopped
}

// Ports are those from First to Last, both of them included.
type Ports struct{ First, Last uint16 }

func (p Ports) String() string {
	if p.First == p.Last {
		return strconv.Itoa(int(p.First))
	}
	return fmt.Sprintf("%d:%d", p.First, p.Last)
}

// protocols are those that have ports, as the script names them.
var protocols = map[string]byte{"tcp": unix.IPPROTO_TCP, "udp": unix.IPPROTO_UDP}

const form = "tcp or udp, ports, and block or unblock, as in portblock::tcp::80,443::block"

// Parse reads the arguments of a portblock:
//
//	protocol::port[:last][,port[:last]]…::block|unblock[::address[/length]]
//
// Source: resource.d/portblock of heartbeat 3.0.6. The address is none of its
// arguments, but one of the agent in resource-agents that it calls.
func Parse(s resources.Spec) (b Block, err error) {
	if len(s.Args) < 3 || len(s.Args) > 4 {
		return b, fmt.Errorf("%s takes %s", s.Name, form)
	}
	var known bool
	if b.Protocol, known = protocols[s.Args[0]]; !known {
		return Block{}, fmt.Errorf("%q is not a protocol: %s takes %s", s.Args[0], s.Name, form)
	}
	if b.Ports, err = parsePorts(s.Args[1]); err != nil {
		return Block{}, err
	}
	switch s.Args[2] {
	case "block":
	case "unblock":
		b.Unblocks = true
	default:
		return Block{}, fmt.Errorf("%q is not block or unblock: %s takes %s", s.Args[2], s.Name, form)
	}
	if len(s.Args) > 3 {
		if b.To, err = parseAddress(s.Args[3]); err != nil {
			return Block{}, err
		}
	}
	return b, nil
}

func parsePorts(text string) (list []Ports, err error) {
	for part := range strings.SplitSeq(text, ",") {
		first, last, isRange := strings.Cut(part, ":")
		var p Ports
		if p.First, err = parsePort(first); err != nil {
			return nil, err
		}
		p.Last = p.First
		if isRange {
			if p.Last, err = parsePort(last); err != nil {
				return nil, err
			}
		}
		if p.Last < p.First {
			return nil, fmt.Errorf("the ports %s end before they begin: write %s:%s", part, last, first)
		}
		list = append(list, p)
	}
	return list, nil
}

func parsePort(text string) (uint16, error) {
	number, err := strconv.ParseUint(text, 10, 16)
	if err != nil || number == 0 {
		return 0, fmt.Errorf("%q is not a port between 1 and 65535: write ports as in 80 or 137:139 or 80,443", text)
	}
	return uint16(number), nil
}

func parseAddress(text string) (netip.Prefix, error) {
	if p, err := netip.ParsePrefix(text); err == nil {
		if p.Bits() == 0 {
			return netip.Prefix{}, nil // any, as the agent's default of 0.0.0.0/0
		}
		return p.Masked(), nil
	}
	ip, err := netip.ParseAddr(text)
	if err != nil || ip.Zone() != "" || ip.Is4In6() {
		return netip.Prefix{}, fmt.Errorf("%q is not an address, as in 192.0.2.10", text)
	}
	return netip.PrefixFrom(ip, ip.BitLen()), nil
}
