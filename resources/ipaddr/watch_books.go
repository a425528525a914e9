package ipaddr

import (
	"net/netip"
	"sync"
	"time"
)

// Books are what the driver has done, for the watch to read. An operation
// writes a line and goes on: it waits for no reader, and none need be there.
type books struct {
	mu        sync.Mutex
	held      map[netip.Addr]holding
	turned    map[netip.Addr]bool         // those whose holding is another since the last reading
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
	return &books{
		held: map[netip.Addr]holding{}, turned: map[netip.Addr]bool{}, announced: map[netip.Addr]Announcement{},
		news: make(chan struct{}, 1),
	}
}

func (b *books) hold(ip netip.Addr, link int) {
	b.write(func() {
		if b.held[ip].link != link {
			b.held[ip] = holding{link, time.Now()}
			b.turned[ip] = true
		}
	})
}

func (b *books) release(ip netip.Addr) {
	b.write(func() {
		delete(b.held, ip)
		b.turned[ip] = true
	})
}

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

// read returns what has changed since the last reading: holdings, the zero one
// for an address that is held no more, and announcements.
func (b *books) read() (map[netip.Addr]holding, map[netip.Addr]Announcement) {
	b.mu.Lock()
	defer b.mu.Unlock()
	held := make(map[netip.Addr]holding, len(b.turned))
	for ip := range b.turned {
		held[ip] = b.held[ip]
	}
	announced := b.announced
	b.turned, b.announced = map[netip.Addr]bool{}, map[netip.Addr]Announcement{}
	return held, announced
}

// open has the next reading begin with all that is held.
func (b *books) open() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for ip := range b.held {
		b.turned[ip] = true
	}
}

// isHeld reports whether a holding is still that of the address.
func (b *books) isHeld(ip netip.Addr, h holding) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.held[ip] == h
}
