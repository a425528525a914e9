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
	claimed   map[netip.Addr]beginning    // of those that are held, or about to be
	begun     map[netip.Addr]beginning    // since the last reading
	news      chan struct{}               // holds a token while there is something to read
}

// A holding is an address that the driver has put in its place, or found there,
// and has not begun to remove.
type holding struct {
	link  int // index
	since time.Time
}

// A beginning is an address that the driver puts on an interface of a machine that
// did not have it.
type beginning struct {
	link int // index
	at   time.Time
}

// A page is what has changed since the reading before.
type page struct {
	begun     map[netip.Addr]beginning
	held      map[netip.Addr]holding // the zero one for an address that is held no more
	announced map[netip.Addr]Announcement
}

func newBooks() *books {
	return &books{
		held: map[netip.Addr]holding{}, turned: map[netip.Addr]bool{}, announced: map[netip.Addr]Announcement{},
		claimed: map[netip.Addr]beginning{}, begun: map[netip.Addr]beginning{},
		news: make(chan struct{}, 1),
	}
}

// begin notes a start before the address is there.
func (b *books) begin(ip netip.Addr, link int) {
	b.write(func() bool {
		b.claimed[ip] = beginning{link, time.Now()}
		b.begun[ip] = b.claimed[ip]
		return true
	})
}

func (b *books) hold(ip netip.Addr, link int) {
	b.write(func() bool {
		if b.held[ip].link == link {
			return false
		}
		b.held[ip] = holding{link, time.Now()}
		b.turned[ip] = true
		return true
	})
}

// release is no news where nothing was held: every start begins with one.
func (b *books) release(ip netip.Addr) {
	b.write(func() bool {
		delete(b.claimed, ip)
		delete(b.begun, ip)
		if _, held := b.held[ip]; !held {
			return false
		}
		delete(b.held, ip)
		b.turned[ip] = true
		return true
	})
}

// announce adds up what was sent, so that a watch that lags loses nothing.
func (b *books) announce(ip netip.Addr, a Announcement) {
	b.write(func() bool {
		sum := b.announced[ip]
		a.Sent += sum.Sent
		a.Failed += sum.Failed
		if a.Error == "" {
			a.Error = sum.Error
		}
		b.announced[ip] = a
		return true
	})
}

// write has a reader come where the line says that it is news.
func (b *books) write(line func() bool) {
	b.mu.Lock()
	news := line()
	b.mu.Unlock()
	if !news {
		return
	}
	select {
	case b.news <- struct{}{}:
	default: // its reader has been told
	}
}

// read returns what has changed since the last reading.
func (b *books) read() page {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := page{begun: b.begun, held: make(map[netip.Addr]holding, len(b.turned)), announced: b.announced}
	for ip := range b.turned {
		p.held[ip] = b.held[ip]
	}
	b.begun, b.turned, b.announced = map[netip.Addr]beginning{}, map[netip.Addr]bool{}, map[netip.Addr]Announcement{}
	return p
}

// open has the next reading begin with all that is held.
func (b *books) open() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for ip := range b.held {
		b.turned[ip] = true
	}
}

// stands reports whether the address of a beginning has not been released since.
func (b *books) stands(ip netip.Addr, s beginning) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.claimed[ip] == s
}

// isHeld reports whether a holding is still that of the address.
func (b *books) isHeld(ip netip.Addr, h holding) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.held[ip] == h
}
