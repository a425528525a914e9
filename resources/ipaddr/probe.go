package ipaddr

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/systole-ha/systole/resources"
)

var _ resources.Prober = (*Driver)(nil)

// Place finds the interface that the address would go to.
func (d *Driver) Place(ctx context.Context, s resources.Spec) (found resources.Place, err error) {
	err = d.do(ctx, "place", s, func(ctx context.Context, k *kernel, a Address) error {
		l, err := k.home(ctx, a)
		found = resources.Place{Interface: l.name, Up: l.up(), Carrier: l.carries()}
		return err
	})
	return found, err
}

// home is the interface that an address belongs to.
func (k *kernel) home(ctx context.Context, a Address) (link, error) {
	to, err := k.lookup(a.IP)
	if err != nil {
		return link{}, err
	}
	p, err := k.place(ctx, a, to)
	return p.link, err
}

// Probe asks by ARP probes and neighbour solicitations. It has sockets of its
// own, so that it keeps no other operation of the Driver waiting.
func (d *Driver) Probe(ctx context.Context, specs []resources.Spec) ([]resources.Probe, error) {
	k, err := openKernel()
	if err != nil {
		return nil, fmt.Errorf("open netlink socket: %w", err)
	}
	defer k.close()
	q, err := k.enquiry(ctx, specs)
	if err != nil {
		return nil, err
	}
	defer q.close()
	if err := q.ask(ctx); err != nil {
		return nil, err
	}
	return q.results, nil
}

// An enquiry is what is asked of the network, segment by segment.
type enquiry struct {
	own      []string // hardware addresses of this machine
	segments []*segment
	results  []resources.Probe
}

// enquiry finds out whom to ask. Its sockets are open when it returns, in the
// network namespace of this thread.
func (k *kernel) enquiry(ctx context.Context, specs []resources.Spec) (*enquiry, error) {
	q := &enquiry{results: make([]resources.Probe, len(specs))}
	links, err := k.links(ctx)
	if err != nil {
		return nil, err
	}
	for _, l := range links {
		q.own = append(q.own, l.mac.String())
	}
	for i, s := range specs {
		if err := k.enquire(ctx, q, s, &q.results[i]); err != nil {
			q.close()
			return nil, &resources.Error{Op: "probe", Spec: s, Err: err}
		}
	}
	return q, nil
}

// enquire adds one address to its segment, or says why it is not asked for.
func (k *kernel) enquire(ctx context.Context, q *enquiry, s resources.Spec, into *resources.Probe) error {
	a, err := Parse(s)
	if err != nil {
		return err
	}
	l, err := k.home(ctx, a)
	if errors.As(err, new(noPlace)) {
		into.Unasked = err.Error()
		return nil
	}
	if err != nil {
		return err
	}
	list, err := k.addresses(ctx, a.IP)
	if err != nil {
		return err
	}
	into.Interface = l.name
	into.Held = slices.ContainsFunc(list, func(h held) bool { return h.ip == a.IP })
	if into.Unasked = unaskable(l); into.Unasked != "" {
		return nil
	}
	from := netip.IPv4Unspecified()
	if a.IP.Is6() {
		if from = linkLocal(list, l); !from.IsValid() {
			into.Unasked = l.name + " has no link-local address to ask from"
			return nil
		}
	}
	segment, err := q.segment(l, a.IP.Is6())
	if err != nil {
		return err
	}
	segment.from = from
	segment.targets = append(segment.targets, &target{ip: a.IP, into: into})
	into.Asked = true
	return nil
}

// unaskable says why nobody can be asked on an interface.
func unaskable(l link) string {
	const alone = unix.IFF_LOOPBACK | unix.IFF_NOARP | unix.IFF_POINTOPOINT
	switch {
	case !l.up():
		return l.name + " is down"
	case !l.carries():
		return l.name + " has no carrier"
	case l.flags&alone != 0 || len(l.mac) != 6:
		return l.name + " has no neighbours"
	}
	return ""
}

// linkLocal is an address of an interface to ask from that nobody uses for
// anything else. Asking from none, as duplicate detection does, would have the
// answer go to all nodes of the network, which then turn to whoever answered
// last (RFC 4861 section 7.2.4).
func linkLocal(list []held, l link) netip.Addr {
	const unusable = unix.IFA_F_TENTATIVE | unix.IFA_F_DADFAILED
	for _, h := range list {
		if h.link == l.index && h.ip.IsLinkLocalUnicast() && h.flags&unusable == 0 {
			return h.ip
		}
	}
	return netip.Addr{}
}

func (q *enquiry) segment(l link, ipv6 bool) (*segment, error) {
	for _, s := range q.segments {
		if s.link.index == l.index && s.ipv6 == ipv6 {
			return s, nil
		}
	}
	s, err := openSegment(l, ipv6)
	if err == nil {
		q.segments = append(q.segments, s)
	}
	return s, err
}

func (q *enquiry) close() {
	for _, s := range q.segments {
		s.conn.Close()
	}
}

// ask asks on all segments at once.
func (q *enquiry) ask(ctx context.Context) error {
	errs := make([]error, len(q.segments))
	var all sync.WaitGroup
	for i, s := range q.segments {
		all.Go(func() { errs[i] = s.ask(ctx, q.own) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// A target is one address that is asked for.
type target struct {
	ip   netip.Addr
	into *resources.Probe

	tell   func(by net.HardwareAddr) // is told of each that answers; may be nil
	isVoid func() bool               // nobody wants to know any more; may be nil
}

func (t *target) answered(by net.HardwareAddr, own []string) {
	if mac := by.String(); !slices.Contains(own, mac) && !slices.Contains(t.into.Others, mac) {
		t.into.Others = append(t.into.Others, mac)
		slices.Sort(t.into.Others)
		if t.tell != nil {
			t.tell(by)
		}
	}
}
