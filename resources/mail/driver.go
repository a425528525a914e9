// Package mail tells people of takeovers: the resource MailTo of haresources.
package mail

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/systole-ha/systole/resources"
	"github.com/systole-ha/systole/resources/mark"
	"github.com/systole-ha/systole/resources/process"
)

// A Driver sends a mail when a resource is started, and when it is stopped. A
// start or a stop is done when the mail is on its way to the program that sends
// it: a mail server that is away, or slow, must not keep a service from being
// taken over. What becomes of the mail is reported.
type Driver struct {
	marks  mark.Marks
	runner process.Runner
	report func(s resources.Spec, err error)
	mailer string // in the way of sendmail: recipients as arguments, the message as its input
	node   string
	under  sync.WaitGroup // mails on their way
	slots  chan struct{}
}

var (
	_ resources.Driver  = (*Driver)(nil)
	_ resources.Checker = (*Driver)(nil)
	_ resources.Parser  = (*Driver)(nil)
)

// New returns a Driver that has mails sent by runner, and remembers by these
// marks what it has started. Report is told of each mail that could not be
// handed over; it must not block.
func New(marks mark.Marks, runner process.Runner, report func(s resources.Spec, err error)) *Driver {
	node, _ := os.Hostname() // without a name it is still a mail
	return &Driver{marks: marks, runner: runner, report: report, mailer: "/usr/sbin/sendmail", node: node, slots: make(chan struct{}, mostUnderWay)}
}

const (
	// sendTime is how long the program may take. It puts a mail into a queue, or
	// speaks with a server: the five minutes that RFC 5321 grants that one are
	// too long for a program nobody waits for to be left about.
	sendTime = 30 * time.Second
	// closeTime is how long the end of the daemon waits for mails on their way.
	closeTime = 2 * time.Second
	// mostUnderWay bounds the mails on their way, while a program hangs: two for
	// each takeover, and nobody plans ten takeovers in half a minute.
	mostUnderWay = 20
)

// Start sends a mail, unless the resource is started already.
func (d *Driver) Start(ctx context.Context, s resources.Spec) error {
	return failed("start", s, d.change(s, false, starts, func() error { return d.marks.Set(s, "") }))
}

// Stop sends a mail, unless the resource is stopped already.
func (d *Driver) Stop(ctx context.Context, s resources.Spec) error {
	return failed("stop", s, d.change(s, true, stops, func() error { return d.marks.Clear(s) }))
}

// change marks a resource and sends the mail about it, if it is as it should be
// before.
func (d *Driver) change(s resources.Spec, from bool, what string, note func() error) error {
	n, err := Parse(s)
	if err != nil {
		return err
	}
	_, started, err := d.marks.Get(s)
	if err != nil || started != from {
		return err
	}
	if err := note(); err != nil {
		return err
	}
	d.send(s, n, n.message(what, d.node, time.Now(), s))
	return nil
}

// send has a mail sent in a goroutine of its own, which Close waits for.
func (d *Driver) send(s resources.Spec, n Notice, message string) {
	select {
	case d.slots <- struct{}{}:
	default:
		d.report(s, fmt.Errorf("not sent: %d mails are on their way already", mostUnderWay))
		return
	}
	d.under.Go(func() {
		defer func() { <-d.slots }()
		ctx, cancel := context.WithTimeout(context.Background(), sendTime)
		defer cancel()
		// The shell only has the message be the program's input.
		const script = `printf %s "$MESSAGE" | exec "$0" -i -- "$@"`
		result, err := d.runner.Run(ctx, process.Job{
			Resource: s.String(), Operation: "mail", Path: "/bin/sh",
			Args: append([]string{"-c", script, d.mailer}, n.To...), Env: []string{"MESSAGE=" + message},
		})
		if err == nil {
			err = result.Err()
		}
		if err != nil {
			d.report(s, fmt.Errorf("a mail to %s was not sent: %w", strings.Join(n.To, ", "), err))
		}
	})
}

// Close waits a little for mails on their way. One that takes longer is
// systemd's to send or to end, and nobody hears what became of it.
func (d *Driver) Close() error {
	sent := make(chan struct{})
	go func() { d.under.Wait(); close(sent) }()
	select {
	case <-sent:
	case <-time.After(closeTime):
	}
	return nil
}

// Status is whether the resource was started.
func (d *Driver) Status(_ context.Context, s resources.Spec) (resources.Status, error) {
	status, err := d.marks.Status(s)
	return status, failed("status", s, err)
}

// Parse judges the arguments.
func (d *Driver) Parse(s resources.Spec) error {
	_, err := Parse(s)
	return err
}

// Check judges the arguments, and whether there is a program to send mails. None
// is no reason not to take over.
func (d *Driver) Check(_ context.Context, s resources.Spec) []resources.Finding {
	if err := d.Parse(s); err != nil {
		return []resources.Finding{{Fatal: true, Text: err.Error()}}
	}
	if _, err := os.Stat(d.mailer); err != nil {
		return []resources.Finding{{Text: fmt.Sprintf("no mail will be sent: there is no %s; a mail server such as postfix or msmtp-mta brings one", d.mailer)}}
	}
	return nil
}

func failed(op string, s resources.Spec, err error) error {
	if err == nil {
		return nil
	}
	return &resources.Error{Op: op, Spec: s, Err: err}
}
