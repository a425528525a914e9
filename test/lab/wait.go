package lab

import (
	"context"
	"fmt"
	"time"
)

// pollEvery is how often WaitFor looks: often enough to cost a test nothing,
// seldom enough for two cores.
const pollEvery = 20 * time.Millisecond

// WaitFor calls cond again and again until it returns nil, and fails when ctx
// ends first, with what cond said last. ctx must have a deadline; what follows
// "waiting for".
func WaitFor(ctx context.Context, what string, cond func(context.Context) error) error {
	if _, ok := ctx.Deadline(); !ok {
		return fmt.Errorf("waiting for %s: the context has no deadline", what)
	}
	start := time.Now()
	ticks := time.NewTicker(pollEvery)
	defer ticks.Stop()
	var last error // before the one that the end of ctx may have cut off
	for {
		err := cond(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ticks.C:
			last = err
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: not within %v: %w; before that: %v", what, time.Since(start).Round(time.Millisecond), err, last)
		}
	}
}

// WaitRun waits until a command succeeds in the node.
func (n *Node) WaitRun(ctx context.Context, command string, args ...string) error {
	return WaitFor(ctx, fmt.Sprintf("%s on %s", command, n.name), func(ctx context.Context) error {
		_, err := n.Run(ctx, command, args...)
		return err
	})
}

// WaitActive waits until a unit is active in the node.
func (n *Node) WaitActive(ctx context.Context, unit string) error {
	return n.WaitRun(ctx, "systemctl", "is-active", unit)
}
