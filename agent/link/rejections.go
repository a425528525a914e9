package link

import (
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/systole-ha/systole/agent/wire"
)

// reasons are all the reasons there are to reject a packet.
var reasons = [...]wire.Reason{wire.BadSignature, wire.UnknownKey, wire.Malformed, wire.Oversize}

// reportInterval is the least time between two reports of one reason on one
// link. Under a flood, ten a second are news enough.
const reportInterval = 100 * time.Millisecond

// rejections counts what one link refuses and reports it in heaps. Only the
// holder of the socket uses it, but for total, which anybody may read.
type rejections struct {
	total   [len(reasons)]atomic.Uint64
	pending [len(reasons)]pending
	dropped uint64 // by the kernel, not reported yet
}

type pending struct {
	count    uint64
	source   netip.AddrPort
	at       time.Time
	reported time.Time
}

// add counts one packet refused.
func (r *rejections) add(reason wire.Reason, source netip.AddrPort, at time.Time) {
	for i := range reasons {
		if reasons[i] == reason {
			r.total[i].Add(1)
			r.pending[i].count++
			r.pending[i].source, r.pending[i].at = source, at
			return
		}
	}
	panic("link: unknown reason " + string(reason))
}

// report tells the handler of the reasons whose time has come at now, and
// returns when the next one's will; the zero time if nothing is waiting.
func (r *rejections) report(now time.Time, b *base) (next time.Time) {
	for i := range r.pending {
		p := &r.pending[i]
		if p.count == 0 {
			continue
		}
		if due := p.reported.Add(reportInterval); due.After(now) {
			if next.IsZero() || due.Before(next) {
				next = due
			}
			continue
		}
		rejection := Rejection{
			Link: b.name, Index: b.index, Reason: string(reasons[i]),
			Source: p.source, At: p.at, Count: p.count, Overflow: r.dropped,
		}
		p.count, p.reported, r.dropped = 0, now, 0
		b.handler.Rejected(rejection)
	}
	return next
}

func (r *rejections) totals() map[string]uint64 {
	m := make(map[string]uint64, len(reasons))
	for i := range reasons {
		m[string(reasons[i])] = r.total[i].Load()
	}
	return m
}
