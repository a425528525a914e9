package controltest

import (
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/systole-ha/systole/agent/control"
	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/agent/membership"
)

// Commands are the words that scripts have besides their own:
//
//	daemon [frozen] [KEY=VALUE...]
//
// starts a daemon that is a Pair but for what is said, and ends the one before;
// see settings for the keys. $SYSTOLE_CONTROL is its socket; before the first
// daemon, it is one that does not exist.
//
//	exits N COMMAND [ARG...]
//
// runs a command whose exit code must be N.
//
//	requests [KIND SCOPE]
//
// checks which move the daemon was asked for last; without words, that it was
// asked for none.
func Commands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"daemon": daemon, "exits": exits, "requests": requests,
	}
}

// Setup gives a script a place for its daemon.
func Setup(env *testscript.Env) error {
	env.Setenv(control.Environment, "/run/systole/nowhere.sock")
	env.Values[key{}] = &place{}
	env.Defer(func() { env.Values[key{}].(*place).stop() })
	return nil
}

type key struct{}

type place struct{ daemon *Daemon }

func (p *place) stop() error {
	if p.daemon == nil {
		return nil
	}
	d := p.daemon
	p.daemon = nil
	return d.Stop()
}

func daemon(ts *testscript.TestScript, neg bool, args []string) {
	p := ts.Value(key{}).(*place)
	ts.Check(p.stop())
	d := &Daemon{
		Snapshot: Pair(), Nodes: PairNodes(), MovedAfter: 1234 * time.Millisecond,
		Parameters: map[string]string{"keepalive": "1", "deadtime": "10", "deadping": "10000ms", "auto_failback": "on"},
	}
	d.Reply.Accepted = true
	for _, arg := range args {
		name, value, _ := strings.Cut(arg, "=")
		set, ok := settings[name]
		if !ok || neg {
			ts.Fatalf("usage: daemon [KEY=VALUE...], one of %v", slices.Sorted(maps.Keys(settings)))
		}
		set(d, value)
	}
	ts.Check(d.Start())
	p.daemon = d
	ts.Setenv(control.Environment, d.Socket)
}

// settings change the daemon of a script.
var settings = map[string]func(d *Daemon, value string){
	"frozen": func(d *Daemon, _ string) { d.Frozen = true },
	"alone": func(d *Daemon, _ string) {
		d.Snapshot.Members, d.Nodes = nil, []string{"alpha"}
	},
	"state": func(d *Daemon, v string) { d.Snapshot.State = v },
	"hold":  func(d *Daemon, v string) { d.Snapshot.Takeover.Hold = v },
	"peer":  func(d *Daemon, v string) { d.Snapshot.Members[0].State = v },
	"never": func(d *Daemon, v string) {
		d.Snapshot.Members[slices.Index(d.Nodes, v)-1] = membership.View{
			Name: v, Ping: v != "beta", State: membership.Unknown, Deadtime: 20 * time.Second,
			Links: []membership.LinkView{{Link: "eth0"}, {Link: "eth1"}},
		}
	},
	"ping":  func(d *Daemon, v string) { d.Snapshot.Members[1].State = v },
	"order": func(d *Daemon, v string) { d.Nodes = strings.Split(v, ",") },
	"down":  func(d *Daemon, v string) { d.Snapshot.Members[0].Links[slices.Index(d.Snapshot.Links, v)].Up = false },
	"deaf":  func(d *Daemon, v string) { d.Snapshot.OwnLinks[slices.Index(d.Snapshot.Links, v)] = false },
	"refuse": func(d *Daemon, v string) {
		d.Reply.Accepted, d.Reply.Reason = false, strings.ReplaceAll(v, "_", " ")
	},
	"stopping": func(d *Daemon, _ string) { d.Refuse = errors.New("systole is stopping") },
	// moved is what this node holds after a move: the events of it, and how it
	// ended.
	"moved": func(d *Daemon, v string) {
		after := Pair()
		after.Takeover.Hold = v
		d.Afterwards = &after
		d.Moved = []event.Event{
			event.HoldChanged{From: d.Snapshot.Takeover.Hold, To: "transition"},
			event.HoldChanged{From: "transition", To: v},
		}
		for i := range after.Takeover.Groups {
			g := &after.Takeover.Groups[i]
			g.Holder = "beta"
			if v == "all" || v == "local" && i == 0 || v == "foreign" && i == 1 {
				g.Holder = "alpha"
			}
		}
	},
	"moving": func(d *Daemon, v string) { d.Transition, _ = strconv.Atoi(v) },
	// failed names a group that nobody holds after a move.
	"failed": func(d *Daemon, v string) {
		i, _ := strconv.Atoi(v)
		g := &d.Afterwards.Takeover.Groups[i]
		g.Holder, g.State, g.Failure = "", "failed", "start nginx: unit failed"
	},
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits N COMMAND [ARG...]")
	}
	got := 0
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if want := args[0]; fmt.Sprint(got) != want {
		ts.Fatalf("%s exits %d, want %s", strings.Join(args[1:], " "), got, want)
	}
}

func requests(ts *testscript.TestScript, neg bool, args []string) {
	got := "none"
	if all := ts.Value(key{}).(*place).daemon.Requests(); len(all) > 0 {
		last := all[len(all)-1]
		got = last.Kind + " " + last.Scope
	}
	want := "none"
	if len(args) > 0 {
		want = strings.Join(args, " ")
	}
	if neg || got != want {
		ts.Fatalf("the daemon was asked for %s, want %s", got, want)
	}
}
