package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/systole-ha/systole/test/lab"
)

// up boots a lab, obeys the other commands on a socket in its directory, and
// removes it when ctx ends or `lab down` comes.
func up(ctx context.Context, s *session, args []string) error {
	flags := flag.NewFlagSet("up", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	nodes := flags.Int("nodes", 2, "")
	serial := flags.Bool("serial", false, "")
	baud := flags.Int("baud", 19200, "")
	if err := flags.Parse(args); err != nil || flags.NArg() > 0 {
		return errUsage(fmt.Sprintf("up %s: want up [--nodes N] [--serial] [--baud N]", strings.Join(args, " ")))
	}
	names := lab.Names(*nodes)
	if len(names) != *nodes {
		return errUsage(fmt.Sprintf("--nodes %d: there are names for %d", *nodes, len(lab.Names(99))))
	}
	start := time.Now()
	options := []lab.Option{lab.WithNodes(names...), lab.WithLog(func(format string, args ...any) {
		fmt.Fprintf(s.stderr, "%8.3f "+format+"\n", append([]any{time.Since(start).Seconds()}, args...)...)
	})}
	if *serial {
		options = append(options, lab.WithSerial(lab.SerialLine{Baud: *baud}))
	}
	l, err := lab.Open(ctx, options...)
	if err != nil {
		return err
	}
	return errors.Join(serve(ctx, s, l, time.Since(start)), l.Close())
}

func socket(dir string) string { return filepath.Join(dir, "control") }

// serve answers commands until ctx ends or one of them is down.
func serve(ctx context.Context, s *session, l *lab.Lab, took time.Duration) error {
	listener, err := net.Listen("unix", socket(l.Dir()))
	if err != nil {
		return err
	}
	ctx, end := context.WithCancel(ctx)
	defer end()
	var calls sync.WaitGroup
	calls.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			calls.Go(func() { answer(ctx, end, l, conn.(*net.UnixConn)) })
		}
	})
	welcome(s.stdout, l, took)
	<-ctx.Done()
	err = listener.Close()
	calls.Wait()
	return err
}

func welcome(w io.Writer, l *lab.Lab, took time.Duration) {
	var nodes []string
	for _, n := range l.Nodes() {
		nodes = append(nodes, fmt.Sprintf("%s %s", n, n.Host(lab.Service)))
	}
	first := l.Nodes()[0]
	fmt.Fprintf(w, `lab %s is up after %.1f s: %s, client 192.0.2.100
  lab sh %s                   a shell in it
  lab run %s -- COMMAND       a command in it
  lab sh client                  a shell on the client's network
  lab cut %s eth0             its first link, both ways; lab heal %s eth0
  lab power-off %s            and lab boot %s
  lab help                       for the rest
Ctrl-C or lab down ends it.
`, l.ID(), took.Seconds(), strings.Join(nodes, ", "), first, first, first, first, first, first)
}

// A reply is a part of what a command has to say. The last has End set.
type reply struct {
	Out   string `json:",omitempty"`
	Error string `json:",omitempty"`
	Usage bool   `json:",omitempty"` // the error is the caller's
	End   bool   `json:",omitempty"`
}

// answer carries out the one command of a connection. It is cancelled when the
// caller closes its side.
func answer(ctx context.Context, end func(), l *lab.Lab, conn *net.UnixConn) {
	defer conn.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(ctx, func() { conn.CloseRead() })() // wakes the reads below
	in := json.NewDecoder(conn)
	var args []string
	if in.Decode(&args) != nil || len(args) == 0 {
		return
	}
	if args[0] == "down" {
		end()
		return
	}
	go func() {
		_ = in.Decode(new(json.RawMessage)) // only ever the end
		cancel()
	}()
	out := &replies{json: json.NewEncoder(conn)}
	last := reply{End: true}
	if err := carryOut(ctx, l, args, out); err != nil {
		last.Error, last.Usage = err.Error(), errors.As(err, new(errUsage))
	}
	_ = out.json.Encode(last) // the caller may be gone
}

// replies writes text as replies.
type replies struct{ json *json.Encoder }

func (r *replies) Write(text []byte) (int, error) {
	return len(text), r.json.Encode(reply{Out: string(text)})
}
