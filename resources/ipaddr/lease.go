package ipaddr

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/systole-ha/systole/resources/ipaddr/gate"
)

// Terms say how long addresses are held on a node that stands still. The zero
// Terms are for good.
type Terms struct {
	// Lifetime is how long the kernel keeps an address that is not renewed
	// (ip-address(8), valid_lft), in whole seconds; 0 for good.
	Lifetime time.Duration
	// Gate is how long traffic of an address passes that is not renewed; 0 for
	// no gate. It is renewed at every beat, and Keepalive says when the next is
	// due: one that comes late leaves it less.
	Gate, Keepalive time.Duration
	// Required is that no address is started while there can be no gate.
	Required bool
	// Addresses are all that a Driver with these terms may ever hold.
	Addresses []netip.Addr
}

// leases are what the addresses of a Driver are held by. The kernel removes an
// address whose lifetime is over, and shuts a gate whose time is, whatever has
// become of this process: frozen, killed, gone.
//
// Renewing has sockets of its own, so that no operation makes it wait: one
// message of some 20 µs an address, and one of 30 µs for the gate, which wait
// only for the kernel's locks of its network settings and of its rules.
type leases struct {
	terms Terms

	mu      sync.Mutex
	held    map[netip.Addr]lease
	revoked bool          // nothing is started
	ends    time.Duration // of the first of them, on the clock of awake; 0 before the first renewal
	renewed time.Duration // the lifetimes
	door    door
	kernel  *kernel // nil while it is to be opened
}

// A lease is what there is to renew.
type lease struct {
	place place
	addr  Address
}

func newLeases(t Terms) *leases {
	t.Lifetime = t.Lifetime.Truncate(time.Second)
	l := &leases{terms: t, held: map[netip.Addr]lease{}}
	l.door.gate = gate.New(t.Addresses)
	return l
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

// none reports that addresses are held for good.
func (t Terms) none() bool { return t.Lifetime == 0 && t.Gate == 0 }

// seconds is the lifetime as the kernel takes it.
func (t Terms) seconds() uint32 {
	if t.Lifetime == 0 {
		return forever
	}
	return uint32(t.Lifetime / time.Second)
}

// length is how long this node may stand still: the shortest of what there is.
func (l *leases) length() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	length := l.terms.Lifetime
	if l.terms.Gate > 0 && l.door.missing == nil && (length == 0 || l.terms.Gate < length) {
		length = l.terms.Gate
	}
	return length
}

// hold takes an address into the lease. One that was there before may have
// little left of its own, and so is renewed at once.
func (l *leases) hold(a Address, p place) error {
	if l.terms.none() {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.revoked || l.over(awake()) {
		l.held[a.IP] = lease{p, a}
		_ = l.drop()
		return l.closed()
	}
	if l.terms.Lifetime == 0 {
		l.held[a.IP] = lease{p, a}
		return nil
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
	return l.kernel.renew(p, a, l.terms.seconds())
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
	if l.revoked || l.over(awake()) {
		return l.closed()
	}
	if l.terms.Required && l.door.missing != nil {
		return fmt.Errorf("no address is taken without the gate that is configured: %w", l.door.missing)
	}
	if l.door.broken != nil {
		return fmt.Errorf("nothing gets through the gate: %w", l.door.broken)
	}
	return nil
}

// errRevoked is why an address is not started, either.
var errRevoked = errors.New("this node has no permission to hold addresses")

func (l *leases) closed() error {
	if l.revoked {
		return errRevoked
	}
	return errLapsed
}

// revoke ends every lease now, and they begin anew with the next renewal.
func (l *leases) revoke() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.terms.none() {
		return nil
	}
	l.revoked, l.ends, l.renewed = true, 0, 0
	l.door.lapsed, l.door.called, l.door.renewed, l.door.ends = false, 0, 0, 0
	return l.drop()
}

func (l *leases) over(now time.Duration) bool {
	return l.door.lapsed || l.ends > 0 && now >= l.ends
}

// lapsed reports whether the leases have run out, and if so makes sure that no
// address is left, as it may be after the machine was suspended; then they
// begin anew.
func (l *leases) lapsed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.over(awake()) {
		return false
	}
	_ = l.drop()
	l.ends, l.renewed = 0, 0
	l.door.ends, l.door.called, l.door.renewed, l.door.lapsed = 0, 0, 0, false
	return true
}

// drop gives everything up: first what answers, then what could.
func (l *leases) drop() error {
	var errs []error
	if l.door.up {
		errs = append(errs, l.door.gate.Shut())
	}
	if len(l.held) > 0 {
		errs = append(errs, l.ready())
	}
	if l.kernel != nil {
		for _, h := range l.held {
			err := l.kernel.delete(held{link: h.place.link.index, ip: h.addr.IP, peer: h.addr.IP, prefix: h.place.prefix})
			if !errors.Is(err, unix.EADDRNOTAVAIL) && !errors.Is(err, unix.ENODEV) { // gone already
				errs = append(errs, err)
			}
		}
	}
	clear(l.held)
	return errors.Join(errs...)
}

// renew renews every lease. The error is of what could not be renewed, which
// runs out in its time: the caller may go on.
//
// A process that is stopped inside this very call, for longer than the lease,
// would give an address back to the kernel when it goes on: that is seen at
// once, and the address removed again. The gate stays shut by itself.
func (l *leases) renew() error {
	if l.terms.none() {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.revoked = false
	now := awake()
	var gate, lifetimes error
	if l.terms.Gate > 0 {
		gate = l.renewGate(now)
	}
	if !l.door.lapsed && l.terms.Lifetime > 0 && (l.renewed == 0 || now-l.renewed >= l.terms.Lifetime/renewals) {
		lifetimes = l.renewLifetimes(now)
	}
	if l.over(awake()) {
		_ = l.drop()
		return errLapsed
	}
	l.ends = l.end()
	if lifetimes != nil {
		return lifetimes
	}
	return gate
}

// end is when the first lease runs out; 0 while there is none.
func (l *leases) end() (end time.Duration) {
	if l.terms.Lifetime > 0 && l.renewed > 0 {
		end = l.renewed + l.terms.Lifetime
	}
	if d := l.door.ends; d > 0 && (end == 0 || d < end) {
		end = d
	}
	return end
}

func (l *leases) renewLifetimes(now time.Duration) error {
	if len(l.held) == 0 {
		l.renewed = now
		return nil
	}
	if err := l.ready(); err != nil {
		return err
	}
	var errs []error
	for _, h := range l.held {
		if err := l.kernel.renew(h.place, h.addr, l.terms.seconds()); err != nil {
			errs = append(errs, err)
		}
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

// close closes the sockets. The gate goes where no address is left that it is
// for: it stays where somebody else is to end what this process has not.
func (l *leases) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.door.up && !l.anyHere() {
		_ = l.door.gate.Remove() // it would be one that keeps nobody out
	}
	l.door.gate.Close()
	if l.kernel != nil {
		l.kernel.close()
		l.kernel = nil
	}
}

// anyHere reports whether this machine has any of the addresses, or may.
func (l *leases) anyHere() bool {
	if l.ready() != nil {
		return true
	}
	for _, ip := range l.terms.Addresses {
		list, err := l.kernel.addresses(context.Background(), ip)
		if err != nil {
			return true
		}
		for _, h := range list {
			if h.ip == ip {
				return true
			}
		}
	}
	return false
}
