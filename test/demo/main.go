// Demo boots two nodes, runs systole on both, cuts the power of the node that
// serves, and tells what happens and what a client notices of it.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/systole-ha/systole/agent/control"
	"github.com/systole-ha/systole/test/cluster"
	"github.com/systole-ha/systole/test/lab"
)

var (
	address = netip.MustParseAddr("192.0.2.50")
	timing  = cluster.Timing{Keepalive: 100 * time.Millisecond, Deadtime: 500 * time.Millisecond, Initdead: 3 * time.Second}
)

const haresources = "alpha IPaddr::192.0.2.50/24/eth0 nginx\n"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	d := &demo{began: time.Now()}
	err := d.play(ctx)
	cluster.Remove()
	if err != nil {
		d.say("", "FAILED: %v", err)
		os.Exit(1)
	}
}

type demo struct {
	mu    sync.Mutex
	began time.Time
	mark  time.Time // what times are counted from
	lab   *lab.Lab
	probe *lab.Probe
	watch *lab.Watch
}

// say tells one line: when, who, what.
func (d *demo) say(who, format string, args ...any) {
	d.sayAt(time.Now(), who, fmt.Sprintf(format, args...))
}

func (d *demo) sayAt(at time.Time, who, text string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	since := at.Sub(d.began).Seconds()
	from := ""
	if !d.mark.IsZero() && at.After(d.mark) {
		from = fmt.Sprintf("%+7.0f ms", float64(at.Sub(d.mark).Microseconds())/1000)
	}
	fmt.Printf("%7.3f s  %10s  %-6s %s\n", since, from, who, text)
}

func (d *demo) title(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.mark = time.Time{}
	fmt.Printf("\n%s\n%s\n", fmt.Sprintf(format, args...), strings.Repeat("─", 78))
}

func (d *demo) setMark(at time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.mark = at
}

func (d *demo) play(ctx context.Context) (err error) {
	d.title("Two nodes, one service")
	if err := d.boot(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.lab.Close()) }()
	steps := []func(context.Context) error{d.serve, d.powerCut, d.failback}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (d *demo) boot(ctx context.Context) error {
	d.say("", "booting alpha and beta, each a systemd of its own in a network namespace")
	l, err := lab.Open(ctx)
	if err != nil {
		return err
	}
	d.lab = l
	d.say("", "both are up; ha.cf, haresources and authkeys are heartbeat's, unchanged:")
	files := lab.Files{
		"ha.cf":       cluster.HaCf(timing, "bcast eth0 eth1", "auto_failback on"),
		"haresources": haresources,
		"authkeys":    "auth 1\n1 sha1 not-a-secret\n",
	}
	for _, line := range strings.Split(strings.TrimSpace(files["ha.cf"]), "\n") {
		fmt.Printf("%34s %s\n", "ha.cf │", line)
	}
	fmt.Printf("%34s %s", "haresources │", haresources)
	for _, n := range l.Nodes() {
		if err := errors.Join(cluster.Install(n, files), lab.Nginx(n)); err != nil {
			return err
		}
	}
	if d.watch, err = l.Watch(); err != nil {
		return err
	}
	var starts sync.WaitGroup
	failures := make([]error, len(l.Nodes()))
	for i, n := range l.Nodes() {
		starts.Go(func() {
			failures[i] = cluster.Start(ctx, n)
			d.say(n.Name(), "systole runs")
			go d.comment(ctx, n)
		})
	}
	starts.Wait()
	return errors.Join(failures...)
}

// comment tells what a node's daemon reports, as it reports it.
func (d *demo) comment(ctx context.Context, n *lab.Node) {
	cluster.Follow(ctx, n, func(e control.Event) {
		if text := comment(e); text != "" {
			d.sayAt(e.Time, n.Name(), text)
		}
	})
}

// comment puts the events worth telling into words; empty for the others.
func comment(e control.Event) string {
	f := func(name string) any { return e.Fields[name] }
	ms := func(name string) string {
		seconds, _ := e.Fields[name+"_seconds"].(float64)
		return fmt.Sprintf("%.1f ms", seconds*1000)
	}
	switch e.Kind {
	case "peer.dead":
		return fmt.Sprintf("%v is dead: silent for %s, deadtime %s", f("peer"), ms("silence"), ms("deadtime"))
	case "peer.returned":
		return fmt.Sprintf("%v is heard again", f("peer"))
	case "takeover.started":
		return fmt.Sprintf("takeover begins (%v)", f("trigger"))
	case "release.started":
		return fmt.Sprintf("gives up what belongs to the other (%v)", f("trigger"))
	case "resource.operation":
		if f("operation") == "status" || f("operation") == "announce" {
			return ""
		}
		return fmt.Sprintf("  %v %v: %v after %s", f("operation"), f("resource"), f("result"), ms("took"))
	case "takeover.completed":
		return fmt.Sprintf("takeover complete: %v, %s", f("result"), ms("took"))
	case "release.completed":
		return fmt.Sprintf("released in %s", ms("took"))
	}
	return ""
}

// serve waits until a client is served by alpha.
func (d *demo) serve(ctx context.Context) error {
	probe, err := d.lab.Probe(lab.Question{URL: "http://192.0.2.50/"})
	if err != nil {
		return err
	}
	d.probe = probe
	first, err := probe.AwaitAnswer(ctx, "alpha")
	if err != nil {
		return err
	}
	d.sayAt(first.Done, "client", "is served by alpha; it asks again every 2 ms")
	return pause(ctx, 2*time.Second)
}

func (d *demo) powerCut(ctx context.Context) error {
	d.title("alpha loses its power")
	off, err := d.lab.Node("alpha").PowerOff()
	if err != nil {
		return err
	}
	d.setMark(off)
	d.sayAt(off, "alpha", "POWER OFF")
	answer, err := d.probe.AwaitAnswer(ctx, "beta")
	if err != nil {
		return err
	}
	d.sayAt(answer.Done, "client", "is served by beta")
	if err := cluster.WaitHold(ctx, d.lab.Node("beta"), "all"); err != nil {
		return err
	}
	if err := d.outage("was without an answer for", "beta"); err != nil {
		return err
	}
	return d.timeline(ctx)
}

// outage tells the longest gap that ended with an answer of who.
func (d *demo) outage(what, who string) error {
	r, err := d.probe.Result()
	if err != nil {
		return err
	}
	var worst lab.Gap
	for _, g := range r.Gaps(10 * time.Millisecond) {
		if g.After == who && g.Before != who && g.Length() > worst.Length() {
			worst = g
		}
	}
	d.say("client", "%s %.0f ms", what, float64(worst.Length().Microseconds())/1000)
	return nil
}

// timeline draws beta's last takeover.
func (d *demo) timeline(ctx context.Context) error {
	s, err := cluster.Status(ctx, d.lab.Node("beta"))
	if err != nil {
		return err
	}
	if len(s.Takeovers) == 0 {
		return errors.New("beta reports no takeover")
	}
	last := s.Takeovers[len(s.Takeovers)-1]
	fmt.Printf("\n  where the time went, as beta reports it:\n")
	total := time.Duration(0)
	for _, p := range last.Phases {
		total += time.Duration(p.Took)
	}
	at := time.Duration(0)
	for _, p := range last.Phases {
		took := time.Duration(p.Took)
		const width = 50
		from, to := int(width*at/max(total, 1)), int(width*(at+took)/max(total, 1))
		bar := strings.Repeat(" ", from) + strings.Repeat("█", to-from)
		if to == from {
			bar += "▏"
		}
		fmt.Printf("  %-9s %9.2f ms  %s\n", p.Phase, float64(took.Microseconds())/1000, bar)
		at += took
	}
	fmt.Printf("  %-9s %9.2f ms\n", "total", float64(total.Microseconds())/1000)
	return nil
}

func (d *demo) failback(ctx context.Context) error {
	d.title("alpha comes back")
	if err := d.lab.Node("alpha").Boot(ctx); err != nil {
		return err
	}
	d.say("alpha", "has booted")
	if err := cluster.Start(ctx, d.lab.Node("alpha")); err != nil {
		return err
	}
	d.setMark(time.Now())
	go d.comment(ctx, d.lab.Node("alpha"))
	answer, err := d.probe.AwaitAnswer(ctx, "alpha")
	if err != nil {
		return err
	}
	d.sayAt(answer.Done, "client", "is served by alpha again")
	if err := cluster.WaitHold(ctx, d.lab.Node("alpha"), "local"); err != nil {
		return err
	}
	if err := d.outage("lost to the failback", "alpha"); err != nil {
		return err
	}
	return d.verdict()
}

// verdict adds up what the client saw, and what the kernels did.
func (d *demo) verdict() error {
	r, err := d.probe.Stop()
	if err != nil {
		return err
	}
	h, err := d.watch.History()
	if err != nil {
		return err
	}
	d.title("In the end")
	fmt.Printf("  %d of %d questions answered: %v\n", r.Answered(), len(r.Samples), r.Who())
	both := h.Overlaps(address)
	fmt.Printf("  two nodes held the address for %v (told to within %v)\n", lab.Total(both), lab.Resolution)
	for _, span := range both {
		if span.Length() > lab.Resolution {
			return errors.New("two nodes held the address at once")
		}
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
