package ipaddr

import (
	"maps"
	"net/netip"
	"sync"
	"time"
)

// Books are what the driver has done, for the watch to read. An operation
// writes a line and goes on: it waits for no reader, and none need be there.
type books struct {
	mu        sync.Mutex
	held      map[netip.Addr]holding
	announced map[netip.Addr]Announcement // since the last reading
	news      chan struct{}               // holds a token while there is something to read
}

// A holding is an address that the driver has put in its place, or found there,
// and has not begun to remove.
type holding struct {
	link  int // index
	since time.Time
}

func newBooks() *books {
	return &books{held: map[netip.Addr]holding{}, announced: map[netip.Addr]Announcement{}, news: make(chan struct{}, 1)}
}

func (b *books) hold(ip netip.Addr, link int) {
	b.write(func() {
		if b.held[ip].link != link {
			b.held[ip] = holding{link, time.Now()}
		}
	})
}

func (b *books) release(ip netip.Addr) { b.write(func() { delete(b.held, ip) }) }

// announce adds up what was sent, so that a watch that lags loses nothing.
func (b *books) announce(ip netip.Addr, a Announcement) {
	b.write(func() {
		sum := b.announced[ip]
		a.Sent += sum.Sent
		a.Failed += sum.Failed
		if a.Error == "" {
			a.Error = sum.Error
		}
		b.announced[ip] = a
	})
}

func (b *books) write(line func()) {
	b.mu.Lock()
	line()
	b.mu.Unlock()
	select {
	case b.news <- struct{}{}:
	default: // its reader has been told
	}
}

// read returns what is held, and what was announced since the last reading.
func (b *books) read() (map[netip.Addr]holding, map[netip.Addr]Announcement) {
	b.mu.Lock()
	defer b.mu.Unlock()
	announced := b.announced
	b.announced = map[netip.Addr]Announcement{}
	return maps.Clone(b.held), announced
}

// isHeld reports whether a holding is still that of the address.
func (b *books) isHeld(ip netip.Addr, h holding) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.held[ip] == h
}
