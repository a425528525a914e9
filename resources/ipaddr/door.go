package ipaddr

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/systole-ha/systole/resources"
	"github.com/systole-ha/systole/resources/ipaddr/gate"
)

// A door is the gate as the leases know it.
type door struct {
	gate    *gate.Gate
	looked  bool          // at what an earlier process left
	found   gate.State    // then
	up      bool          // it is there, and ours
	missing error         // why there is none
	broken  error         // why one that is there cannot be renewed: nobody gets through it, so nothing is to be held
	again   time.Duration // when to try next
	called  time.Duration // when it was renewed last, or need not be: a heartbeat left after it
	renewed time.Duration
	ends    time.Duration // when it shuts
	lapsed  bool          // it has shut, by the kernel's word
}

// look sees to what an earlier process has left, once, before anything else is
// done. A gate that has shut says that its lease ran out, and that another node
// may have the addresses: then what is left of them goes, before they are taken
// for found here. A gate that is not wanted any more goes, too.
func (l *leases) look(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lookOnce(ctx)
}

func (l *leases) lookOnce(ctx context.Context) (err error) {
	d := &l.door
	if d.looked || len(l.terms.Addresses) == 0 {
		return nil
	}
	d.found, err = d.gate.Find()
	switch {
	case err != nil && l.terms.Gate == 0:
		err = nil // there can be none
	case err != nil:
		d.missing, d.again = fmt.Errorf("%w: %w", resources.ErrLeaseWeaker, err), awake()+gateAgain
		err = nil
	case d.found == gate.Shut:
		err = l.removeLeftovers(ctx)
	}
	if err == nil && l.terms.Gate == 0 && d.found != gate.Absent {
		err = d.gate.Remove()
	}
	d.looked = err == nil
	return err
}

func (l *leases) removeLeftovers(ctx context.Context) error {
	if err := l.ready(); err != nil {
		return err
	}
	for _, ip := range l.terms.Addresses {
		if _, err := l.kernel.clear(ctx, Address{IP: ip}, nil); err != nil {
			return fmt.Errorf("remove what an earlier process left of %s: %w", ip, err)
		}
	}
	return nil
}

// gateAgain is how long after a failure the gate is tried again.
const gateAgain = time.Second

// renewGate renews the gate so that it shuts no later than if every heartbeat
// had left in its time: one that is late has made the peer wait no longer.
func (l *leases) renewGate(now time.Duration) error {
	d := &l.door
	life := l.terms.Gate
	if d.called > 0 {
		life -= max(0, now-d.called-l.terms.Keepalive)
	}
	switch {
	case l.over(now) || life < time.Millisecond:
		d.lapsed = true
		return nil
	case d.up && now-d.renewed < l.terms.Gate/renewals:
		d.called = now
		return nil
	case d.missing != nil && now < d.again:
		return d.missing
	}
	err := l.lookOnce(context.Background())
	if err == nil {
		err = l.renewDoor(life)
	}
	switch {
	case errors.Is(err, gate.ErrShut):
		d.lapsed = true
		return nil
	case errors.Is(err, gate.ErrRebuilt):
		err = fmt.Errorf("%w: %w", resources.ErrLeaseRestored, err)
	case err != nil && (d.up || d.found != gate.Absent):
		d.broken = err
		return err
	case err != nil:
		d.missing, d.again = fmt.Errorf("%w: %w", resources.ErrLeaseWeaker, err), now+gateAgain
		return d.missing
	}
	d.up, d.missing, d.broken = true, nil, nil
	d.called, d.renewed, d.ends = now, now, now+life
	return err
}

// renewDoor renews the gate, or puts it up.
func (l *leases) renewDoor(life time.Duration) error {
	d := &l.door
	switch {
	case d.up:
		return d.gate.Renew(life)
	case d.found != gate.Open:
		return d.gate.Build(life)
	}
	err := d.gate.Adopt(life)
	if errors.Is(err, gate.ErrShut) { // since it was looked at
		d.found = gate.Shut
		err = errors.Join(err, l.removeLeftovers(context.Background()))
	}
	return err
}
