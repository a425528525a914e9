package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"sync"
	"syscall"

	"github.com/systole-ha/systole/agent"
	"github.com/systole-ha/systole/agent/config"
	"github.com/systole-ha/systole/agent/control"
	"github.com/systole-ha/systole/agent/permission"
	"github.com/systole-ha/systole/agent/readiness"
	"github.com/systole-ha/systole/agent/takeover"
	"github.com/systole-ha/systole/resources/fence"
)

// Exit codes of systole fence.
const (
	fenceAccepted = 0
	fenceRefused  = 1
)

// fencePlan is how the peer is fenced, for the judgement: nil where it is not.
func fencePlan(c *config.Config) *takeover.FencePlan {
	levels := peerLevels(c)
	if len(levels) == 0 {
		return nil
	}
	f := c.Fencing
	plan := &takeover.FencePlan{
		Action: string(f.Action), Delay: f.Delay, Retry: f.Retry, Tries: f.Tries, Addresses: f.OnFailure == config.FailAddresses,
		First: c.Permission == permission.Peer,
	}
	for _, level := range levels {
		var methods []string
		for _, d := range level {
			methods = append(methods, d.Method())
		}
		plan.Levels = append(plan.Levels, methods)
	}
	return plan
}

// peerLevels are the devices that this node fences its peer by.
func peerLevels(c *config.Config) [][]config.FenceDevice {
	for _, peer := range c.Peers() {
		return c.Fencing.Of(peer)
	}
	return nil
}

// A fences has devices do one thing at a time, as many of them can: a question
// whether they are there gives way to the order to switch the peer off.
type fences struct {
	mu     sync.Mutex
	orders int                // under way
	leave  context.CancelFunc // the question under way; nil for none
}

// fencer carries the plan out.
func (f *fences) fencer(c *config.Config) agent.Fencer {
	levels := peerLevels(c)
	return agent.Fencer{
		Timeout: c.Fencing.Timeout,
		Do: func(ctx context.Context, level, device int) error {
			defer f.order()()
			return levels[level][device].Do(ctx, c.Fencing.Action)
		},
	}
}

// devices are those that readiness asks.
func (f *fences) devices(c *config.Config) (all []readiness.Device) {
	for _, level := range peerLevels(c) {
		for _, d := range level {
			device := readiness.Device{Name: d.Agent}
			if !d.ByHand() {
				device.Check = func(ctx context.Context) error { return f.ask(ctx, d.Do) }
			}
			all = append(all, device)
		}
	}
	return all
}

// order ends a question, and has none begin before the order is done.
func (f *fences) order() (done func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.orders++
	if f.leave != nil {
		f.leave()
	}
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.orders--
	}
}

// ask asks a device whether it would. One that is switching the peer off, or
// begins to, is there.
func (f *fences) ask(ctx context.Context, do func(context.Context, fence.Action) error) error {
	ctx, leave := context.WithCancelCause(ctx)
	defer leave(nil)
	f.mu.Lock()
	busy := f.orders > 0
	f.leave = func() { leave(errOrdered) }
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.leave = nil
	}()
	if busy {
		return nil
	}
	err := do(ctx, fence.Monitor)
	if context.Cause(ctx) == errOrdered {
		return nil
	}
	return err
}

var errOrdered = errors.New("the device is wanted")

// runFence is systole fence: it has the daemon fence a node now, or tells it
// that a person knows the node to be off.
func runFence(socket, node string, confirmed bool, stdout, stderr io.Writer) int {
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer cancel()
	kind := "fence"
	if confirmed {
		kind = "confirm"
	}
	reply, err := control.At(socket).Fence(ctx, kind, node)
	switch {
	case err != nil:
		fmt.Fprintf(stderr, "systole: %v\n", err)
		return fenceRefused
	case !reply.Accepted:
		fmt.Fprintf(stderr, "systole: refused: %s\n", reply.Reason)
		return fenceRefused
	case confirmed:
		fmt.Fprintf(stdout, "%s is taken for off by your word: its groups start here\n", node)
	default:
		fmt.Fprintf(stdout, "%s is being fenced: systole events --follow shows what comes of it\n", node)
	}
	return fenceAccepted
}
