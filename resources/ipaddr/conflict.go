package ipaddr

import (
	"bytes"
	"net"
	"net/netip"
	"time"
)

// What another machine must do to be one that has our address.
const (
	// conflictSettle is how old a holding must be before anything counts: what the
	// former owner sent of its own is still on its way when it has handed the
	// address over.
	conflictSettle = 100 * time.Millisecond
	// conflictQuiet is how long nobody else must be heard until a conflict is over.
	conflictQuiet = time.Minute
	// conflictAgain is how often one other machine is told of at most.
	conflictAgain = time.Minute
	// conflictMost is how many others of one address are told of at most within
	// conflictAgain. Beyond it somebody makes them up.
	conflictMost = 16
)

// A claim is a packet by which somebody says that an address is his: an ARP
// packet with it as the sender's (RFC 5227 section 2.4), or a neighbour
// advertisement for it (RFC 4861 section 4.4).
type claim struct {
	ip   netip.Addr
	mac  net.HardwareAddr
	link int // index of the interface where it came in
}

// A conflict is others that claim one address.
type conflict struct {
	first, last time.Time
	told        map[string]time.Time // by MAC
}

// heard takes a claim, and reports whether it is to be told.
func (c *conflict) heard(now time.Time, mac net.HardwareAddr, again time.Duration) bool {
	c.last = now
	for other, at := range c.told {
		if now.Sub(at) >= again {
			delete(c.told, other)
		}
	}
	if _, told := c.told[string(mac)]; told || len(c.told) >= conflictMost {
		return false
	}
	c.told[string(mac)] = now
	return true
}

func (c *conflict) isOver(now time.Time, quiet time.Duration) bool { return now.Sub(c.last) >= quiet }

// claimed judges a claim. It is a conflict where it comes from none of this
// machine's own interfaces, and came in where the address is held: another
// network may have the same. An address that the driver has begun to give up
// may be the next owner's before the watch has read so.
func (w *watch) claimed(now time.Time, c claim) {
	a := w.addresses[c.ip]
	if a == nil || a.hold == nil || !a.hold.armed || a.hold.link != c.link || w.isOurs(c.mac) || !w.books.isHeld(c.ip, a.hold.holding) {
		return
	}
	w.contested(now, a, c)
}

// contested takes a claim for a conflict, and tells of it if that is due.
func (w *watch) contested(now time.Time, a *watched, c claim) {
	if a.hold.conflict == nil {
		a.hold.conflict = &conflict{first: now, told: map[string]time.Time{}}
	}
	if a.hold.conflict.heard(now, c.mac, w.again) {
		at := w.links[c.link]
		w.watcher.AddressConflict(Conflict{Address: a.name, Interface: at.name, Ours: at.mac.String(), Theirs: c.mac.String()})
	}
}

// isOurs knows the hardware addresses of all interfaces: a bond sends from
// those of its members, and a macvlan has one of its own.
func (w *watch) isOurs(mac net.HardwareAddr) bool {
	for _, l := range w.links {
		if bytes.Equal(l.mac, mac) {
			return true
		}
	}
	return false
}

// endConflict tells the end of a conflict, if there is one.
func (w *watch) endConflict(a *watched, now time.Time) {
	if c := a.hold.conflict; c != nil {
		a.hold.conflict = nil
		w.watcher.AddressConflictCleared(ConflictEnd{Address: a.name, Interface: w.links[a.hold.link].name, Took: now.Sub(c.first)})
	}
}

// endConflicts is for a watch that ends: nobody would tell it later.
func (w *watch) endConflicts(now time.Time) {
	for _, a := range w.addresses {
		if a.hold != nil {
			w.endConflict(a, now)
		}
	}
}

// listen has the wire pass on what is said about the addresses that count.
func (w *watch) listen() {
	var armed []netip.Addr
	for ip, a := range w.addresses {
		if a.hold != nil && a.hold.armed {
			armed = append(armed, ip)
		}
	}
	w.wire.listen(armed)
}
