// Package movecmd is the command line that hb_standby and hb_takeover share:
// heartbeat's words and exit codes, and on stderr the truth, which heartbeat
// only writes to the log of the node that refuses.
package movecmd

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/systole-ha/systole/agent/control"
)

// A Command is one of the two.
type Command struct {
	Kind     string // standby, takeover
	Failback string // the scope that the word failback stands for
	Verb     string // what the peer does when it accepts: takes, gives
	Announce string // what is said before asking, a format of the scope; empty for nothing
	Help     string // behind the usage
}

// The exit codes. Heartbeat knows no failure but a wrong command line: a
// refused request exits with 0, unless it is waited for.
const (
	fine   = 0
	failed = 1
)

// longestWait ends a wait that was given no limit of its own. Releasing a group
// takes minutes at the worst: eleven tries of stopping each resource.
const longestWait = 10 * time.Minute

// A wish is a command line.
type wish struct {
	scope string        // all, local, foreign
	wait  time.Duration // until the groups have moved; 0 for not at all
}

// Run does what args ask for; args[0] is the command's own name. The socket is
// control's of the environment.
func (c Command) Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	w, mistake := c.parse(args[1:])
	if mistake != "" {
		c.usage(args[0], mistake, stdout, stderr)
		return failed
	}
	client := control.At(control.SocketFromEnvironment())
	before, err := client.Status(ctx)
	if err != nil {
		fmt.Fprintf(stderr, "%s: %v\n", args[0], err)
		return failed
	}
	if c.Announce != "" {
		fmt.Fprintf(stderr, "%s "+c.Announce+"\n", time.Now().Format("Jan 02 15:04:05"), w.scope)
	}
	move, err := client.Move(ctx, c.Kind, w.scope)
	switch {
	case err != nil:
		fmt.Fprintf(stderr, "%s: %v\n", args[0], err)
		return failed
	case !move.Accepted:
		fmt.Fprintf(stderr, "refused: %s\n", move.Reason)
		if w.wait > 0 {
			return failed
		}
		return fine
	}
	fmt.Fprintf(stderr, "accepted: %s %s %s\n", peer(before), c.Verb, meaning(w.scope, before))
	if w.wait == 0 {
		return fine
	}
	if err := c.await(ctx, client, w, before, stderr); err != nil {
		fmt.Fprintf(stderr, "%s: %v\n", args[0], err)
		return failed
	}
	return fine
}

// help is the mistake of who only asks.
const help = "--help"

// usage is heartbeat's, on both outputs, and what we have to add to it on
// request.
func (c Command) usage(name, mistake string, stdout, stderr io.Writer) {
	if mistake != help {
		fmt.Fprintf(stdout, "%s: %s\n", name, mistake)
	}
	fmt.Fprintln(stdout, "usage:")
	fmt.Fprintf(stderr, "%s [all|foreign|local|failback]\n", name)
	if mistake == help {
		fmt.Fprint(stderr, c.Help)
	}
}

// parse reads the arguments. What is wrong with them is in heartbeat's words.
func (c Command) parse(args []string) (w wish, mistake string) {
	w.scope = "all"
	var words []string
	for _, arg := range args {
		limit, limited := strings.CutPrefix(arg, "--wait=")
		switch {
		case arg == "--wait":
			w.wait = longestWait
		case limited:
			d, err := time.ParseDuration(limit)
			if err != nil || d <= 0 {
				return wish{}, fmt.Sprintf("wrong time(%s).", limit)
			}
			w.wait = d
		default:
			words = append(words, arg)
		}
	}
	switch {
	case len(words) > 1:
		return wish{}, "too many arguments"
	case len(words) == 0:
	case words[0] == "--help":
		return wish{}, help
	case words[0] == "failback":
		w.scope = c.Failback
	case slices.Contains([]string{"all", "local", "foreign"}, words[0]):
		w.scope = words[0]
	default:
		return wish{}, fmt.Sprintf("wrong resources(%s).", words[0])
	}
	return w, ""
}

func peer(st control.Status) string {
	if p := st.Peer(); p != nil {
		return p.Node
	}
	return "nobody"
}

// meaning says which groups a scope is about: the words alone mean something
// else on either node.
func meaning(scope string, st control.Status) string {
	switch scope {
	case "local":
		return "local (what prefers " + st.Node + ")"
	case "foreign":
		return "foreign (what prefers " + peer(st) + ")"
	}
	return scope
}
