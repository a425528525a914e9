package lab

import (
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"slices"
)

// A Network is one of the two networks between the nodes, or the serial line.
type Network int

const (
	Service Network = iota // eth0 of every node and of the client
	Private                // eth1 of every node
	Serial                 // the serial line between the first two nodes, see WithSerial
)

// Device is the name of a node's interface on the network.
func (n Network) Device() string {
	if n == Serial {
		return "serial"
	}
	return fmt.Sprintf("eth%d", int(n))
}

func (n Network) String() string { return n.Device() }

// networks are those made of Ethernet, with their prefixes: documentation
// addresses of RFC 5737 and RFC 3849.
var networks = []struct{ v4, v6 netip.Prefix }{
	Service: {netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/64")},
	Private: {netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("2001:db8:1::/64")},
}

// greek are the names of nodes in the order in which they get addresses.
var greek = []string{"alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta"}

// clientHost is the last part of the client's addresses. Nodes count from 1.
const clientHost = 100

// prefixes gives the addresses of a host on a network, IPv4 then IPv6:
// 192.0.2.1/24 and 2001:db8::1/64 for host 1.
func (n Network) prefixes(host int) []netip.Prefix {
	v4 := networks[n].v4.Addr().As4()
	v4[3] = byte(host)
	// The decimal digits are kept in IPv6, 2001:db8::100 for host 100, so that
	// people recognise the host.
	v6 := networks[n].v6.Addr().As16()
	v6[14], v6[15] = byte(host/100%10), byte(host/10%10<<4|host%10)
	return []netip.Prefix{
		netip.PrefixFrom(netip.AddrFrom4(v4), networks[n].v4.Bits()),
		netip.PrefixFrom(netip.AddrFrom16(v6), networks[n].v6.Bits()),
	}
}

// hardware gives the Ethernet address of a host on a network: locally
// administered, and the same after every boot, as a real card's is.
func (n Network) hardware(host int) net.HardwareAddr {
	return net.HardwareAddr{0x02, 0x73, 0x79, 0x73, byte(n), byte(host)}
}

// port is the switch's end of a host's cable, at most the 15 characters of an
// interface name with the "d" of a delayed cable's end.
func (n Network) port(host string) string { return fmt.Sprintf("%s.%d", host, int(n)) }

// Names that the lab's own parts have are refused, and such as would not fit
// into the name of an interface.
var nodeName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,11}$`)

func checkNames(names []string) error {
	if len(names) == 0 || len(names) >= clientHost {
		return fmt.Errorf("%d nodes: want 1 to %d", len(names), clientHost-1)
	}
	for i, name := range names {
		if !nodeName.MatchString(name) || name == "client" || name == "switch" {
			return fmt.Errorf("node name %q: want up to 12 of a-z, 0-9 and -, and neither client nor switch", name)
		}
		if slices.Contains(names[:i], name) {
			return fmt.Errorf("node name %q: used twice", name)
		}
	}
	return nil
}

// ParseNetwork reads the name of a device: eth0, eth1 or serial.
func ParseNetwork(word string) (Network, error) {
	for _, n := range []Network{Service, Private, Serial} {
		if n.Device() == word {
			return n, nil
		}
	}
	return 0, fmt.Errorf("network %q: want eth0, eth1 or serial", word)
}
