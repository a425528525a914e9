package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/systole-ha/systole/test/lab"
)

// A remote is a command that the running lab carries out.
type remote struct {
	name, args, help string // no help: for other commands
	least, most      int    // number of arguments; most -1: any
	run              func(ctx context.Context, l *lab.Lab, args []string, out io.Writer) error
}

var remotes = []remote{
	{"status", "", "the nodes and what addresses they hold", 0, 0, status},
	{"power-off", "NODE", "cut its links and kill everything in it, at once", 1, 1, onNode(powerOff)},
	{"shutdown", "NODE", "stop everything in it in good order", 1, 1, onNode(func(ctx context.Context, n *lab.Node, _ []string, _ io.Writer) error { return n.Shutdown(ctx) })},
	{"boot", "NODE", "switch it on again; its disk is kept", 1, 1, onNode(func(ctx context.Context, n *lab.Node, _ []string, _ io.Writer) error { return n.Boot(ctx) })},
	{"wipe", "NODE", "make the disk of a node that is off as new", 1, 1, onNode(func(_ context.Context, n *lab.Node, _ []string, _ io.Writer) error { return n.Wipe() })},
	{"freeze", "NODE", "stop all its processes where they are", 1, 1, onNode(func(_ context.Context, n *lab.Node, _ []string, _ io.Writer) error { return n.Freeze() })},
	{"thaw", "NODE", "let them go on", 1, 1, onNode(func(_ context.Context, n *lab.Node, _ []string, _ io.Writer) error { return n.Thaw() })},
	{"cut", "NODE NETWORK [DIRECTION]", "lose all frames; the carrier stays", 2, 3, onLink(cut)},
	{"lose", "NODE NETWORK FRACTION [DIRECTION]", "lose each frame with that probability, such as 0.3", 3, 4, onLink(lose)},
	{"heal", "NODE NETWORK", "undo cut and lose", 2, 2, onLink(func(n *lab.Node, w lab.Network, _ []string) error { return n.Heal(w) })},
	{"delay", "NODE NETWORK TIME", "make frames that late, each way; 0s undoes it", 3, 3, onLink(delay)},
	{"carrier", "NODE NETWORK up|down", "plug its cable in or out", 3, 3, onLink(carrier)},
	{"start", "NODE UNIT", "start a unit", 2, 2, onNode(func(ctx context.Context, n *lab.Node, args []string, _ io.Writer) error { return n.Start(ctx, args[0]) })},
	{"stop", "NODE UNIT", "stop a unit", 2, 2, onNode(func(ctx context.Context, n *lab.Node, args []string, _ io.Writer) error { return n.Stop(ctx, args[0]) })},
	{"signal", "NODE UNIT SIGNAL", "send KILL, STOP … to all processes of a unit", 3, 3, onNode(func(ctx context.Context, n *lab.Node, args []string, _ io.Writer) error {
		return n.Signal(ctx, args[0], args[1])
	})},
	{"journal", "NODE [UNIT ...]", "what units have logged", 1, -1, onNode(journal)},
	{"copy", "NODE FILE PATH", "copy a file of this machine to a path in the node", 3, 3, onNode(func(_ context.Context, n *lab.Node, args []string, _ io.Writer) error {
		return n.CopyFile(args[0], args[1])
	})},
	{"install", "NODE DIRECTORY [PREFIX]", "copy what is below a directory to / or below a prefix", 2, 3, onNode(install)},
	{"watch", "", "tell every change of an address, until Ctrl-C", 0, 0, watch},
	{"probe", "[--for T] [--every T] [--timeout T] URL", "ask from the client until Ctrl-C; tell the gaps", 1, -1, probe},
	{"entry", "", "", 2, -1, entry},
}

func carryOut(ctx context.Context, l *lab.Lab, args []string, out io.Writer) error {
	for _, r := range remotes {
		if r.name != args[0] {
			continue
		}
		given := len(args) - 1
		if given < r.least || r.most >= 0 && given > r.most {
			return errUsage(fmt.Sprintf("want %s %s", r.name, r.args))
		}
		return r.run(ctx, l, args[1:], out)
	}
	return errUsage("unknown command " + args[0])
}

// onNode makes a command of one whose first argument is a node.
func onNode(run func(context.Context, *lab.Node, []string, io.Writer) error) func(context.Context, *lab.Lab, []string, io.Writer) error {
	return func(ctx context.Context, l *lab.Lab, args []string, out io.Writer) error {
		n, err := node(l, args[0])
		if err != nil {
			return err
		}
		return run(ctx, n, args[1:], out)
	}
}

// onLink makes a command of one whose first arguments are a node and a network.
func onLink(run func(*lab.Node, lab.Network, []string) error) func(context.Context, *lab.Lab, []string, io.Writer) error {
	return onNode(func(_ context.Context, n *lab.Node, args []string, _ io.Writer) error {
		network, err := lab.ParseNetwork(args[0])
		if err != nil {
			return errUsage(err.Error())
		}
		return run(n, network, args[1:])
	})
}

func node(l *lab.Lab, name string) (*lab.Node, error) {
	i := slices.IndexFunc(l.Nodes(), func(n *lab.Node) bool { return n.Name() == name })
	if i < 0 {
		return nil, errUsage(fmt.Sprintf("no node is called %q: there are %v", name, l.Nodes()))
	}
	return l.Nodes()[i], nil
}

// direction reads the last argument, if there is one.
func direction(args []string) (lab.Direction, error) {
	if len(args) == 0 {
		return lab.Both, nil
	}
	d, err := lab.ParseDirection(args[0])
	if err != nil {
		return 0, errUsage(err.Error())
	}
	return d, nil
}

func cut(n *lab.Node, network lab.Network, args []string) error {
	d, err := direction(args)
	if err != nil {
		return err
	}
	return n.Cut(network, d)
}

func lose(n *lab.Node, network lab.Network, args []string) error {
	fraction, err := strconv.ParseFloat(args[0], 64)
	if err != nil {
		return errUsage(fmt.Sprintf("fraction %q: want 0 to 1", args[0]))
	}
	d, err := direction(args[1:])
	if err != nil {
		return err
	}
	return n.Lose(network, d, fraction)
}

func delay(n *lab.Node, network lab.Network, args []string) error {
	d, err := time.ParseDuration(args[0])
	if err != nil {
		return errUsage(err.Error())
	}
	return n.Delay(network, d)
}

func carrier(n *lab.Node, network lab.Network, args []string) error {
	if args[0] != "up" && args[0] != "down" {
		return errUsage(fmt.Sprintf("carrier %q: want up or down", args[0]))
	}
	return n.Carrier(network, args[0] == "up")
}

func powerOff(_ context.Context, n *lab.Node, _ []string, _ io.Writer) error {
	_, err := n.PowerOff()
	return err
}

func install(_ context.Context, n *lab.Node, args []string, _ io.Writer) error {
	return n.Install(args[0], strings.Join(args[1:], ""))
}

func journal(ctx context.Context, n *lab.Node, args []string, out io.Writer) error {
	text, err := n.Journal(ctx, args...)
	io.WriteString(out, text)
	return err
}

func status(_ context.Context, l *lab.Lab, _ []string, out io.Writer) error {
	for _, n := range l.Nodes() {
		if !n.On() {
			fmt.Fprintf(out, "%-12s off\n", n)
			continue
		}
		addresses, err := n.Addresses()
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%-12s on", n)
		for _, a := range addresses {
			if a.Device != "lo" && !a.Prefix.Addr().IsLinkLocalUnicast() {
				fmt.Fprintf(out, "  %s %s", a.Device, a.Prefix)
			}
		}
		fmt.Fprintln(out)
	}
	return nil
}

// entry gives, in JSON, the command that enters a node or the client.
func entry(_ context.Context, l *lab.Lab, args []string, out io.Writer) error {
	if args[0] == "client" {
		return json.NewEncoder(out).Encode(l.Client().Entry(args[1], args[2:]...))
	}
	n, err := node(l, args[0])
	if err != nil {
		return err
	}
	command, err := n.Entry(args[1], args[2:]...)
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(command)
}

func watch(ctx context.Context, l *lab.Lab, _ []string, out io.Writer) error {
	w, err := l.Watch()
	if err != nil {
		return err
	}
	told := 0
	_, err = w.Await(ctx, "Ctrl-C", func(h lab.History) bool {
		lines := strings.SplitAfter(h.String(), "\n")
		io.WriteString(out, strings.Join(lines[told:], ""))
		told = len(h.Changes)
		return false
	})
	if ctx.Err() != nil { // the ordinary end
		err = nil
	}
	return errors.Join(err, w.Close())
}

func probe(ctx context.Context, l *lab.Lab, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("probe", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	every := flags.Duration("every", 0, "")
	timeout := flags.Duration("timeout", 0, "")
	duration := flags.Duration("for", 0, "")
	if err := flags.Parse(args); err != nil || flags.NArg() != 1 {
		return errUsage("want probe [--for T] [--every T] [--timeout T] URL; T is a time")
	}
	if *duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, *duration)
		defer cancel()
	}
	p, err := l.Probe(lab.Question{URL: flags.Arg(0), Every: *every, Timeout: *timeout})
	if err != nil {
		return err
	}
	<-ctx.Done()
	r, err := p.Stop()
	fmt.Fprintln(out, r)
	for _, gap := range r.Gaps(20 * time.Millisecond) {
		fmt.Fprintf(out, "%+10.4fs gap of %s\n", gap.From.Sub(r.Samples[0].Due).Seconds(), gap)
	}
	return err
}
