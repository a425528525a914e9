package ipaddr

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"syscall"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// errDeaf says that the kernel's notifications have ended.
var errDeaf = errors.New("the kernel's notifications have ended")

// A notice is what the kernel said in one datagram; nil messages are some that
// it had no room for.
type notice []syscall.NetlinkMessage

// notificationBuffer is how many bytes of notifications wait for us, as the
// kernel counts them: some thousand addresses. More are made up for by a look at
// everything.
const notificationBuffer = 1 << 20

// subscribe hears of addresses and interfaces until ctx ends, on one socket, so
// that both are told in their order. The library's AddrSubscribe and
// LinkSubscribe are two, and end when the kernel has to drop a notification.
func subscribe(ctx context.Context, readers *sync.WaitGroup) (<-chan notice, error) {
	socket, err := nl.Subscribe(unix.NETLINK_ROUTE, unix.RTNLGRP_LINK, unix.RTNLGRP_IPV4_IFADDR, unix.RTNLGRP_IPV6_IFADDR)
	if err != nil {
		return nil, err
	}
	if socket.SetReceiveBufferSize(notificationBuffer, true) != nil { // not without CAP_NET_ADMIN
		_ = socket.SetReceiveBufferSize(notificationBuffer, false) // as far as the machine's limit goes
	}
	context.AfterFunc(ctx, socket.Close)
	notices := make(chan notice)
	readers.Go(func() {
		defer close(notices)
		for {
			messages, _, err := socket.Receive()
			if err != nil && !errors.Is(err, unix.ENOBUFS) {
				socket.Close()
				return
			}
			select {
			case notices <- messages:
			case <-ctx.Done():
				return
			}
		}
	})
	return notices, nil
}

// hear tells what a notice says.
func (w *watch) hear(ctx context.Context, n notice) error {
	if n == nil {
		if err := w.lookAtAll(ctx); err != nil {
			return err
		}
		return w.tellCarriers(ctx)
	}
	moved := false
	for _, m := range n {
		moved = moved || w.mayMove(m.Header.Type)
		if err := w.hearOne(ctx, m.Header.Type, m.Data); err != nil {
			return err
		}
	}
	if moved {
		return w.tellCarriers(ctx)
	}
	return nil
}

func (w *watch) hearOne(ctx context.Context, kind uint16, data []byte) error {
	switch kind {
	case unix.RTM_NEWADDR, unix.RTM_DELADDR:
		if len(data) < unix.SizeofIfAddrmsg {
			return nil
		}
		h := readHeld(data)
		a := w.addresses[h.ip]
		if a == nil {
			return nil
		}
		w.place(a, spot{h.link, h.prefix}, kind == unix.RTM_NEWADDR)
		return w.judge(ctx, a)
	case unix.RTM_NEWLINK, unix.RTM_DELLINK:
		if len(data) < unix.SizeofIfInfomsg || data[0] != unix.AF_UNSPEC { // a port of a bridge comes and goes by these, too
			return nil
		}
		l := readLink(data)
		if l.name == "" {
			return nil
		}
		w.link(l, kind == unix.RTM_NEWLINK)
		return w.judgeOn(ctx, l.index)
	}
	return nil
}

// link takes over an interface as it is now. Where it has another name, its
// addresses are told to have moved.
func (w *watch) link(l link, exists bool) {
	old, known := w.links[l.index]
	renamed := known && exists && old.name != l.name
	for _, a := range w.addresses {
		if renamed && a.isOn(l.index) {
			w.watcher.AddressChanged(Change{Address: a.name, Interface: old.name})
			w.watcher.AddressChanged(Change{Address: a.name, Interface: l.name, Present: true})
		}
	}
	if exists {
		w.links[l.index] = l
	} else {
		delete(w.links, l.index)
	}
}

func (a *watched) isOn(index int) bool {
	for s := range a.on {
		if s.link == index {
			return true
		}
	}
	return false
}

// place takes over that an address is in a spot, or is not.
func (w *watch) place(a *watched, s spot, present bool) {
	before := a.isOn(s.link)
	if present {
		a.on[s] = true
	} else {
		delete(a.on, s)
	}
	if now := a.isOn(s.link); now != before {
		w.watcher.AddressChanged(Change{Address: a.name, Interface: w.links[s.link].name, Present: now})
	}
}

// lookAtAll takes over how everything is, and tells what is new of it.
func (w *watch) lookAtAll(ctx context.Context) error {
	links, err := w.kernel.links(ctx)
	if err != nil {
		return err
	}
	exists := map[int]bool{}
	for _, l := range links {
		w.link(l, true)
		exists[l.index] = true
	}
	there := map[netip.Addr]map[spot]bool{}
	for _, any := range []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()} {
		list, err := w.kernel.addresses(ctx, any)
		if err != nil {
			return err
		}
		for _, h := range list {
			if w.addresses[h.ip] == nil {
				continue
			}
			if there[h.ip] == nil {
				there[h.ip] = map[spot]bool{}
			}
			there[h.ip][spot{h.link, h.prefix}] = true
		}
	}
	for ip, a := range w.addresses {
		for s := range a.on {
			if !there[ip][s] {
				w.place(a, s, false)
			}
		}
		for s := range there[ip] {
			w.place(a, s, true)
		}
	}
	for index := range w.links {
		if !exists[index] {
			delete(w.links, index)
		}
	}
	for _, a := range w.addresses {
		if err := w.judge(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

// judgeOn judges the addresses that are held on an interface.
func (w *watch) judgeOn(ctx context.Context, index int) error {
	for _, a := range w.addresses {
		if a.hold != nil && a.hold.link == index {
			if err := w.judge(ctx, a); err != nil {
				return err
			}
		}
	}
	return nil
}

// judge tells of an address that the driver holds and that is not there, or
// lies on an interface that is down. What has been heard may be older than what
// the driver has done since, so the kernel is asked before anything is said.
func (w *watch) judge(ctx context.Context, a *watched) error {
	h := a.hold
	if h == nil {
		return nil
	}
	if a.isOn(h.link) && w.links[h.link].up() {
		h.lost = false
		return nil
	}
	if h.lost || !w.books.isHeld(a.ip, h.holding) {
		return nil
	}
	cause, err := w.kernel.whyLost(ctx, a.ip, h.link)
	if err != nil || cause == "" {
		return err
	}
	if h.lost = w.books.isHeld(a.ip, h.holding); h.lost {
		w.watcher.AddressLost(Loss{Address: a.name, Interface: w.links[h.link].name, Cause: cause})
	}
	return nil
}

// whyLost says why an address is of no use on an interface; "" if it is.
func (k *kernel) whyLost(ctx context.Context, ip netip.Addr, index int) (string, error) {
	l, err := k.linkAt(index)
	switch {
	case errors.Is(err, unix.ENODEV):
		return "the interface is gone", nil
	case err != nil:
		return "", err
	case !l.up():
		return "the interface went down", nil
	}
	list, err := k.addresses(ctx, ip)
	if err != nil {
		return "", err
	}
	for _, h := range list {
		if h.ip == ip && h.link == index {
			return "", nil
		}
	}
	return "removed", nil
}
