package ipaddr

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/systole-ha/systole/resources"
)

// A rival is another machine that has answered a probe for an address which
// the driver has begun to put up here.
type rival struct {
	claim
	to beginning
}

// probe asks the network who has these addresses, each from the moment on in
// which the driver begins to put it up: an ARP probe (RFC 5227 section 2.1.1) or
// a neighbour solicitation, and twice more where nobody answers. The driver does
// not wait for it. Who answers is a rival, whatever becomes of the address.
//
// What cannot be asked for is not: others are still heard where they speak.
func (w *watch) probe(ctx context.Context, begun map[netip.Addr]beginning) {
	q := &enquiry{}
	for _, l := range w.links {
		q.own = append(q.own, l.mac.String())
	}
	for ip, b := range begun {
		if a := w.addresses[ip]; a != nil {
			a.rivals = nil
			w.probeOne(ctx, q, ip, b)
		}
	}
	if len(q.segments) == 0 {
		return
	}
	w.readers.Go(func() {
		defer q.close()
		_ = q.ask(ctx) // an interface that goes down meanwhile is told otherwise
	})
}

func (w *watch) probeOne(ctx context.Context, q *enquiry, ip netip.Addr, b beginning) {
	l, exists := w.links[b.link]
	if !exists || unaskable(l) != "" {
		return
	}
	from := netip.IPv4Unspecified()
	if ip.Is6() {
		list, err := w.kernel.addresses(ctx, ip)
		if from = linkLocal(list, l); err != nil || !from.IsValid() {
			return
		}
	}
	s, err := q.segment(l, ip.Is6())
	if err != nil {
		return
	}
	s.from, s.strict = from, true
	s.targets = append(s.targets, &target{
		ip: ip, into: new(resources.Probe),
		isVoid: func() bool { return !w.books.stands(ip, b) },
		tell: func(by net.HardwareAddr) {
			select {
			case w.rivals <- rival{claim{ip, slices.Clone(by), l.index}, b}:
			case <-ctx.Done():
			}
		},
	})
}

// answered judges a rival. It counts at once, however fresh the holding: nobody
// has asked it but this node, and only since it began. One that answers before
// the driver is through waits until it is.
func (w *watch) answered(now time.Time, r rival) {
	a := w.addresses[r.ip]
	switch {
	case a == nil || w.isOurs(r.mac) || !w.books.stands(r.ip, r.to):
	case a.hold != nil && a.hold.link == r.link:
		w.contested(now, a, r.claim)
	case a.hold == nil && len(a.rivals) < conflictMost:
		a.rivals = append(a.rivals, r)
	}
}

// answeredBefore judges the rivals that have waited.
func (w *watch) answeredBefore(a *watched) {
	waiting := a.rivals
	a.rivals = nil
	for _, r := range waiting {
		w.answered(time.Now(), r)
	}
}
