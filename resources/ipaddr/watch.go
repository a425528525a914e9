package ipaddr

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/systole-ha/systole/resources"
)

// A Change is an address that the kernel has on an interface, or has there no
// more, whoever did it.
type Change struct {
	Address   string // as Spelled
	Interface string
	Present   bool
}

// A Loss is an address of this driver's that somebody else took away.
type Loss struct {
	Address   string
	Interface string
	Cause     string // "removed", "the interface went down", "the interface is gone"
}

// A Conflict is another machine that answers for an address of this driver's.
type Conflict struct {
	Address   string
	Interface string
	Ours      string // MAC
	Theirs    string // MAC
}

// A ConflictEnd is an address for which nobody else has answered for
// conflictQuiet, or which the driver holds no more.
type ConflictEnd struct {
	Address   string
	Interface string
	Took      time.Duration // from the first packet of another machine to this word
}

// An Announcement is packets that told the neighbours about an address.
type Announcement struct {
	Address   string
	Interface string
	Sent      uint64
	Failed    uint64
	Error     string // of the last that failed
}

// A Watcher is told what becomes of addresses, one thing at a time and in
// order. It may block: what happens meanwhile is told afterwards, as far as it
// has not been undone.
type Watcher interface {
	AddressChanged(Change)
	AddressLost(Loss)
	AddressConflict(Conflict)
	AddressConflictCleared(ConflictEnd)
	AddressAnnounced(Announcement)
	AddressesCarried([]Carrier)
}

// Spelled is the address of a resource as haresources spells it, without its
// prefix: its name in what a Watcher is told.
func Spelled(s resources.Spec) (string, error) {
	text, err := argument(s)
	address, _, _ := strings.Cut(text, "/")
	return address, err
}

// Watch tells w what becomes of the addresses of specs until ctx ends: what the
// kernel has, what it loses, what this driver announces, and who else on the
// wire says that an address held here is his. Specs without an address are
// passed over. At first it tells the addresses that are there.
//
// It listens in the network namespace in which it is called, beside the
// operations of the driver: they never wait for it. The error is that of a
// socket, and then what was told is forgotten: another Watch begins anew.
func (d *Driver) Watch(ctx context.Context, specs []resources.Spec, w Watcher) error {
	return newWatch(d.books, specs, w).run(ctx)
}

// A watch is one Watch: what was told, and what the next thing is judged by.
type watch struct {
	books     *books
	watcher   Watcher
	addresses map[netip.Addr]*watched
	links     map[int]link // by index
	kernel    *kernel      // of its own
	wire      *wire        // where others are heard
	homeless  bool         // an address has no interface
	rivals    chan rival   // answers to probes
	readers   *sync.WaitGroup

	settle, quiet, again time.Duration // see conflict.go
}

// A watched is one address.
type watched struct {
	ip      netip.Addr
	name    string
	want    Address
	on      map[spot]bool // where the kernel has it
	hold    *hold         // nil while the driver does not hold it
	rivals  []rival       // that have answered before the driver was known to hold it
	home    int           // index of the interface it is on, or would be; 0 while there is none
	carried *Carrier      // as told; nil before
}

// A spot is where an address is. The kernel may have it under two prefixes on
// one interface.
type spot struct{ link, prefix int }

// A hold is a holding as far as it was looked at.
type hold struct {
	holding
	armed    bool      // conflicts count
	lost     bool      // and that was told
	conflict *conflict // nil where there is none
}

func newWatch(b *books, specs []resources.Spec, w Watcher) *watch {
	v := &watch{
		books: b, watcher: w, addresses: map[netip.Addr]*watched{}, links: map[int]link{}, rivals: make(chan rival),
		settle: conflictSettle, quiet: conflictQuiet, again: conflictAgain,
	}
	for _, s := range specs {
		a, err := Parse(s)
		if err != nil || v.addresses[a.IP] != nil {
			continue
		}
		name, _ := Spelled(s) // it parses
		v.addresses[a.IP] = &watched{ip: a.IP, name: name, want: a, on: map[spot]bool{}}
	}
	return v
}

func (w *watch) run(ctx context.Context) (err error) {
	var readers sync.WaitGroup
	defer readers.Wait()
	w.readers = &readers
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if w.kernel, err = openKernel(); err != nil {
		return fmt.Errorf("open netlink socket: %w", err)
	}
	defer w.kernel.close()
	notices, err := subscribe(ctx, &readers)
	if err != nil {
		return fmt.Errorf("listen to the kernel: %w", err)
	}
	v4, v6 := w.families()
	if w.wire, err = openWire(ctx, v4, v6, &readers); err != nil {
		return fmt.Errorf("listen for other owners of addresses: %w", err)
	}
	defer w.wire.close()
	if err := w.lookAtAll(ctx); err != nil {
		return err
	}
	w.books.open()
	w.readBooks(ctx)
	if err := w.tellCarriers(ctx); err != nil {
		return err
	}
	if err = w.follow(ctx, notices); ctx.Err() != nil {
		return nil
	}
	w.endConflicts(time.Now())
	return err
}

// follow tells what happens until ctx ends or a socket fails.
func (w *watch) follow(ctx context.Context, notices <-chan notice) error {
	alarm := time.NewTimer(0)
	defer alarm.Stop()
	reading := time.NewTimer(0)
	defer reading.Stop()
	var news <-chan struct{} // nil until the time of the next reading has come
	for {
		select {
		case <-ctx.Done():
			return nil
		case n, open := <-notices:
			if !open {
				return errDeaf
			}
			if err := w.hear(ctx, n); err != nil {
				return err
			}
			continue // it moves nothing that is due
		case <-reading.C:
			news = w.books.news
			continue
		case <-news:
			w.readBooks(ctx)
			if err := w.tellCarriers(ctx); err != nil {
				return err
			}
			news = nil
			reading.Reset(readingPause)
		case c := <-w.wire.claims:
			w.claimed(time.Now(), c)
		case r := <-w.rivals:
			w.answered(time.Now(), r)
		case <-alarm.C:
			if err := w.due(ctx, time.Now()); err != nil {
				return err
			}
		}
		alarm.Reset(w.next(time.Now()))
	}
}

// readingPause is the least time between two readings of the books: an
// operation on a group of hundreds of addresses should not have a reader beside
// it at every step. Nothing in the books is urgent.
const readingPause = 20 * time.Millisecond

// families says which of the two there is to listen for.
func (w *watch) families() (v4, v6 bool) {
	for ip := range w.addresses {
		v4, v6 = v4 || ip.Is4(), v6 || ip.Is6()
	}
	return v4, v6
}

// readBooks takes over what the driver has done.
func (w *watch) readBooks(ctx context.Context) {
	page := w.books.read()
	w.probe(ctx, page.begun)
	for ip, a := range page.announced {
		if known := w.addresses[ip]; known != nil {
			a.Address = known.name
			w.watcher.AddressAnnounced(a)
		}
	}
	disarmed := false
	for ip, h := range page.held {
		a := w.addresses[ip]
		if a == nil {
			continue
		}
		if a.hold != nil {
			w.endConflict(a, time.Now())
			disarmed = disarmed || a.hold.armed
			a.hold = nil
		}
		if h != (holding{}) {
			a.hold = &hold{holding: h}
			w.answeredBefore(a)
		}
	}
	if disarmed {
		w.listen()
	}
}

// due does what the time has come for: conflicts of fresh holdings begin to
// count, and others end.
func (w *watch) due(ctx context.Context, now time.Time) error {
	armed := false
	for _, a := range w.addresses {
		if a.hold == nil {
			continue
		}
		if !a.hold.armed && now.Sub(a.hold.since) >= w.settle {
			a.hold.armed, armed = true, true
			if err := w.judge(ctx, a); err != nil { // it may have been lost before it was known to be held
				return err
			}
		}
		if c := a.hold.conflict; c != nil && c.isOver(now, w.quiet) {
			w.endConflict(a, now)
		}
	}
	if armed {
		w.listen()
	}
	return nil
}

// next is how long there is nothing due.
func (w *watch) next(now time.Time) time.Duration {
	wait := time.Hour
	for _, a := range w.addresses {
		if a.hold == nil {
			continue
		}
		if !a.hold.armed {
			wait = min(wait, a.hold.since.Add(w.settle).Sub(now))
		}
		if c := a.hold.conflict; c != nil {
			wait = min(wait, c.last.Add(w.quiet).Sub(now))
		}
	}
	return max(wait, 0)
}
