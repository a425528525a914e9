package ipaddr

import (
	"context"
	"errors"

	"golang.org/x/sys/unix"
)

// A Carrier is the state of the interface that an address is on, or would be.
type Carrier struct {
	Address   string // as Spelled
	Interface string // "" where the machine has none for it
	Lost      bool   // it is down, gone, or without a carrier: nothing leaves
}

// mayMove reports whether a message of this type can change what carries which
// address: one about an interface, or an address of the node's own that makes
// the route by which the place of a virtual one is found.
func (w *watch) mayMove(kind uint16) bool {
	switch kind {
	case unix.RTM_NEWLINK, unix.RTM_DELLINK:
		return true
	case unix.RTM_NEWADDR:
		return w.homeless
	}
	return false
}

// tellCarriers tells all interfaces of addresses that have lost their carrier
// or have it again since it was told, and at first all. Those of one cause are
// told at once.
func (w *watch) tellCarriers(ctx context.Context) error {
	var news []Carrier
	w.homeless = false
	for _, a := range w.addresses {
		if err := w.house(ctx, a); err != nil {
			return err
		}
		l, exists := w.links[a.home]
		w.homeless = w.homeless || !exists
		now := Carrier{Address: a.name, Interface: l.name, Lost: !l.carries()}
		if a.carried != nil && a.carried.Lost == now.Lost {
			continue
		}
		if now.Interface == "" && a.carried != nil {
			now.Interface = a.carried.Interface // it was there
		}
		a.carried = &now
		news = append(news, now)
	}
	if len(news) > 0 {
		w.watcher.AddressesCarried(news)
	}
	return nil
}

// house finds the interface that an address is on, or would be. One that was
// found by a route stays as long as it exists: the routes of an interface that
// is down are gone.
func (w *watch) house(ctx context.Context, a *watched) error {
	if a.hold != nil {
		a.home = a.hold.link
		return nil
	}
	if l, exists := w.links[a.home]; exists && (a.want.Interface == "" || a.want.Interface == l.name) {
		return nil
	}
	a.home = 0
	to, err := w.kernel.lookup(a.ip)
	if err != nil {
		return err
	}
	p, err := w.kernel.place(ctx, a.want, to)
	switch {
	case errors.As(err, new(noPlace)), errors.Is(err, unix.ENODEV):
		return nil
	case err != nil:
		return err
	}
	a.home = p.link.index
	if _, known := w.links[a.home]; !known {
		w.link(p.link, true) // its own message is still to come
	}
	return nil
}
