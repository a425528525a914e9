package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/prometheus/common/version"

	"github.com/systole-ha/systole/agent"
	"github.com/systole-ha/systole/agent/config"
	"github.com/systole-ha/systole/agent/control"
	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/exporters/journal"
	"github.com/systole-ha/systole/exporters/metrics"
)

// Exit codes of systole run.
const (
	runFine          = 0
	runFailed        = 1
	runMisconfigured = 6 // as heartbeat: restarting would not help
)

// runDaemon is systole run.
func runDaemon(dir string) int {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	hostname, err := os.Hostname()
	if err != nil {
		log.Error("no name", "err", err)
		return runFailed
	}
	// Only the name: a daemon that starts before the network waits for it.
	c, diagnostics := config.Load(os.DirFS(dir), config.Host{Name: hostname})
	realtime := c.Realtime && diagnostics.Err() == nil
	if realtime {
		if err := scheduleRealtime(c.RealtimePriority); err != nil {
			log.Warn("not scheduled in real time: on a busy machine this node may be late", "err", err)
			realtime = false
		}
	}
	d := newDaemon(c, dir, log)
	d.realtime = realtime
	diagnostics = append(diagnostics, d.registry.refuse(c)...)
	diagnostics.Sort()
	for _, d := range diagnostics {
		fmt.Fprintln(os.Stderr, d)
	}
	if err := diagnostics.Err(); err != nil {
		log.Error("configuration error, systole not started", "dir", dir)
		return runMisconfigured
	}
	// The journal's fallback is standard error, whose reader may go away.
	signal.Ignore(syscall.SIGPIPE)
	if err := d.run(); err != nil {
		log.Error("systole ends", "err", err)
		return runFailed
	}
	return runFine
}

// A daemon is everything that runs beside the agent's loop.
type daemon struct {
	cfg      *config.Config
	dir      string
	log      *slog.Logger
	registry registry
	fences   fences
	realtime bool
	locked   bool
	restarts atomic.Bool // systemd will start us again
}

func newDaemon(c *config.Config, dir string, log *slog.Logger) *daemon {
	d := &daemon{cfg: c, dir: dir, log: log}
	d.registry = drivers(d.machine(), terms(c)).decide(c)
	return d
}

// machine is the one that this daemon runs on.
func (d *daemon) machine() machine { return machine{node: d.cfg.Self, dir: d.dir, log: d.log} }

// run runs the daemon until it was told to stop and has handed over.
func (d *daemon) run() error {
	d.keepInMemory()
	identity, err := d.identify()
	if err != nil {
		return err
	}
	var running atomic.Pointer[agent.Agent]
	note := func(e event.Event) {
		if a := running.Load(); a != nil {
			a.Note(e)
		}
	}
	j := journal.New(journal.Config{Report: func(dropped uint64, _ error) {
		note(event.TelemetryDegraded{Sink: "journal", Dropped: dropped})
	}})
	server, err := control.Listen(control.Config{Socket: d.cfg.ControlSocket, Nodes: d.allNodes()})
	if err != nil {
		return err
	}
	spans := d.newTraces(identity)
	others := d.openReceivers(identity, !spans.Enabled(), note)
	measured := d.metricsConfig(identity, j, spans, others)
	books := d.openLedger(measured.Groups)
	measured.Outages = books
	kept := d.openKept()
	measured.Memory, measured.Remember = kept.memory, kept.put
	m, err := metrics.New(measured)
	if err != nil {
		return err
	}
	n := newNotifier(d.cfg.Links)
	flight := d.openRecorder(note)
	sinks := others.sinks(m, j, server, n, spans, books)
	if flight != nil {
		sinks = append(sinks, flight)
	}
	left := d.newRemembrance()
	working := d.agentConfig(identity, sinks...)
	working.Core.Memory, working.Remember = d.recall(), left.put
	dog, armed := d.openWatchdog()
	working.Watchdog = dog
	a, err := agent.New(working)
	if err != nil {
		return err
	}
	running.Store(a)
	if armed != nil {
		a.Note(armed)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var beside sync.WaitGroup
	beside.Go(func() { n.run(ctx, a.Alive) })
	beside.Go(func() { d.keepLedger(ctx, books) })
	beside.Go(func() { kept.run(ctx) })
	beside.Go(func() { left.run(ctx) })
	beside.Go(func() { d.keepRecorder(ctx, flight) })
	beside.Go(func() { d.watch(ctx, a) })
	checker := d.newChecker(identity, a)
	beside.Go(func() { checker.Run(ctx) })
	beside.Go(func() { d.serveWeb(ctx, m, server, node{a, d.cfg, checker}) })
	beside.Go(func() {
		if err := server.Serve(ctx, node{a, d.cfg, checker}); err != nil {
			d.log.Error("the control socket is not served", "err", err)
		}
	})
	files := d.newReloader(a.Note, a.SetKeyring)
	go files.run(ctx) // not waited for: a disk may hang
	go d.obeySignals(a, files, cancel)
	a.Note(event.NodeStarted{
		Version: version.Version, Generation: identity.generation, ConfigHash: hash(d.cfg.ClusterHash), PID: os.Getpid(),
		Realtime: d.realtime, Locked: d.locked,
	})
	began := time.Now()
	err = a.Run(ctx)
	d.log.Info("systole has stopped", "ran", time.Since(began))
	cancel()
	d.wait(func() {
		beside.Wait()
		closing, done := context.WithTimeout(context.Background(), time.Second)
		defer done()
		// What nobody took is said, and no failure of the daemon: systemd would call
		// a clean stop failed because a collector hangs.
		if untold := others.closeAll(closing, j, spans); untold != nil {
			d.log.Warn("not everything was told before the end", "err", untold)
		}
	})
	return errors.Join(err, d.leaveNothing(left.last), d.registry.close())
}

// keepInMemory has no page of this process wait for a disk, where that is allowed.
func (d *daemon) keepInMemory() {
	if err := lockMemory(); err != nil {
		d.log.Warn("memory is not locked: under memory pressure this node may be late", "err", err)
	} else {
		d.locked = true
	}
}

// obeySignals hands over at the first SIGTERM or SIGINT, or gives nothing up
// where systemd restarts the daemon, and ends at once at the second.
func (d *daemon) obeySignals(a *agent.Agent, files *reloader, cancel func()) {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	for s := range signals {
		if s == syscall.SIGHUP {
			files.reload()
			continue
		}
		d.end(a, s)
		break
	}
	for s := range signals {
		if s != syscall.SIGHUP {
			cancel()
			return
		}
	}
}
