package main

import (
	"context"
	"fmt"
	"io"
	"os/signal"
	"syscall"

	"github.com/systole-ha/systole/agent"
	"github.com/systole-ha/systole/agent/config"
	"github.com/systole-ha/systole/agent/control"
	"github.com/systole-ha/systole/agent/permission"
	"github.com/systole-ha/systole/agent/takeover"
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

// fencer carries the plan out.
func fencer(c *config.Config) agent.Fencer {
	levels := peerLevels(c)
	return agent.Fencer{
		Timeout: c.Fencing.Timeout,
		Do: func(ctx context.Context, level, device int) error {
			return levels[level][device].Do(ctx, c.Fencing.Action)
		},
	}
}

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
