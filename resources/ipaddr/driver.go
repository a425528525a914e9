package ipaddr

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/systole-ha/systole/resources"
	"golang.org/x/sys/unix"
)

// A Driver holds virtual addresses. It is a resources.Driver, an Announcer and
// a Checker, and does one thing at a time.
//
// It works by nothing but its sockets, which are open from the first use on, in
// the network namespace of that moment. An interface may change its hardware
// address, or go and come back as another one of the same name.
type Driver struct {
	kernel chan *kernel // holds the one there is, nil when it is to be opened
	books  *books       // what it did, for the watch
	leases *leases
}

var (
	_ resources.Driver    = (*Driver)(nil)
	_ resources.Announcer = (*Driver)(nil)
	_ resources.Checker   = (*Driver)(nil)
	_ resources.Leaser    = (*Driver)(nil)
)

// New returns a Driver that has opened nothing yet, and holds addresses for
// good.
func New() *Driver { return Leased(Terms{}) }

// Leased returns a Driver whose addresses last, from the last Renew on, as the
// terms say: see resources.Leaser.
func Leased(t Terms) *Driver {
	d := &Driver{kernel: make(chan *kernel, 1), books: newBooks(), leases: newLeases(t)}
	d.kernel <- nil
	return d
}

// Renew renews every lease.
func (d *Driver) Renew() error { return d.leases.renew() }

// Lapsed reports whether the leases have run out.
func (d *Driver) Lapsed() bool { return d.leases.lapsed() }

// Revoke removes every leased address.
func (d *Driver) Revoke() error { return d.leases.revoke() }

// Lease is how long an address lasts; 0 for good.
func (d *Driver) Lease() time.Duration { return d.leases.length() }

// Close closes the sockets. The addresses stay.
func (d *Driver) Close() error {
	if k := <-d.kernel; k != nil {
		k.close()
	}
	d.kernel <- nil
	d.leases.close()
	return nil
}

// Start gives the address to its interface, which must be up, and returns when
// the kernel takes packets for it. The same address under another prefix or on
// another interface goes.
func (d *Driver) Start(ctx context.Context, s resources.Spec) error {
	return d.do(ctx, "start", s, func(ctx context.Context, k *kernel, a Address) error {
		d.books.release(a.IP) // it may go from where it is
		if err := d.leases.open(); err != nil {
			return err
		}
		p, err := d.put(ctx, k, a)
		if err == nil {
			err = d.hold(a, p)
		}
		return err
	})
}

// Stop takes the address from every interface that has it, under whichever
// prefix. No other address goes with it.
func (d *Driver) Stop(ctx context.Context, s resources.Spec) error {
	return d.do(ctx, "stop", s, func(ctx context.Context, k *kernel, a Address) error {
		d.books.release(a.IP)
		d.leases.release(a.IP)
		_, err := k.clear(ctx, a, nil)
		return err
	})
}

// Status reports Running if the address is where Start would put it and
// nowhere else, on an interface that is up, and not under suspicion of being a
// duplicate; Failed if the machine has it in any other way. Whether there is a
// carrier does not matter.
func (d *Driver) Status(ctx context.Context, s resources.Spec) (resources.Status, error) {
	status := resources.Unknown
	err := d.do(ctx, "status", s, func(ctx context.Context, k *kernel, a Address) (err error) {
		var p place
		status, p, err = judge(ctx, k, a)
		if status == resources.Running {
			err = d.hold(a, p) // left by an earlier process, maybe
		}
		return err
	})
	return status, err
}

// hold takes an address that is in its place for held.
func (d *Driver) hold(a Address, p place) error {
	d.books.hold(a.IP, p.link.index)
	return d.leases.hold(a, p)
}

// Announce tells the neighbours on the address's interface which hardware
// address it has now.
func (d *Driver) Announce(ctx context.Context, s resources.Spec) error {
	return d.do(ctx, "announce", s, func(ctx context.Context, k *kernel, a Address) error {
		sent, err := announce(k, a)
		if sent.Sent+sent.Failed > 0 {
			d.books.announce(a.IP, sent)
		}
		return err
	})
}

// do runs one operation when its turn comes. After an error the sockets are
// opened anew for the next, in case they were the cause.
func (d *Driver) do(ctx context.Context, op string, s resources.Spec, fn func(context.Context, *kernel, Address) error) error {
	a, err := Parse(s)
	if err == nil {
		err = d.leases.look(ctx)
	}
	if err == nil {
		err = d.turn(ctx, func(k *kernel) error { return fn(ctx, k, a) })
	}
	if err != nil {
		return &resources.Error{Op: op, Spec: s, Err: err}
	}
	return nil
}

func (d *Driver) turn(ctx context.Context, fn func(*kernel) error) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	var k *kernel
	select {
	case k = <-d.kernel:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { d.kernel <- k }()
	if k == nil {
		if k, err = openKernel(); err != nil {
			return fmt.Errorf("open netlink socket: %w", err)
		}
		k.lifetime = d.leases.terms.seconds()
	}
	if err = fn(k); err != nil {
		k.close()
		k = nil
	}
	return err
}

// put returns where the address is. The watch asks beside it whether anybody
// else has it: nothing waits for an answer.
func (d *Driver) put(ctx context.Context, k *kernel, a Address) (p place, err error) {
	to, err := k.lookup(a.IP)
	if err != nil {
		return p, err
	}
	if p, err = k.place(ctx, a, to); err != nil {
		return p, err
	}
	if !p.link.up() {
		return p, down(p.link)
	}
	if err = unix.EEXIST; !to.isLocal() {
		d.books.begin(a.IP, p.link.index)
		err = k.add(p, a, k.lifetime) // mostly, the address is not here and this is all
	}
	if errors.Is(err, unix.EEXIST) {
		err = replace(ctx, k, a, p)
	}
	if err != nil {
		return p, fmt.Errorf("add %s/%d to %s: %w", a.IP, p.prefix, p.link.name, err)
	}
	return p, awaitLocal(ctx, k, a, p)
}

func down(l link) error {
	return noPlace(fmt.Sprintf("interface %s is down: bring it up with \"ip link set %s up\"", l.name, l.name))
}

// replace puts an address in its place that the machine has in some way.
func replace(ctx context.Context, k *kernel, a Address, p place) error {
	kept, err := k.clear(ctx, a, &p)
	if err != nil || kept {
		return err
	}
	return k.add(p, a, k.lifetime)
}

// clear takes the address from every interface, but for its right place if one
// is given, and reports whether it was and is there.
func (k *kernel) clear(ctx context.Context, a Address, right *place) (kept bool, err error) {
	for ctx.Err() == nil {
		list, err := k.addresses(ctx, a.IP)
		if err != nil {
			return false, err
		}
		wrong := 0
		var next held
		kept = false
		for _, h := range list {
			switch {
			case h.ip != a.IP:
			case right != nil && !kept && k.fits(*right, a, h):
				kept = true
			default:
				next, wrong = h, wrong+1
			}
		}
		if wrong == 0 {
			return kept, nil
		}
		err = k.remove(next, list)
		switch {
		case errors.Is(err, unix.EADDRNOTAVAIL) || errors.Is(err, unix.ENODEV):
			// Somebody else was faster: look again.
		case err != nil:
			return false, fmt.Errorf("remove %s/%d: %w", next.ip, next.prefix, err)
		case wrong == 1:
			return kept, nil // the kernel's acknowledgement is as good as another look
		}
	}
	return false, ctx.Err()
}

// fits reports whether an address is held as Start would have it: for good or
// by a lease, and not as a duplicate of another node's. A lease may begin with
// an address that was there for good.
func (k *kernel) fits(p place, a Address, h held) bool {
	const unwanted = unix.IFA_F_TENTATIVE | unix.IFA_F_DADFAILED
	wanted := uint32(unix.IFA_F_PERMANENT)
	if k.lifetime != forever {
		wanted = 0
	}
	return h.link == p.link.index && h.peer == h.ip && (a.Prefix == 0 || h.prefix == a.Prefix) &&
		h.flags&(wanted|unwanted) == wanted
}

// awaitLocal returns when the kernel takes packets for the address. For IPv4
// that is so when it acknowledges the address; for IPv6 another thread of the
// kernel enters the route afterwards. That also lets the address turn up on
// another interface only now, if it was given to that one a moment ago.
func awaitLocal(ctx context.Context, k *kernel, a Address, p place) error {
	for begun := time.Now(); ; pause() {
		to, err := k.lookup(a.IP)
		if err != nil || to.isLocal() && to.link == p.link.index {
			return err
		}
		if to.isLocal() {
			if _, err := k.clear(ctx, a, &p); err != nil {
				return err
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if time.Since(begun) > patience {
			return fmt.Errorf("%s is on %s but the kernel takes no packets for it", a.IP, p.link.name)
		}
	}
}

// pause lets the kernel's thread have this processor, which it waits for. Go's
// timers are no good for it: they round up to a millisecond. Nor is asking
// without a pause, which at real-time priority would keep that thread away.
func pause() {
	_ = unix.Nanosleep(&unix.Timespec{Nsec: 20_000}, nil) // cut short is as good
}

// patience is how long the kernel may take to enter the route to an address of
// its own: some 1000 times what it was seen to take.
const patience = time.Second

// judge also returns where a running one is.
func judge(ctx context.Context, k *kernel, a Address) (s resources.Status, p place, err error) {
	list, err := k.addresses(ctx, a.IP)
	if err != nil {
		return resources.Unknown, p, err
	}
	list = slices.DeleteFunc(list, func(h held) bool { return h.ip != a.IP })
	if len(list) == 0 {
		return resources.Stopped, p, nil
	}
	to, err := k.lookup(a.IP)
	if err != nil {
		return resources.Unknown, p, err
	}
	p, err = k.place(ctx, a, to)
	switch {
	case errors.As(err, new(noPlace)):
		return resources.Failed, p, nil
	case err != nil:
		return resources.Unknown, p, err
	case len(list) == 1 && k.fits(p, a, list[0]) && p.link.up():
		return resources.Running, p, nil
	}
	return resources.Failed, p, nil
}
