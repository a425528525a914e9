package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/systole-ha/systole/agent/config"
	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/agent/wire"
)

// diskInterval is how often the files on disk are compared with what runs.
const diskInterval = time.Minute

// A reloader knows the files on disk, and takes from them what can be taken
// while the daemon runs: the keys. It reads them in a goroutine of its own, for
// a disk may hang.
type reloader struct {
	dir     string
	running *config.Config // its keys are the ones in use
	refuse  func(*config.Config) config.Diagnostics
	hangup  chan struct{}
	note    func(event.Event)
	rekey   func(*wire.Keyring)
	pending map[string]string // files on disk that are not what runs: why the daemon would not start with them
}

func (d *daemon) newReloader(note func(event.Event), rekey func(*wire.Keyring)) *reloader {
	return &reloader{
		dir: d.dir, running: d.cfg, refuse: d.registry.refuse, hangup: make(chan struct{}, 1), note: note, rekey: rekey, pending: map[string]string{},
	}
}

// reload asks for the keys to be read again. It does not wait; asked again
// before that has begun, it is done once.
func (r *reloader) reload() {
	select {
	case r.hangup <- struct{}{}:
	default:
	}
}

// run obeys and compares until ctx ends.
func (r *reloader) run(ctx context.Context) {
	look := time.NewTicker(diskInterval)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.hangup:
			r.take()
		case <-look.C:
			c, diagnostics := r.load()
			r.compare(c, diagnostics)
		}
	}
}

func (r *reloader) load() (*config.Config, config.Diagnostics) {
	c, diagnostics := config.Load(os.DirFS(r.dir), config.Host{Name: r.running.Self})
	diagnostics = append(diagnostics, r.refuse(c)...)
	diagnostics.Sort()
	return c, diagnostics
}

// take reads authkeys again, as heartbeat does at SIGHUP. It is all or nothing:
// with an error in any file the old keys stay in use, since a daemon that could
// not start again is in no state to be changed.
func (r *reloader) take() {
	c, diagnostics := r.load()
	defer func() { r.compare(c, diagnostics) }()
	if first := firstError(diagnostics); first != nil {
		r.note(event.ConfigReloadFailed{File: first.File, Error: first.String(), Errors: diagnostics.Count(config.Error)})
		return
	}
	changed := changes(r.running.Auth, c.Auth)
	r.rekey(c.Auth.Ring)
	now := *r.running
	now.Auth = c.Auth
	r.running = &now
	r.note(event.ConfigReloaded{File: config.Authkeys, Keys: keys(c.Auth), Changed: changed})
}

// compare reports files on disk that have become another than what runs, or
// the same again. What is pending is no fault: somebody is at work.
func (r *reloader) compare(c *config.Config, diagnostics config.Diagnostics) {
	found := map[string]string{}
	for _, file := range c.Differ(r.running) {
		found[file] = ""
	}
	if c.Auth.Ring != nil && len(changes(r.running.Auth, c.Auth)) > 0 {
		found[config.Authkeys] = ""
	}
	for i := range diagnostics {
		d := &diagnostics[i]
		if d.Severity == config.Error && found[d.File] == "" {
			found[d.File] = d.String()
		}
	}
	for _, file := range []string{config.HaCf, config.Haresources, config.Authkeys, config.SystoleYAML} {
		before, was := r.pending[file]
		now, is := found[file]
		switch {
		case is && (!was || before != now):
			r.note(event.ConfigPending{File: file, Error: now})
		case was && !is:
			r.note(event.ConfigPending{File: file, Agrees: true})
		}
	}
	r.pending = found
}

func firstError(diagnostics config.Diagnostics) *config.Diagnostic {
	for i, d := range diagnostics {
		if d.Severity == config.Error {
			return &diagnostics[i]
		}
	}
	return nil
}

// changes names what is different in authkeys, never the values.
func changes(before, now config.Auth) (names []string) {
	for _, number := range now.Ring.Differ(before.Ring) {
		names = append(names, fmt.Sprintf("key %d", number))
	}
	if now.Send != before.Send {
		names = append(names, "send")
	}
	return names
}

// keys are the keys as events and metrics name them.
func keys(a config.Auth) (names []string) {
	for _, k := range a.Keys {
		names = append(names, fmt.Sprintf("%d %s", k.Number, k.Method))
	}
	return names
}
