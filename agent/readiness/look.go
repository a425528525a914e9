package readiness

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/systole-ha/systole/agent/core"
	"github.com/systole-ha/systole/agent/membership"
)

// look makes every check, one after another. Where nobody asks, the first look
// waits until what a start sets in motion has come to rest.
func (c *Checker) look(ctx context.Context, asked bool) Report {
	s, err := c.snapshot(ctx)
	switch {
	case err != nil:
		return Report{Unjudged: fmt.Sprintf("the agent does not answer: %v", err)}
	case s.State != membership.Active:
		return Report{Unjudged: "this node does not take part yet: it has not heard every other one, nor given it up"}
	}
	if c.began.IsZero() {
		c.began = time.Now()
	}
	if !asked && len(c.last) == 0 && !s.Takeover.Stable && time.Since(c.began) < usually {
		return Report{Unjudged: "this node is about to start what it is to hold"}
	}
	r := Report{Verdicts: []Verdict{
		c.limited(ctx, UnitsLoadable, Limit, c.units),
		c.limited(ctx, InterfaceUp, Limit, c.interfaces),
		c.limited(ctx, AddressFree, Limit, c.addresses),
		links(s),
		files(s),
		clocks(s),
		c.limited(ctx, Disk, Limit, c.disk),
	}}
	if len(c.cfg.Devices) > 0 {
		r.Verdicts = append(r.Verdicts, c.fencing(ctx, asked))
	}
	return r
}

func (c *Checker) snapshot(ctx context.Context) (core.Snapshot, error) {
	ctx, cancel := context.WithTimeout(ctx, snapshotTime)
	defer cancel()
	return c.node.Snapshot(ctx)
}

// limited makes a check that leaves this process, which may not come back: a
// disk that hangs heeds no context. It is not made again while the one before
// is still out.
func (c *Checker) limited(ctx context.Context, name string, limit time.Duration, check func(context.Context) Verdict) Verdict {
	late := Verdict{Check: name, Reason: fmt.Sprintf("no answer within %v", limit)}
	if done := c.overdue[name]; done != nil {
		select {
		case <-done: // what it found is old
			delete(c.overdue, name)
		default:
			return late
		}
	}
	within, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	done := make(chan Verdict, 1)
	go func() { done <- check(within) }()
	select {
	case v := <-done:
		v.Check = name
		return v
	case <-ctx.Done():
	case <-time.After(limit + grace):
	}
	c.overdue[name] = done
	return late
}

// grace is how long after its limit a check may still say why it was late.
const grace = 200 * time.Millisecond

func ready(format string, args ...any) Verdict {
	return Verdict{Ready: true, Reason: fmt.Sprintf(format, args...)}
}

func not(reason string) Verdict { return Verdict{Reason: oneLine(reason)} }

// oneLine is the text of joined errors on one line.
func oneLine(text string) string { return strings.ReplaceAll(text, "\n", "; ") }
