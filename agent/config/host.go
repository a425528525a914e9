package config

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"
)

// A Host answers what a configuration asks of the machine it is to run on. What
// a function that is nil would have judged is accepted. A machine that is no
// member of the cluster is asked nothing but its name.
type Host struct {
	Name string // uname -n; heartbeat's nodeinfo file, where there is one, overrides it

	// Interface returns the IPv4 broadcast address of an interface, the zero
	// Addr if the interface has none, or an error if there is no such
	// interface.
	Interface func(device string) (broadcast netip.Addr, err error)
	// Serial returns an error if there is no such character device.
	Serial func(path string) error
	// Resolve looks a name up; network is "ip4" or "ip6". It need not
	// understand addresses.
	Resolve func(network, name string) (netip.Addr, error)
	// Local reports whether the address is one of this machine.
	Local func(netip.Addr) bool
}

// resolveTimeout bounds one look-up of a name, in a daemon that is to start
// even where its name server does not answer: the 5 s that resolv.conf(5)
// gives one try.
const resolveTimeout = 5 * time.Second

// ThisHost is the machine the program runs on.
func ThisHost() (Host, error) {
	name, err := os.Hostname()
	if err != nil {
		return Host{}, fmt.Errorf("uname -n: %w", err)
	}
	return Host{
		Name:      name,
		Interface: broadcastAddress,
		Serial:    characterDevice,
		Resolve:   resolve,
		Local:     isLocal,
	}, nil
}

// broadcastAddress computes the address from the interface's first IPv4 prefix,
// as RFC 919 does; an interface whose broadcast address was set to another
// keeps that to itself.
func broadcastAddress(device string) (netip.Addr, error) {
	i, err := net.InterfaceByName(device)
	if err != nil || i.Flags&net.FlagBroadcast == 0 {
		return netip.Addr{}, err
	}
	addresses, err := i.Addrs()
	if err != nil {
		return netip.Addr{}, err
	}
	for _, a := range addresses {
		n, ok := a.(*net.IPNet)
		if !ok || n.IP.To4() == nil {
			continue
		}
		ip, mask := n.IP.To4(), net.IP(n.Mask).To4()
		var b [4]byte
		for i := range b {
			b[i] = ip[i] | ^mask[i]
		}
		return netip.AddrFrom4(b), nil
	}
	return netip.Addr{}, nil
}

func characterDevice(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.Mode()&os.ModeCharDevice == 0 {
		return fmt.Errorf("%s is no character device", path)
	}
	return nil
}

func resolve(network, name string) (netip.Addr, error) {
	ctx, cancel := context.WithTimeout(context.Background(), resolveTimeout)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupNetIP(ctx, network, name)
	if err != nil {
		return netip.Addr{}, err
	}
	return addresses[0].Unmap(), nil
}

func isLocal(address netip.Addr) bool {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok {
			if ip, ok := netip.AddrFromSlice(n.IP); ok && ip.Unmap() == address.WithZone("") {
				return true
			}
		}
	}
	return false
}

// folders are where the files are looked for. The last two are heartbeat's.
var folders = []string{"/etc/systole", "/etc/ha.d", "/etc/heartbeat"}

// DefaultDir is the first that exists of /etc/systole, /etc/ha.d and
// /etc/heartbeat, and /etc/systole if none does.
func DefaultDir() string { return firstDir(folders) }

// firstDir is the first that is a directory, or the first if none is.
func firstDir(paths []string) string {
	for _, p := range paths {
		if info, err := os.Stat(p); err == nil && info.IsDir() {
			return p
		}
	}
	return paths[0]
}
