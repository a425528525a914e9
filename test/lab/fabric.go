package lab

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"unsafe"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/systole-ha/systole/test/lab/internal/netns"
)

// A fabric is the switches: a network namespace with a bridge for each network
// and a port for each cable to a node or the client. Frames pass in the kernel,
// so a busy lab does not delay them, unless a cable is made long by Delay.
type fabric struct {
	ns *netns.Namespace

	mu     sync.Mutex
	faults faults
	cables map[string]*cable // by port, those that are delayed
}

func (l *Lab) buildNetworks() error {
	ns, err := netns.Create(prefix + l.id + "-switch")
	if err != nil {
		return err
	}
	l.fabric = &fabric{ns: ns, cables: map[string]*cable{}}
	if err := l.fabric.build(); err != nil {
		return fmt.Errorf("build the switches: %w", err)
	}
	l.client, err = newClient(l)
	return err
}

func (f *fabric) build() error {
	return f.ns.Do(func() error {
		// The switches themselves have no addresses and say nothing.
		if err := os.WriteFile("/proc/sys/net/ipv6/conf/default/disable_ipv6", []byte("1"), 0); err != nil {
			return err
		}
		for i := range networks {
			bridge := &netlink.Bridge{LinkAttrs: named(Network(i).bridge())}
			// Without snooping, multicast goes everywhere, as in a simple switch.
			bridge.MulticastSnooping = new(bool)
			if err := errors.Join(netlink.LinkAdd(bridge), netlink.LinkSetUp(bridge)); err != nil {
				return err
			}
		}
		return nil
	})
}

func (n Network) bridge() string { return fmt.Sprintf("switch%d", int(n)) }

func named(name string) netlink.LinkAttrs {
	attributes := netlink.NewLinkAttrs()
	attributes.Name = name
	return attributes
}

// plug lays a cable from a network's switch into the namespace of a host, and
// gives the device at its end its addresses.
func (f *fabric) plug(n Network, name string, host int, space *netns.Namespace) error {
	port := &netlink.Veth{
		LinkAttrs:        named(n.port(name)),
		PeerName:         n.Device(),
		PeerHardwareAddr: n.hardware(host),
		PeerNamespace:    netlink.NsFd(space.Fd()),
	}
	err := f.ns.Do(func() error {
		if err := netlink.LinkAdd(port); err != nil {
			return err
		}
		return errors.Join(f.attach(n, port.Name), wholeFrames(port.Name), netlink.LinkSetUp(port))
	})
	if err == nil {
		err = space.Do(func() error { return configure(n.Device(), n.prefixes(host)) })
	}
	if err != nil {
		return fmt.Errorf("plug %s into %s: %w", name, n, err)
	}
	return nil
}

// attach makes a device of the switch's namespace a port of the network's
// bridge. The caller is in that namespace.
func (f *fabric) attach(n Network, device string) error {
	bridge, err := netlink.LinkByName(n.bridge())
	if err != nil {
		return err
	}
	port, err := netlink.LinkByName(device)
	if err != nil {
		return err
	}
	return netlink.LinkSetMaster(port, bridge)
}

// configure brings a device up with addresses, in the namespace of the caller.
// All of them can be used at once, the link-local one too: it is put on by hand
// since the kernel would first look for duplicates for more than a second. What
// is added later is subject to that, as the kernel has it by default.
func configure(device string, prefixes []netip.Prefix) error {
	link, err := netlink.LinkByName(device)
	if err != nil {
		return err
	}
	errs := []error{
		wholeFrames(device),
		netlink.LinkSetIP6AddrGenMode(link, nl.IN6_ADDR_GEN_MODE_NONE),
		netlink.LinkSetUp(link),
	}
	for _, p := range append(prefixes, linkLocal(link.Attrs().HardwareAddr)) {
		address := &netlink.Addr{IPNet: &net.IPNet{
			IP:   p.Addr().AsSlice(),
			Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen()),
		}}
		if p.Addr().Is6() {
			address.Flags = unix.IFA_F_NODAD
		}
		errs = append(errs, netlink.AddrAdd(link, address))
	}
	return errors.Join(append(errs, netlink.LinkSetIP6AddrGenMode(link, nl.IN6_ADDR_GEN_MODE_EUI64))...)
}

// linkLocal is the address the kernel would make (RFC 4291, appendix A).
func linkLocal(mac net.HardwareAddr) netip.Prefix {
	address := [16]byte{0xfe, 0x80, 8: mac[0] ^ 0x02, mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5]}
	return netip.PrefixFrom(netip.AddrFrom16(address), 64)
}

// unplug removes a cable; the device at its other end goes with it.
func (f *fabric) unplug(n Network, name string) error {
	if err := f.straighten(n, name); err != nil {
		return err
	}
	return f.ns.Do(func() error {
		port, err := netlink.LinkByName(n.port(name))
		if errors.As(err, &netlink.LinkNotFoundError{}) {
			return nil
		}
		if err != nil {
			return err
		}
		return netlink.LinkDel(port)
	})
}

// carrier sets the switch's end of a cable up or down: the host's device has a
// carrier or none.
func (f *fabric) carrier(n Network, name string, up bool) error {
	return f.ns.Do(func() error {
		port, err := netlink.LinkByName(n.port(name))
		if err != nil {
			return err
		}
		if up {
			return netlink.LinkSetUp(port)
		}
		return netlink.LinkSetDown(port)
	})
}

func (f *fabric) close() {
	if f == nil {
		return
	}
	for _, c := range f.cables {
		_ = c.process.Close() // killed with the lab's control group
	}
	f.ns.Close()
}

// wholeFrames has a device send frames as they go over a real wire: with their
// checksums, and no longer than the MTU. A delayed cable reads them raw.
// The commands are ETHTOOL_STXCSUM, _STSO and _SGSO of linux/ethtool.h.
func wholeFrames(device string) error {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(socket)
	for _, command := range []uint32{0x17, 0x1f, 0x24} {
		value := struct{ command, data uint32 }{command, 0}
		request := struct {
			name [unix.IFNAMSIZ]byte
			data unsafe.Pointer
			_    [16]byte // the rest of union ifr_ifru
		}{data: unsafe.Pointer(&value)}
		copy(request.name[:unix.IFNAMSIZ-1], device)
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(socket), unix.SIOCETHTOOL, uintptr(unsafe.Pointer(&request)))
		if errno != 0 {
			return fmt.Errorf("turn off offloading of %s: %w", device, errno)
		}
	}
	return nil
}
