// Command lab runs a laboratory of nodes by hand: see package
// github.com/systole-ha/systole/test/lab.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

const usage = `usage: lab [--lab ID] COMMAND [ARGUMENT]...

Boots a few systemd nodes on this machine, lets you into them, and breaks them:
alpha is 192.0.2.1 on eth0 and 198.51.100.1 on eth1, beta .2 and so on; a client
at 192.0.2.100 asks them. Needs root.

On this machine
%s
In a running lab (with --lab if there are several)
%s
NODE is alpha, beta …; NETWORK is eth0, eth1 or, for cut and heal, serial;
DIRECTION is in, out or both, as the node sees it, and both by default. Times are
20ms, 1.5s …. A command's flags come before its other arguments.
`

// A session is one call of the command.
type session struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	lab            string // --lab
}

// A command is one word after `lab`.
type command struct {
	name, args, help string
	run              func(ctx context.Context, s *session, args []string) error
}

// commands are those that this process carries out, in the order of the help.
// The others are remotes.
var commands = []command{
	{"up", "[--nodes N] [--serial] [--baud N]", "boot a lab and keep it until Ctrl-C or `lab down`", up},
	{"list", "", "the labs that are up", list},
	{"sweep", "", "remove what killed labs have left", sweep},
	{"deps", "[--install]", "the Debian packages a lab needs, and which are missing", deps},
	{"sh", "NODE", "a shell in a node, or in the network of the client", shell},
	{"run", "NODE -- COMMAND ...", "a command in a node or as the client; exits as it does", runIn},
	{"down", "", "end the lab and remove all of it", down},
}

// errUsage is a call that makes no sense; its text is for people.
type errUsage string

func (e errUsage) Error() string { return string(e) }

// errExit is a command in a node that failed, and has said why.
type errExit int

func (e errExit) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	s := &session{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr}
	os.Exit(s.main(ctx, os.Args[1:]))
}

// main carries out a command line and gives the exit code: 0, 1 for a failure,
// 2 for a call that makes no sense, or that of the command `run` ran.
func (s *session) main(ctx context.Context, args []string) int {
	err := s.dispatch(ctx, args)
	var exit errExit
	var bad errUsage
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return int(exit)
	case errors.As(err, &bad):
		fmt.Fprintf(s.stderr, "lab: %v\nTry `lab help`.\n", bad)
		return 2
	}
	fmt.Fprintln(s.stderr, "lab:", err)
	return 1
}

func (s *session) dispatch(ctx context.Context, args []string) error {
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		name, value, ok := strings.Cut(strings.TrimLeft(args[0], "-"), "=")
		switch {
		case name == "help" || name == "h":
			return help(s.stdout)
		case name != "lab":
			return errUsage("unknown flag " + args[0])
		case !ok && len(args) > 1:
			value, args = args[1], args[1:]
		case !ok:
			return errUsage("--lab: which?")
		}
		s.lab, args = value, args[1:]
	}
	if len(args) == 0 {
		return errors.Join(help(s.stderr), errUsage("no command"))
	}
	if args[0] == "help" {
		return help(s.stdout)
	}
	for _, c := range commands {
		if c.name == args[0] {
			return c.run(ctx, s, args[1:])
		}
	}
	for _, r := range remotes {
		if r.name == args[0] {
			return s.call(ctx, args)
		}
	}
	return errUsage("unknown command " + args[0])
}

func help(w io.Writer) error {
	var here, there strings.Builder
	line := func(b *strings.Builder, name, args, help string) {
		fmt.Fprintf(b, "  %-46s %s\n", strings.TrimSpace(name+" "+args), help)
	}
	for _, c := range commands {
		line(&here, c.name, c.args, c.help)
	}
	for _, r := range remotes {
		if r.help != "" {
			line(&there, r.name, r.args, r.help)
		}
	}
	_, err := fmt.Fprintf(w, usage, here.String(), there.String())
	return err
}
