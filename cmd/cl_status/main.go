// Cl_status answers questions about the cluster with heartbeat's words and exit
// codes, so that scripts written for heartbeat 3.0.6 go on working:
//
//	cl_status nodestatus beta
//	cl_status hblinkstatus beta eth0
//	cl_status rscstatus -m
//
// It asks the daemon at $SYSTOLE_CONTROL, else at /run/systole/control.sock,
// and no command takes longer than two seconds. Without arguments it lists its
// sub-commands.
//
// Exit codes: 0 yes or done, 1 no ("dead", "offline", heartbeat stopped), 11 a
// wrong parameter, 12 no answer in time, 13 anything else.
//
// Where it differs from heartbeat: an answer that does not come in time is said
// (heartbeat only exits with 12, after five seconds); clientstatus is offline at
// once for every client, of all nodes, because systole serves none; and the
// reason for not being let in is the true one.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/systole-ha/systole/agent/control"
)

// The exit codes, which are heartbeat's.
const (
	fine           = 0
	negative       = 1 // a "normal" failure: the node is dead, the daemon stopped
	badParameter   = 11
	timedOut       = 12
	unknownFailure = 13
)

// timeout bounds every command.
const timeout = 2 * time.Second

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 || len(args) == 1 && args[0] == "-h" {
		io.WriteString(stdout, usage)
		return fine
	}
	q := &query{ctx: ctx, client: control.At(control.SocketFromEnvironment()), name: args[0], stdout: stdout, stderr: stderr}
	c, ok := commands[args[0]]
	if !ok {
		q.error("%s: invalid sub-command.", args[0])
		return badParameter
	}
	var err error
	q.status, err = q.client.Status(ctx)
	switch {
	case errors.Is(err, control.ErrTimeout):
		q.error("%v", err)
		return timedOut
	case err != nil && args[0] == "hbstatus":
		q.parse(args[1:], c.options)
		return q.stopped(err)
	case err != nil:
		q.error("Cannot signon with heartbeat")
		q.error("REASON: %s", reason(err))
		return negative
	}
	if err := q.parse(args[1:], c.options); err != nil && args[0] != "hbstatus" {
		q.error("Error: getopt returned%s.", c.complaint)
		return badParameter
	}
	if len(q.args) < c.parameters {
		fmt.Fprintln(stderr, c.missing)
		return badParameter
	}
	return c.answer(q)
}

// reason is why the daemon does not let us in: heartbeat's words where it would
// say them.
func reason(err error) string {
	if errors.Is(err, control.ErrNotRunning) {
		return "hb_api_signon: Can't initiate connection to heartbeat"
	}
	return err.Error()
}

// A query is one call of cl_status.
type query struct {
	ctx    context.Context
	client *control.Client
	status control.Status
	name   string // of the sub-command
	args   []string
	stdout io.Writer
	stderr io.Writer

	sentences bool // -m: for people
	verbose   bool // -v
	pings     bool // -p of listnodes
	normals   bool // -n of listnodes
	parameter *string
}

func (q *query) parse(args []string, options string) error {
	given, rest, err := getopt(q.name, args, options, q.name == "hbstatus", q.stderr)
	for _, o := range given {
		switch o.letter {
		case 'm':
			q.sentences = true
		case 'v':
			q.verbose = true
		case 'n':
			q.normals = true
		case 'p':
			q.pings, q.parameter = true, &o.argument
		}
	}
	q.args = rest
	return err
}

func (q *query) print(format string, args ...any) { fmt.Fprintf(q.stdout, format+"\n", args...) }

// say prints one of two forms: the sentence with -m.
func (q *query) say(sentence, plain string) {
	if q.sentences {
		plain = sentence
	}
	fmt.Fprintln(q.stdout, plain)
}

// error prints a line as heartbeat's log library does (cl_log.c in
// cluster-glue).
func (q *query) error(format string, args ...any) {
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	fmt.Fprintf(q.stderr, "%s %s cl_status: [%d]: ERROR: %s\n",
		time.Now().Format("Jan 02 15:04:05"), host, os.Getpid(), fmt.Sprintf(format, args...))
}

// usage is word for word what scripts and people know.
const usage = `Usage: cl_status <sub-command> [<options>] [<parameters>]

Sub-commands:
clientstatus <node-name> <client-id> [<timeout>]
	Show the status of heartbeat clients.
hblinkstatus <node-name> <link-name>
	Show the status of a heartbeat link
hbstatus
	Indicate if heartbeat is running on the local system.
	Options:
		-v	verbose: also add "listnodes -v" output
listnodes [<option>]
	List the nodes in the cluster.
	Options:
		-p	list only 'ping' type nodes
		-n	list only 'normal' type nodes
		-v	verbose: also list type and status,
			then add "listhblinks -v" output
listhblinks <node-name>
	List the network interfaces used as hearbeat links.
	Options:
		-v	verbose: list link status as well
nodestatus <node-name>
	List the node status.
nodeweight <node-name>
	List the node weight.
nodesite <node-name>
	List the node site.
nodetype <node-name>
	List the nodes of a given type.
rscstatus
	Show the status of cluster resources.
hbparameter -p <parameter-name>
	Retrieve the value of a cluster parameter.
	As for the valid parameter names, please refer to the man page.
`
