package main

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"

	"github.com/systole-ha/systole/agent"
	"github.com/systole-ha/systole/agent/memory"
	"github.com/systole-ha/systole/resources/systemd"
)

// jobPatience is how long systemd may take to say why it ends us: more than a
// daemon-reload, during which it answers nobody (330 to 375 ms were seen), for
// packages do one right before they restart. Meanwhile the loop goes on as
// ever. Whoever says nothing wants a stop: that is safe, if not short.
const jobPatience = 500 * time.Millisecond

// end ends the agent as a signal asks for: without giving anything up where
// systemd is about to start us again, else by handing over.
func (d *daemon) end(a *agent.Agent, s os.Signal) {
	if s == syscall.SIGTERM && d.isRestart() {
		d.restarts.Store(true)
		a.Restart()
		return
	}
	a.Stop(s.String())
}

// isRestart reports whether systemd ends this process to start it again.
func (d *daemon) isRestart() bool {
	job := d.ownJob()
	return job == "restart" || job == "try-restart"
}

// ownJob is what systemd wants of this process; empty where nobody knows.
func (d *daemon) ownJob() string {
	driver, ok := find[*systemd.Driver](d.registry)
	if !ok || os.Getenv("NOTIFY_SOCKET") == "" {
		return "" // not systemd's child
	}
	ctx, cancel := context.WithTimeout(context.Background(), jobPatience)
	defer cancel()
	job, err := driver.OwnJob(ctx)
	if err != nil {
		d.log.Warn("systemd does not say whether this is a restart or a stop", "err", err)
	}
	return job
}

// errLeft is a daemon that was to stop and leaves something running: systemd
// then calls it failed, and has systole-release.service stop the rest.
var errLeft = errors.New("not everything was released")

// leaveNothing is the last look at what was left, after the loop has ended. A
// restart may have become a stop meanwhile: nobody will take it up.
func (d *daemon) leaveNothing(left memory.File) error {
	switch {
	case !holdsAny(left):
		return nil
	case !d.restarts.Load():
		return errLeft
	case d.ownJob() == "stop":
		return d.registry.stopAll(left.Memory.Groups, os.Stdout)
	}
	return nil
}

const (
	// closing is how long a daemon that is to be started again waits for disks and
	// collectors to take what is left: the peer counts the silence.
	closing = 100 * time.Millisecond
	// ending is the same for one that has handed over: the second that receivers
	// have, the second that their disk has, and one for the books before. A disk
	// that takes longer may never come back, and who stops a service waits for it.
	ending = 3 * time.Second
)

// wait runs the last of a daemon's work, for no longer than closing where it is
// to be started again, or ending.
func (d *daemon) wait(work func()) {
	done := make(chan struct{})
	go func() { defer close(done); work() }()
	patience := ending
	if d.restarts.Load() {
		patience = closing
	}
	select {
	case <-done:
	case <-time.After(patience):
		d.log.Warn("a disk or a collector takes its time: some of what happened last is told to nobody", "waited", patience)
	}
}
