// Package ipaddr holds virtual addresses: the resources IPaddr, IPaddr2 and
// IPv6addr of haresources, by netlink, made known to neighbours by gratuitous
// ARP and unsolicited neighbour advertisements.
package ipaddr

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"net/netip"
	"strconv"
	"strings"

	"github.com/systole-ha/systole/resources"
)

// An Address is a virtual address as haresources asks for it, before anything
// is known about the machine.
type Address struct {
	IP        netip.Addr
	Prefix    int        // length; 0: that of the network the address is found in
	Interface string     // "": found by route
	Label     string     // IPv4 only: "eth0:web"; "": none
	Broadcast netip.Addr // IPv4 only; the zero Addr: the last address of the prefix
}

// families says which addresses a resource may have.
var families = map[string]struct{ v4, v6 bool }{
	"IPaddr":   {v4: true},
	"IPaddr2":  {v4: true, v6: true},
	"IPv6addr": {v6: true},
}

// Parse reads the argument of a resource of this package:
//
//	address[/prefix[/interface[:label][/broadcast]]]
//	address[/prefix/broadcast]
//
// The prefix is a length, or for IPv4 a mask in dotted form. A third part that
// begins with a digit is a broadcast address. An empty part is an absent one,
// and slashes at the end mean nothing.
// A Spec that is named by an IPv4 address, with no arguments, is that address.
//
// The "::" that separates arguments also occurs in IPv6 addresses; Parse puts
// them together again.
//
// Source: resource.d/IPaddr, IPaddr2 and IPv6addr of heartbeat 3.0.6.
func Parse(s resources.Spec) (Address, error) {
	text, err := argument(s)
	if err != nil {
		return Address{}, err
	}
	a, err := parse(text)
	if err != nil {
		return Address{}, err
	}
	family, named := families[s.Name]
	switch {
	case named && a.IP.Is6() && !family.v6:
		return Address{}, fmt.Errorf("%s holds no IPv6 address: write IPv6addr::%s", s.Name, text)
	case named && a.IP.Is4() && !family.v4:
		return Address{}, fmt.Errorf("%s holds no IPv4 address: write IPaddr::%s", s.Name, text)
	}
	return a, nil
}

// argument is what follows the name of the resource, in one piece.
func argument(s resources.Spec) (string, error) {
	if _, named := families[s.Name]; !named {
		if len(s.Args) == 0 && s.Name != "" && isDigit(s.Name[0]) {
			return s.Name, nil
		}
		return "", fmt.Errorf("%q is no address resource: those are IPaddr, IPaddr2 and IPv6addr", s.Name)
	}
	text := strings.Join(s.Args, "::")
	address, _, _ := strings.Cut(text, "/")
	if ip, err := netip.ParseAddr(address); len(s.Args) > 1 && (err != nil || !ip.Is6()) {
		return "", fmt.Errorf("%s takes one argument, with \"/\" between its parts%s", s.Name, rewritten(s))
	}
	if text == "" {
		return "", fmt.Errorf("%s needs an address, as in %s::192.0.2.10/24/eth0", s.Name, s.Name)
	}
	return text, nil
}

// rewritten suggests an argument with slashes in the place of "::", if there
// is one that makes sense.
func rewritten(s resources.Spec) string {
	for parts := 1; parts < len(s.Args); parts++ {
		text := strings.Join(s.Args[:parts], "::") + "/" + strings.Join(s.Args[parts:], "/")
		if _, err := parse(text); err == nil {
			return fmt.Sprintf(": did you mean %s::%s?", s.Name, text)
		}
	}
	return ""
}

func parse(text string) (Address, error) {
	parts := strings.Split(strings.TrimRight(text, "/"), "/")
	if len(parts) > 4 {
		return Address{}, fmt.Errorf("%q has %d parts, at most 4 are known: address/prefix/interface/broadcast", text, len(parts))
	}
	parts = append(parts, "", "", "")[:4] // absent parts are empty ones
	var a Address
	var err error
	if a.IP, err = parseIP(parts[0]); err != nil {
		return Address{}, err
	}
	if a.Prefix, err = parsePrefix(parts[1], a.IP); err != nil {
		return Address{}, err
	}
	if a.IP.Is4() && parts[2] != "" && isDigit(parts[2][0]) {
		if parts[3] != "" {
			return Address{}, fmt.Errorf("the interface comes before the broadcast address: did you mean %s/%s/%s/%s?", parts[0], parts[1], parts[3], parts[2])
		}
		parts[2], parts[3] = "", parts[2]
	}
	if err := a.setInterface(parts[2]); err != nil {
		return Address{}, err
	}
	if err := a.setBroadcast(parts[3]); err != nil {
		return Address{}, err
	}
	return a, a.check()
}

func parseIP(text string) (netip.Addr, error) {
	ip, err := netip.ParseAddr(text)
	switch {
	case err != nil:
		return netip.Addr{}, fmt.Errorf("%q is not an IP address", text)
	case ip.Zone() != "":
		return netip.Addr{}, fmt.Errorf("the interface of %s goes after the prefix: write %s/64/%s", text, ip.WithZone(""), ip.Zone())
	case ip.Is4In6():
		return netip.Addr{}, fmt.Errorf("%s is an IPv4 address: write %s", text, ip.Unmap())
	case ip.IsUnspecified() || ip.IsLoopback() || ip.IsMulticast() || ip == limitedBroadcast || thisNetwork.Contains(ip):
		return netip.Addr{}, fmt.Errorf("%s is not an address that clients could reach", text)
	}
	return ip, nil
}

// Addresses that RFC 6890 keeps from being the destination of a client.
var (
	limitedBroadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})
	thisNetwork      = netip.PrefixFrom(netip.AddrFrom4([4]byte{0, 0, 0, 0}), 8)
)

func parsePrefix(text string, ip netip.Addr) (int, error) {
	if text == "" {
		return 0, nil
	}
	if strings.Contains(text, ".") && ip.Is4() {
		return parseMask(text)
	}
	length, err := strconv.ParseUint(text, 10, 8)
	if err != nil || length < 1 || int(length) > ip.BitLen() {
		return 0, fmt.Errorf("%q is not a prefix length between 1 and %d", text, ip.BitLen())
	}
	return int(length), nil
}

func parseMask(text string) (int, error) {
	ip, err := netip.ParseAddr(text)
	if err != nil || !ip.Is4() {
		return 0, fmt.Errorf("%q is not a netmask", text)
	}
	bytes := ip.As4()
	mask := binary.BigEndian.Uint32(bytes[:])
	length := bits.LeadingZeros32(^mask)
	if length == 0 || mask<<length != 0 {
		return 0, fmt.Errorf("netmask %s is not ones followed by zeros: write the prefix length instead, as in /24", text)
	}
	return length, nil
}

func (a *Address) setInterface(text string) error {
	name, label, labelled := strings.Cut(text, ":")
	switch {
	case text == "":
		return nil
	case !isInterface(name):
		return fmt.Errorf("%q is not the name of an interface", name)
	case labelled && a.IP.Is6():
		return fmt.Errorf("an IPv6 address has no label: write %s instead of %s", name, text)
	case labelled && (!isInterface(text) || label == "" || strings.Contains(label, ":")):
		return fmt.Errorf("%q is not an interface, a colon and a label, of at most %d characters in all", text, interfaceLimit)
	}
	a.Interface = name
	if labelled {
		a.Label = text
	}
	return nil
}

func (a *Address) setBroadcast(text string) error {
	if text == "" {
		return nil
	}
	if a.IP.Is6() {
		return fmt.Errorf("an IPv6 address has no broadcast address such as %q", text)
	}
	ip, err := netip.ParseAddr(text)
	if err != nil || !ip.Is4() {
		return fmt.Errorf("%q is not a broadcast address", text)
	}
	a.Broadcast = ip
	return nil
}

// check finds what no part of the address shows alone.
func (a Address) check() error {
	if a.IP.Is6() && a.IP.IsLinkLocalUnicast() && a.Interface == "" {
		return fmt.Errorf("%s is known on its link only: name the interface, as in %s/64/eth0", a.IP, a.IP)
	}
	if a.IP == a.Broadcast {
		return fmt.Errorf("%s cannot be its own broadcast address", a.IP)
	}
	if a.IP.Is6() || a.Prefix == 0 || a.Prefix > 30 { // RFC 3021: a /31 has neither of the two
		return nil
	}
	switch network := netip.PrefixFrom(a.IP, a.Prefix); a.IP {
	case network.Masked().Addr():
		return fmt.Errorf("%s is the address of the network %s itself", a.IP, network)
	case lastOf(network):
		return fmt.Errorf("%s is the broadcast address of the network %s", a.IP, network.Masked())
	}
	return nil
}

// lastOf returns the last address of an IPv4 network.
func lastOf(network netip.Prefix) netip.Addr {
	bytes := network.Addr().As4()
	host := uint32(1)<<(32-network.Bits()) - 1
	binary.BigEndian.PutUint32(bytes[:], binary.BigEndian.Uint32(bytes[:])|host)
	return netip.AddrFrom4(bytes)
}

// String is the argument that Parse reads as a.
func (a Address) String() string {
	parts := []string{a.IP.String(), "", a.Interface, ""}
	if a.Prefix != 0 {
		parts[1] = strconv.Itoa(a.Prefix)
	}
	if a.Label != "" {
		parts[2] = a.Label
	}
	if a.Broadcast.IsValid() {
		parts[3] = a.Broadcast.String()
	}
	return strings.TrimRight(strings.Join(parts, "/"), "/")
}

// interfaceLimit is the longest name of an interface or a label in bytes:
// IFNAMSIZ of linux/if.h less its NUL.
const interfaceLimit = 15

// isInterface applies the kernel's own rule (dev_valid_name in net/core/dev.c)
// but for the colon, which a label has; "/" cannot occur here.
func isInterface(name string) bool {
	if name == "" || len(name) > interfaceLimit || name == "." || name == ".." {
		return false
	}
	return strings.IndexFunc(name, isSpace) < 0 && strings.IndexByte(name, 0xa0) < 0
}

// isSpace is the kernel's isspace for ASCII, and NUL.
func isSpace(r rune) bool { return strings.ContainsRune(" \t\n\v\f\r\x00", r) }

func isDigit(b byte) bool { return '0' <= b && b <= '9' }
