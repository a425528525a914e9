package systemd

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	systemd "github.com/coreos/go-systemd/v22/dbus"
	"github.com/godbus/dbus/v5"
	"github.com/systole-ha/systole/resources"
)

// A StateChange is a unit in a new state, or the first look at one, when From
// is empty. From and To are equal where an active unit stays active and only
// Sub is new: a service whose process ended goes from running to exited.
type StateChange struct {
	Unit     string
	From, To string // active, reloading, inactive, failed, activating, deactivating
	Sub      string // systemd's finer word: running, exited, auto-restart
}

// A Restart is a unit that systemd restarted by itself.
type Restart struct {
	Unit     string
	Restarts uint64 // systemd's NRestarts
	Count    uint64 // restarts since the last one told: more than 1 where systemd could not be heard meanwhile
	Status   string // how the main process ended: "exited 1", "killed SEGV"; empty where systemd does not say
}

// A Watcher is told what becomes of units, one thing at a time and in order. It
// may block: what happens meanwhile is told afterwards.
type Watcher interface {
	UnitStateChanged(StateChange)
	UnitRestarted(Restart)
}

// Watch tells w what becomes of the units of specs, whoever changes them, until
// ctx ends. Words that name no unit are passed over.
//
// It listens to systemd's signals on a connection of its own, so that whatever
// w does holds up no operation. Where that breaks, with a restart of the bus or
// a daemon-reexec, it connects again for as long as it takes, and tells what has
// changed in between.
func (d *Driver) Watch(ctx context.Context, specs []resources.Spec, w Watcher) {
	t := newTelling(specs, w)
	for pause := firstPause; ctx.Err() == nil; pause = min(2*pause, longestWatchPause) {
		for _, dialer := range d.dialers {
			if heard, _ := t.listen(ctx, dialer); heard { // why it broke is for the operations to say, which need the connection
				pause = firstPause
				break
			}
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

// longestWatchPause is how often systemd is looked for at least while it is
// away. The pause doubles up to it.
const longestWatchPause = 5 * time.Second

// A telling is what was told so far.
type telling struct {
	units   map[dbus.ObjectPath]*watched
	watcher Watcher
}

func newTelling(specs []resources.Spec, w Watcher) *telling {
	t := &telling{units: map[dbus.ObjectPath]*watched{}, watcher: w}
	for _, s := range specs {
		if name, err := unitName(s); err == nil {
			t.units[unitPath(name)] = &watched{name: name}
		}
	}
	return t
}

func unitPath(name string) dbus.ObjectPath {
	return dbus.ObjectPath("/org/freedesktop/systemd1/unit/" + systemd.PathBusEscape(name))
}

// Signals and the senders' interfaces.
const (
	propertiesInterface = "org.freedesktop.DBus.Properties"
	managerInterface    = "org.freedesktop.systemd1.Manager"
	propertiesChanged   = propertiesInterface + ".PropertiesChanged"
	reloading           = managerInterface + ".Reloading"
	ownerChanged        = "org.freedesktop.DBus.NameOwnerChanged"
)

// signalBacklog is how many signals wait for a watcher in order. A unit that is
// started sends some ten.
const signalBacklog = 1024

// errAnew says that systemd has come to the bus again, which knows nothing of
// who had subscribed.
var errAnew = errors.New("systemd is another one")

// listen connects, looks at every unit, and tells what the signals say until
// the connection breaks or ctx ends. It reports whether it came so far as to
// listen.
func (t *telling) listen(ctx context.Context, dialer Dialer) (heard bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	late := time.AfterFunc(dialTimeout, cancel)
	c, err := dialer(ctx)
	if err != nil {
		return false, err
	}
	defer func() { _ = c.Close() }()
	late.Stop()
	signals := make(chan *dbus.Signal, signalBacklog)
	c.Signal(signals)
	if err := t.subscribe(ctx, c); err != nil {
		return false, err
	}
	if err := t.lookAtAll(ctx, c); err != nil {
		return false, err
	}
	for {
		select {
		case s, open := <-signals:
			if !open {
				return true, errLost
			}
			if err := t.hear(ctx, c, s); err != nil {
				return true, err
			}
		case <-ctx.Done():
			return true, ctx.Err()
		}
	}
}

// subscribe has systemd send signals, and the bus pass on those about our
// units. The private socket has no bus: it passes on all of them.
func (t *telling) subscribe(ctx context.Context, c *dbus.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	if onBus := len(c.Names()) > 0; onBus {
		rules := [][]dbus.MatchOption{
			{dbus.WithMatchInterface(managerInterface), dbus.WithMatchMember("Reloading")},
			{dbus.WithMatchInterface("org.freedesktop.DBus"), dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, "org.freedesktop.systemd1")},
		}
		for path := range t.units {
			rules = append(rules, []dbus.MatchOption{
				dbus.WithMatchInterface(propertiesInterface), dbus.WithMatchMember("PropertiesChanged"), dbus.WithMatchObjectPath(path)})
		}
		for _, rule := range rules {
			if err := c.AddMatchSignalContext(ctx, rule...); err != nil {
				return err
			}
		}
	}
	manager := c.Object("org.freedesktop.systemd1", "/org/freedesktop/systemd1")
	return manager.CallWithContext(ctx, managerInterface+".Subscribe", 0).Err
}

// lookTimeout is how long systemd may take to answer: it says nothing for a
// third of a second while it reloads.
const lookTimeout = 10 * time.Second

// lookAtAll tells how the units are now, as far as that is new.
func (t *telling) lookAtAll(ctx context.Context, c *dbus.Conn) error {
	for path, u := range t.units {
		if err := t.look(ctx, c, path, u); err != nil {
			return fmt.Errorf("look at %s: %w", u.name, err)
		}
	}
	return nil
}

// look reads the properties of all of a unit's interfaces at once.
func (t *telling) look(ctx context.Context, c *dbus.Conn, path dbus.ObjectPath, u *watched) error {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	var all map[string]dbus.Variant
	call := c.Object("org.freedesktop.systemd1", path).CallWithContext(ctx, propertiesInterface+".GetAll", 0, "")
	if err := call.Store(&all); err != nil {
		return err
	}
	u.looked = call.ResponseSequence
	u.learn(plain(all), t.watcher)
	return nil
}

// hear tells what one signal says. A signal about a unit is older than the
// last look at it if it came before the answer to that.
func (t *telling) hear(ctx context.Context, c *dbus.Conn, s *dbus.Signal) error {
	switch s.Name {
	case propertiesChanged:
		u := t.units[s.Path]
		if u == nil || s.Sequence < u.looked || len(s.Body) < 2 {
			return nil
		}
		if changed, ok := s.Body[1].(map[string]dbus.Variant); ok {
			u.learn(plain(changed), t.watcher)
		}
	case reloading:
		if len(s.Body) == 1 && s.Body[0] == false {
			return t.lookAtAll(ctx, c)
		}
	case ownerChanged:
		if len(s.Body) == 3 && s.Body[0] == "org.freedesktop.systemd1" && s.Body[2] != "" {
			return errAnew
		}
	}
	return nil
}

func plain(variants map[string]dbus.Variant) properties {
	p := make(properties, len(variants))
	for name, v := range variants {
		p[name] = v.Value()
	}
	return p
}

// A watched is one unit, as it was told.
type watched struct {
	name     string
	active   string // empty before the first look
	sub      string
	restarts uint64
	counted  bool          // restarts is known
	ended    string        // how the main process ended, until it runs again or the restart is told
	looked   dbus.Sequence // of the answer to the last look
}

// learn tells what is new in properties of the unit. systemd sends those of the
// unit's type before those that all units have, and so a restart before the
// state that it leads to.
func (u *watched) learn(p properties, w Watcher) {
	if how := endOf(get[int32](p, "ExecMainCode"), get[int32](p, "ExecMainStatus")); how != "" {
		u.ended = how
	}
	if n, ok := p["NRestarts"].(uint32); ok {
		u.count(uint64(n), w)
	}
	if active := get[string](p, "ActiveState"); active != "" {
		u.turn(activeState(active), get[string](p, "SubState"), w)
	}
}

// count tells of restarts. systemd counts anew when a unit is started by hand,
// or its failures are forgotten.
func (u *watched) count(n uint64, w Watcher) {
	before := u.restarts
	if n < before {
		before = 0
	}
	first := !u.counted
	u.restarts, u.counted = n, true
	if first || n == before {
		return
	}
	w.UnitRestarted(Restart{Unit: u.name, Restarts: n, Count: n - before, Status: u.ended})
	u.ended = ""
}

// turn tells of a new state.
func (u *watched) turn(active, sub string, w Watcher) {
	from, fromSub := u.active, u.sub
	u.active, u.sub = active, sub
	if active == "active" {
		u.ended = ""
	}
	if active == from && (active != "active" || sub == fromSub) {
		return // the steps of a start or a stop are no news
	}
	w.UnitStateChanged(StateChange{Unit: u.name, From: from, To: active, Sub: sub})
}

// activeState puts what later versions of systemd have more into the six words
// of all: a refreshing unit is active as a reloading one is (since 257), and one
// in maintenance, whose files are cleaned, is inactive (since 250).
func activeState(word string) string {
	switch word {
	case "refreshing":
		return "reloading"
	case "maintenance":
		return "inactive"
	}
	return word
}

// endOf is how a main process ended in two words.
func endOf(code, status int32) string {
	switch code {
	case exited:
		return fmt.Sprintf("exited %d", status)
	case killed, dumped:
		return "killed " + strings.TrimPrefix(signalName(status), "SIG")
	}
	return ""
}
