package takeover

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/resources"
)

// An order is one operation under way on one resource of a group.
type order struct {
	group *group
	index int
	op    Operation
}

func (t *Takeover) order(g *group, index int, op Operation) {
	t.lastOrder++
	t.orders[t.lastOrder] = &order{g, index, op}
	g.work[index].order = t.lastOrder
	t.out.Orders = append(t.out.Orders, Order{ID: t.lastOrder, Op: op, Group: g.key, Resource: g.Resources[index]})
}

// Done takes in the end of an order.
func (t *Takeover) Done(now time.Time, d Done) Output {
	o := t.orders[d.Order]
	if o == nil {
		panic(fmt.Sprintf("takeover: order %d was never given or has ended before", d.Order))
	}
	delete(t.orders, d.Order)
	return t.step(now, func() { t.done(now, o, d) })
}

func (t *Takeover) done(now time.Time, o *order, d Done) {
	g, w := o.group, &o.group.work[o.index]
	w.order = 0
	t.report(g, o, d)
	switch o.op {
	case Start:
		if !t.backAgain(now, g, o.index, d) {
			t.started(now, g, o.index, d)
		}
	case Stop:
		t.stopped(now, g, o.index, d)
	case Status:
		t.looked(now, g, o.index, d)
	case Announce:
		w.announced = true
	}
}

func (t *Takeover) report(g *group, o *order, d Done) {
	e := event.ResourceOperation{
		Group: g.key, Resource: g.names[o.index], Driver: g.Resources[o.index].Driver,
		Operation: string(o.op), Result: "ok", Took: d.Took, Trace: g.trace(),
	}
	if d.Err != nil {
		e.Result, e.Error = "failed", cause(d.Err)
		if errors.Is(d.Err, context.DeadlineExceeded) {
			e.Result = "timeout"
		}
	}
	t.emit(e)
}

// cause is what an error says besides the operation and the resource, which
// events name in fields of their own.
func cause(err error) string {
	if e := (*resources.Error)(nil); errors.As(err, &e) && e == err {
		return e.Err.Error()
	}
	return err.Error()
}

func (t *Takeover) started(now time.Time, g *group, index int, d Done) {
	w := &g.work[index]
	if g.state != starting {
		return // turned back meanwhile: it will be stopped whatever came of it
	}
	if d.Err != nil {
		t.fail(now, g, index, Start, d.Err)
		return
	}
	w.since = now
	if g.Resources[index].Announced {
		w.announce = 0
	}
	g.next++
}

func (t *Takeover) looked(now time.Time, g *group, index int, d Done) {
	g.work[index].found = d.Found
	switch g.state {
	case unknown:
		// The look at what a predecessor left. Only certainty that nothing runs
		// makes the group stopped.
		g.work[index].verified = d.Err == nil && d.Found == resources.Stopped
		for i := range g.work {
			if !g.work[i].verified {
				return
			}
		}
		t.become(g, stopped)
	case starting:
		if d.Err == nil && d.Found != resources.Running {
			d.Err = fmt.Errorf("status %s: %s right after its start", g.Resources[index].Spec, d.Found)
		}
		if d.Err != nil {
			t.fail(now, g, index, Status, d.Err)
			return
		}
		g.work[index].verified = true
	}
}

// fail gives g up because one of its resources would not run.
func (t *Takeover) fail(now time.Time, g *group, index int, op Operation, err error) {
	resource := g.names[index]
	g.failure = cause(err)
	g.failback = false
	t.want(now, g, release)
	t.turnBack(g)
	g.next = max(index, g.started()) // what was never started is left alone
	t.emit(event.ResourceFailed{Group: g.key, Resource: resource, Operation: string(op), Error: g.failure, Attempt: 1, Trace: g.trace()})
	failedMove := event.TakeoverFailed{
		Group: g.key, Resource: resource, Operation: string(op), Error: g.failure, Next: t.whatNext(g),
	}
	if g.move != nil {
		failedMove.ID, failedMove.Trigger, failedMove.Trace = g.move.id, g.move.trigger, g.move.trace
	}
	t.emit(failedMove)
}

// started is the last resource whose start was ordered.
func (g *group) started() int { return min(g.next, len(g.work)-1) }

func (t *Takeover) stopped(now time.Time, g *group, index int, d Done) {
	if d.Err == nil {
		g.next, g.tries = index-1, 0
		g.work[index] = work{announce: len(announceAfter)}
		return
	}
	g.tries++
	t.emit(event.ResourceFailed{
		Group: g.key, Resource: g.names[index], Operation: string(Stop), Error: cause(d.Err), Attempt: g.tries, Trace: g.trace(),
	})
	if g.tries < stopTries {
		g.retryAt = now.Add(stopRetry)
		return
	}
	g.stuck, g.tries, g.next = true, 0, index-1
}
