package ipaddr

import (
	"errors"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// leases are the lifetimes of the addresses that a Driver holds. The kernel
// removes an address whose lifetime is over, whatever has become of this
// process: frozen, killed, gone (ip-address(8), valid_lft).
//
// Renewing has a socket of its own, so that no operation makes it wait: one
// message of some 20 µs an address, which waits only for the kernel's lock of
// its network settings.
type leases struct {
	length time.Duration // whole seconds; 0: addresses are held for good

	mu      sync.Mutex
	held    map[netip.Addr]lease
	renewed time.Duration // the oldest of them, on the clock of awake; 0 before the first
	kernel  *kernel       // nil while it is to be opened
}

// A lease is what there is to renew.
type lease struct {
	place place
	addr  Address
}

func newLeases(length time.Duration) *leases {
	return &leases{length: length.Truncate(time.Second), held: map[netip.Addr]lease{}}
}

// renewals is how often a lease is renewed while it lasts: a process that
// stands still for less than the rest of it loses nothing.
const renewals = 8

// awake is a clock that does not stop while the machine is suspended, as the
// kernel's lifetimes do: a peer has not waited either.
func awake() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &t); err != nil {
		panic("ipaddr: no CLOCK_BOOTTIME: " + err.Error()) // in every Linux since 2.6.39
	}
	return time.Duration(t.Nano())
}

// seconds is the lifetime as the kernel takes it.
func (l *leases) seconds() uint32 {
	if l.length == 0 {
		return forever
	}
	return uint32(l.length / time.Second)
}

// hold takes an address into the lease. One that was there before may have
// little left of its own, and so is renewed at once.
func (l *leases) hold(a Address, p place) error {
	if l.length == 0 {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over(awake()) {
		l.held[a.IP] = lease{p, a}
		l.drop()
		return errLapsed
	}
	if err := l.ready(); err != nil {
		return err
	}
	if a.IP.Is4() && !p.link.promotes {
		// With an address that is the first of its network, the kernel would
		// remove the node's own when the lease runs out.
		if err := l.kernel.setPromotes(p.link.index, 1); err != nil {
			return err
		}
	}
	l.held[a.IP] = lease{p, a}
	return l.kernel.renew(p, a, l.seconds())
}

// release waits for a renewal that is under way, after which there is none.
func (l *leases) release(ip netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.held, ip)
}

// errLapsed is why an address is not started.
var errLapsed = errors.New("this node stood still for longer than the lease of its addresses: another may have it by now")

// open reports whether an address may be started now: what was ordered before
// a standstill may be another node's by now.
func (l *leases) open() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over(awake()) {
		return errLapsed
	}
	return nil
}

func (l *leases) over(now time.Duration) bool {
	return l.length > 0 && l.renewed > 0 && now-l.renewed >= l.length
}

// lapsed reports whether the leases have run out, and if so makes sure that no
// address is left, as it may be after the machine was suspended; then they
// begin anew.
func (l *leases) lapsed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := awake()
	if !l.over(now) {
		return false
	}
	l.drop()
	l.renewed = now
	return true
}

func (l *leases) drop() {
	if len(l.held) > 0 && l.ready() == nil {
		for _, h := range l.held {
			// That it is gone already is as it should be.
			_ = l.kernel.delete(held{link: h.place.link.index, ip: h.addr.IP, peer: h.addr.IP, prefix: h.place.prefix})
		}
	}
	clear(l.held)
}

// renew renews every lease once an eighth of it is over. The error is that of
// the addresses that could not be renewed, which run out in their time: the
// caller may go on.
//
// A process that is stopped inside this very call, for longer than the lease,
// would give the address back to the kernel when it goes on: that is seen at
// once, and the address removed again.
func (l *leases) renew() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := awake()
	if l.length == 0 || l.renewed > 0 && now-l.renewed < l.length/renewals {
		return nil
	}
	var errs []error
	if len(l.held) > 0 {
		if err := l.ready(); err != nil {
			return err
		}
	}
	for _, h := range l.held {
		if err := l.kernel.renew(h.place, h.addr, l.seconds()); err != nil {
			errs = append(errs, err)
		}
	}
	if l.over(awake()) {
		l.drop()
		return errors.Join(append(errs, errLapsed)...)
	}
	if len(errs) > 0 {
		l.kernel.close()
		l.kernel = nil
	}
	l.renewed = now
	return errors.Join(errs...)
}

// ready opens the socket where there is none.
func (l *leases) ready() (err error) {
	if l.kernel == nil {
		l.kernel, err = openKernel()
	}
	return err
}

func (l *leases) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.kernel != nil {
		l.kernel.close()
		l.kernel = nil
	}
}
