package link

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// lookInterval is how often the state of an interface is looked at when the
// kernel reports no change: a notification can be lost, and that of a lost
// carrier can be a second late (linkwatch in the kernel's net/core).
const lookInterval = time.Second

// A monitor tells how the interfaces of one network namespace are, and when to
// look again. Its sockets are of the namespace it was opened in, whatever
// thread uses them later.
type monitor struct {
	news   *os.File // netlink: something about links or addresses has changed
	known  known    // what it told of addresses
	routes int      // netlink: questions about routes, and answers
	ioctls int      // a socket that exists to be asked
}

func openMonitor() (*monitor, error) {
	m := &monitor{routes: -1, ioctls: -1}
	groups := uint32(unix.RTMGRP_LINK | unix.RTMGRP_IPV4_IFADDR | unix.RTMGRP_IPV6_IFADDR)
	news, err := openNetlink(unix.SOCK_NONBLOCK, groups)
	if err != nil {
		return nil, err
	}
	m.news = os.NewFile(uintptr(news), "netlink")
	if m.routes, err = openNetlink(0, 0); err != nil {
		m.close()
		return nil, err
	}
	if m.ioctls, err = unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0); err != nil {
		m.close()
		return nil, os.NewSyscallError("socket", err)
	}
	return m, nil
}

func openNetlink(flags int, groups uint32) (int, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|flags, unix.NETLINK_ROUTE)
	if err != nil {
		return -1, os.NewSyscallError("netlink socket", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: groups}); err != nil {
		unix.Close(fd)
		return -1, os.NewSyscallError("netlink bind", err)
	}
	return fd, nil
}

// close must not be called while another goroutine looks.
func (m *monitor) close() {
	m.news.Close()
	for _, fd := range []int{m.routes, m.ioctls} {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
}

// wait returns when there is reason to look again: news, the passing of
// lookInterval, or the end of ctx.
func (m *monitor) wait(ctx context.Context) {
	m.news.SetReadDeadline(time.Now().Add(lookInterval))
	stop := context.AfterFunc(ctx, func() { m.news.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	// What the news is does not matter, nor that some was lost (ENOBUFS), as long
	// as there is any.
	var buffer [4096]byte
	for {
		n, err := m.news.Read(buffer[:])
		if err != nil && !errors.Is(err, unix.ENOBUFS) {
			return
		}
		if err != nil || m.known.news(buffer[:n]) {
			break
		}
	}
	m.news.SetReadDeadline(time.Now().Add(settle))
	for ctx.Err() == nil {
		if _, err := m.news.Read(buffer[:]); err != nil && !errors.Is(err, unix.ENOBUFS) {
			return
		}
	}
}

// settle is how long news is collected before it is acted on: an interface that
// comes up is told of in several messages.
const settle = 2 * time.Millisecond

// An iface is what there is to know about one interface. The zero value stands
// for one that does not exist.
type iface struct {
	index     int
	up        bool       // by the administrator
	running   bool       // by the cable
	broadcast netip.Addr // of its first IPv4 address; invalid without
}

// look asks the kernel about an interface.
func (m *monitor) look(device string) iface {
	request, err := unix.NewIfreq(device)
	if err != nil || unix.IoctlIfreq(m.ioctls, unix.SIOCGIFINDEX, request) != nil {
		return iface{}
	}
	i := iface{index: int(request.Uint32())}
	if unix.IoctlIfreq(m.ioctls, unix.SIOCGIFFLAGS, request) == nil {
		i.up = request.Uint16()&unix.IFF_UP != 0
		i.running = request.Uint16()&unix.IFF_RUNNING != 0
	}
	// Asked the way heartbeat's bcast.c asks, but that 0.0.0.0, which an address
	// added without a broadcast address has, is none.
	if unix.IoctlIfreq(m.ioctls, unix.SIOCGIFBRDADDR, request) == nil {
		if b, err := request.Inet4Addr(); err == nil && [4]byte(b) != [4]byte{} {
			i.broadcast = netip.AddrFrom4([4]byte(b))
		}
	}
	return i
}

// sockaddr is an address for the kernel. Addresses of link scope get the index
// of the interface, whatever zone they were written with.
func sockaddr(to netip.AddrPort, index int) unix.Sockaddr {
	if to.Addr().Is4() {
		return &unix.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()}
	}
	sa := &unix.SockaddrInet6{Port: int(to.Port()), Addr: to.Addr().As16()}
	if a := to.Addr(); a.IsLinkLocalUnicast() || a.IsLinkLocalMulticast() || a.IsInterfaceLocalMulticast() {
		sa.ZoneId = uint32(index)
	}
	return sa
}
