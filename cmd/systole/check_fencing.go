package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/systole-ha/systole/agent/config"
	"github.com/systole-ha/systole/agent/permission"
	"github.com/systole-ha/systole/resources"
	"github.com/systole-ha/systole/resources/fence"
)

// A fenceCheck says what is wrong with a device on this machine.
type fenceCheck func(d fence.Device, ctx context.Context, a fence.Action) []resources.Finding

// examineFencing reports what is wrong with the devices by which this node
// fences the other.
func (r registry) examineFencing(ctx context.Context, c *config.Config) (diagnostics config.Diagnostics) {
	if r.fence == nil {
		return nil
	}
	for _, level := range peerLevels(c) {
		for _, d := range level {
			for _, f := range r.fence(d.Device, ctx, c.Fencing.Action) {
				file, line, _ := strings.Cut(d.Origin, ":")
				number, _ := strconv.Atoi(line)
				diagnostics = append(diagnostics, config.Diagnostic{Severity: severityOf(f), File: file, Line: number, Word: "fencing", Text: f.Text})
			}
		}
	}
	return diagnostics
}

// fencing lists who is switched off by what.
func (p *plan) fencing() {
	f := p.c.Fencing
	if !f.Enabled() {
		p.row("fencing", "none: a silent node is replaced, though it may be alive", "default")
		return
	}
	what := "fencing"
	for i, node := range p.c.Nodes {
		for _, level := range f.Of(node) {
			for _, d := range level {
				by := p.c.Nodes[(i+1)%len(p.c.Nodes)]
				p.row(what, fmt.Sprintf("%s switches %s off by %s, level %d", by, node, d.Agent, d.Level), d.Origin)
				what = ""
			}
		}
	}
	origin := "default"
	if p.c.Origin("fencing.devices") == "" {
		origin = "default of ha.cf: heartbeat resets"
	}
	p.setting("", fmt.Sprintf("action %s", f.Action), "fencing.action", origin)
	p.setting("", fmt.Sprintf("delay %s for the node that holds less", config.Human(f.Delay)), "fencing.delay", "default")
	p.setting("", fmt.Sprintf("timeout %s a try", config.Human(f.Timeout)), "fencing.timeout", "default")
	p.setting("", fmt.Sprintf("tries %d a level", f.Tries), "fencing.tries", "default")
	p.setting("", fmt.Sprintf("retry %s after every level has failed", config.Human(f.Retry)), "fencing.retry", "default")
	p.setting("", "on failure "+onFailure(f), "fencing.on_failure", "default")
}

func onFailure(f config.Fencing) string {
	if f.OnFailure == config.FailAddresses {
		return "addresses: groups of nothing but addresses are taken, though both nodes may answer for them then"
	}
	return "wait"
}

// whenCutAndFenced says what comes of a cut of all links where a silent node is
// switched off first.
func whenCutAndFenced(c *config.Config) string {
	switch c.Permission {
	case permission.Arbiter, permission.Quorum:
		return "the node that wins the vote switches the other off, and takes the rest once that is off."
	case permission.Ping:
		return "a node that reaches a ping node switches the other off, the one that holds less " + config.Human(c.Fencing.Delay) + " later; who is left takes the rest."
	}
	if c.Fencing.Delay == 0 {
		return "each node switches the other off, at the same time: where a device serves both, none may be left."
	}
	return fmt.Sprintf("the node that holds more switches the other off, and takes the rest once that is off; the other would do so %s later.", config.Human(c.Fencing.Delay))
}
