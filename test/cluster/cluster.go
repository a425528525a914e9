// Package cluster runs systole on the nodes of a lab: what the demo and the
// end-to-end tests have in common.
package cluster

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/systole-ha/systole/agent/control"
	"github.com/systole-ha/systole/test/lab"
)

// Unit is the daemon's.
const Unit = "systole.service"

// builtEnv names a directory into which make install has put what is to be run
// instead of this tree: a build to be compared, or a package unpacked.
const builtEnv = "SYSTOLE_INSTALLED"

// installed is where make install has put everything, once it has; the same
// for all clusters of a process.
var installed struct {
	sync.Mutex
	dir string
}

func install() (string, error) {
	if dir := os.Getenv(builtEnv); dir != "" {
		return dir, nil
	}
	installed.Lock()
	defer installed.Unlock()
	if installed.dir != "" {
		return installed.dir, nil
	}
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "systole-install-")
	if err != nil {
		return "", err
	}
	out, err := exec.Command("make", "--silent", "--no-print-directory", "-C", root, "install", "DESTDIR="+dir).CombinedOutput()
	if err != nil {
		return "", errors.Join(fmt.Errorf("make install: %w\n%s", err, out), os.RemoveAll(dir))
	}
	installed.dir = dir
	return dir, nil
}

// Remove deletes what was installed for the labs of this process.
func Remove() {
	installed.Lock()
	defer installed.Unlock()
	if installed.dir != "" {
		os.RemoveAll(installed.dir)
	}
}

func moduleRoot() (string, error) {
	out, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", err
	}
	return filepath.Dir(strings.TrimSpace(string(out))), nil
}

// Install puts systole and its configuration on a node, which may be off.
func Install(n *lab.Node, files lab.Files) error {
	dir, err := install()
	if err != nil {
		return err
	}
	if err := n.Install(dir, ""); err != nil {
		return err
	}
	return n.Configure("/etc/ha.d", files)
}

// Start starts the daemon and waits until systemd calls it started.
func Start(ctx context.Context, n *lab.Node) error {
	if err := n.Reload(ctx); err != nil {
		return err
	}
	return n.Start(ctx, Unit)
}

// Status asks the daemon of a node.
func Status(ctx context.Context, n *lab.Node) (control.Status, error) {
	var s control.Status
	out, err := n.Run(ctx, "systole", "status", "--json")
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal([]byte(out), &s)
}

// WaitHold waits until a node says that it holds what: none, local, foreign or
// all.
func WaitHold(ctx context.Context, n *lab.Node, what string) error {
	return lab.WaitFor(ctx, fmt.Sprintf("%s to hold %s", n, what), func(ctx context.Context) error {
		s, err := Status(ctx, n)
		if err == nil && s.Hold != what {
			err = fmt.Errorf("it holds %s", s.Hold)
		}
		return err
	})
}

// Follow shows every event of a node's daemon to f, in order, until ctx ends or
// the daemon does.
func Follow(ctx context.Context, n *lab.Node, f func(control.Event)) error {
	command, err := n.Command(ctx, "systole", "events", "--follow", "--json")
	if err != nil {
		return err
	}
	out, err := command.StdoutPipe()
	if err != nil {
		return err
	}
	if err := command.Start(); err != nil {
		return err
	}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e control.Event
		if json.Unmarshal(lines.Bytes(), &e) == nil {
			f(e)
		}
	}
	return errors.Join(lines.Err(), command.Wait())
}

// A Timing is how often heartbeats are sent and how long silences may be.
type Timing struct{ Keepalive, Deadtime, Initdead time.Duration }

// HaCf is a configuration file of heartbeat's for two nodes.
func HaCf(t Timing, media string, more ...string) string {
	return strings.Join(append([]string{
		fmt.Sprintf("keepalive %dms", t.Keepalive.Milliseconds()),
		fmt.Sprintf("deadtime %dms", t.Deadtime.Milliseconds()),
		fmt.Sprintf("initdead %dms", t.Initdead.Milliseconds()),
		media,
		"node alpha beta",
	}, more...), "\n") + "\n"
}
