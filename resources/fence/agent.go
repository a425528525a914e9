package fence

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

// A program is how a device's agent is started.
type program struct {
	name  string // to look up, or an absolute path
	args  []string
	env   []string // beside the daemon's own
	stdin string
}

// Do asks the device to act on its node. It returns nil when the device says
// that this is done, and never before: for Off and Reboot, that the node was
// without power.
//
// It blocks until then, or until ctx ends, when whatever the agent has started
// is killed; what the agent may have done by then is not known.
func (d Device) Do(ctx context.Context, a Action) error {
	switch d.Agent {
	case Null:
		return nil
	case Manual:
		if a == Monitor {
			return nil
		}
		return ErrManual
	}
	var err error
	if plugin, ok := d.plugin(); ok {
		_, err = d.plug(plugin, a).run(ctx)
		err = explain(err, a)
	} else {
		_, err = d.speak(a).run(ctx)
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", d.Agent, a, d.discreet(err))
	}
	return nil
}

// glueCodes are what the stonith command returns: S_BADCONFIG and so on of
// cluster-glue's stonith/stonith.h.
var glueCodes = [...]string{
	1: "bad configuration", 2: "the device cannot be reached, or takes no log-in", 3: "the device cannot do that",
	4: "the device does not know the node", 5: "the device could not do it", 6: "the device did not answer in time",
	8: "no such plugin, or it failed",
}

// isOff is S_ISOFF: what was to be reset has no power.
const isOff = 7

// explain makes words of the exit status of the stonith command.
func explain(err error, a Action) error {
	var exit *exec.ExitError
	if !errors.As(err, &exit) || !exit.Exited() {
		return err
	}
	code := exit.ExitCode()
	if code == isOff && a != Monitor {
		return nil
	}
	if code > 0 && code < len(glueCodes) && glueCodes[code] != "" {
		return fmt.Errorf("%s: %w", glueCodes[code], err)
	}
	return err
}

// speak is a fence agent: "name=value" lines on its standard input.
//
// As Pacemaker does, it is told which node is meant where the configuration
// does not say by which name the device knows it: by nodename, and by plug.
//
// Source: https://github.com/ClusterLabs/fence-agents/blob/main/doc/FenceAgentAPI.md
func (d Device) speak(a Action) program {
	var in bytes.Buffer
	line := func(name, value string) { fmt.Fprintf(&in, "%s=%s\n", name, value) }
	line("action", string(a))
	line("nodename", d.Node)
	if !d.given("plug") && !d.given("port") {
		line("plug", d.Node)
	}
	for _, p := range append(d.Secrets.values(), d.Parameters...) {
		line(p.Name, p.Value)
	}
	return program{name: d.Agent, stdin: in.String()}
}

// plug is a plugin of cluster-glue, by its stonith command: parameters in the
// environment, or as ha.cf has them in a file, so that no secret is seen on a
// command line.
//
// Source: stonith(8) of cluster-glue 1.0.12.
func (d Device) plug(plugin string, a Action) program {
	p := program{name: "stonith", args: []string{"-s", "-t", plugin}}
	switch {
	case d.File != "":
		p.args = append(p.args, "-F", d.File)
	case d.Line != nil:
		p.args = append(p.args, "-F", "/dev/stdin")
		p.stdin = d.line() + "\n"
	default:
		p.args = append(p.args, "-E")
		for _, s := range append(d.Secrets.values(), d.Parameters...) {
			p.env = append(p.env, s.Name+"="+s.Value)
		}
	}
	switch a {
	case Monitor:
		p.args = append(p.args, "-S")
	case Reboot:
		p.args = append(p.args, "-T", "reset", d.Node)
	default:
		p.args = append(p.args, "-T", string(a), d.Node)
	}
	return p
}

// discreet is an error without the secrets that an agent may have repeated.
func (d Device) discreet(err error) error {
	text := err.Error()
	hide := func(secret string) {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "***")
		}
	}
	for _, s := range d.Secrets.values() {
		hide(s.Value)
	}
	for _, word := range strings.Fields(d.line()) {
		if word != d.Node { // which of them are secret, only the plugin knows
			hide(word)
		}
	}
	if text == err.Error() {
		return err
	}
	return hidden{text, err}
}

// hidden is an error with another text.
type hidden struct {
	text string
	err  error
}

func (h hidden) Error() string { return h.text }
func (h hidden) Unwrap() error { return h.err }
