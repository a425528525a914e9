package lab

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/systole-ha/systole/test/lab/internal/netns"
)

// A Node is one machine: a systemd of its own in a container, with its own
// disk, networks and processes.
type Node struct {
	lab  *Lab
	name string
	host int // last part of its addresses
	disk disk

	change sync.Mutex // held while the node boots or goes off

	mu      sync.Mutex // guards what follows
	current *container // the last boot, nil before the first and after a power-off
}

func newNode(l *Lab, name string, host int) *Node {
	return &Node{lab: l, name: name, host: host, disk: disk{filepath.Join(l.disks(), name)}}
}

// Name is the node's name, as `uname -n` in it says.
func (n *Node) Name() string { return n.name }

func (n *Node) String() string { return n.name }

// format makes the node's disk, as new.
func (n *Node) format() error {
	if err := n.disk.mount(); err != nil {
		return err
	}
	return n.prepare()
}

func (n *Node) prepare() error {
	id := sha256.Sum256([]byte(n.lab.id + n.name))
	if err := n.disk.prepare(n.name, fmt.Sprintf("%x", id[:16]), n.lab.hosts()); err != nil {
		return fmt.Errorf("prepare the disk of %s: %w", n.name, err)
	}
	return nil
}

// Wipe makes the disk of a node that is off as new: all that was installed,
// configured and logged is gone.
func (n *Node) Wipe() error {
	n.change.Lock()
	defer n.change.Unlock()
	if n.On() {
		return fmt.Errorf("wipe %s: it is on", n.name)
	}
	if err := n.disk.wipe(); err != nil {
		return err
	}
	return n.prepare()
}

// On says whether the node was booted and has not gone off since.
func (n *Node) On() bool { return n.running() != nil }

// running gives the current boot, or nil while the node is off.
func (n *Node) running() *container {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.current == nil || n.current.ended() {
		return nil
	}
	return n.current
}

// replace sets the current boot and gives the one before.
func (n *Node) replace(c *container) *container {
	n.mu.Lock()
	defer n.mu.Unlock()
	before := n.current
	n.current = c
	return before
}

// Boot switches the node on and returns when its systemd has reached its
// default target. The disk is as the last power-off left it; everything else,
// the network devices and faults of the links included, is new.
func (n *Node) Boot(ctx context.Context) error {
	n.change.Lock()
	defer n.change.Unlock()
	if n.On() {
		return fmt.Errorf("boot %s: it is on already", n.name)
	}
	start := time.Now()
	if err := n.dismantle(n.replace(nil)); err != nil { // it went off by itself
		return fmt.Errorf("boot %s: %w", n.name, err)
	}
	c := &container{done: make(chan struct{})}
	err := n.plug(c)
	if err == nil {
		err = n.start(ctx, c)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("boot %s: %w", n.name, err), n.dismantle(c))
	}
	n.replace(c)
	n.lab.logf("%s: booted in %v", n.name, time.Since(start).Round(time.Millisecond))
	return nil
}

// plug gives the node a control group and a network namespace with cables to
// the switches, and has it watched.
func (n *Node) plug(c *container) (err error) {
	if c.group, err = n.lab.group.Create(n.name); err != nil {
		return err
	}
	if c.space, err = netns.Create(n.space()); err != nil {
		return err
	}
	for i := range networks {
		if err := n.lab.fabric.plug(Network(i), n.name, n.host, c.space); err != nil {
			return err
		}
	}
	n.lab.line.drain(n.name)
	return n.lab.eachWatch(func(w *Watch) error { return w.add(n) })
}

// space is the name of the node's network namespace.
func (n *Node) space() string { return prefix + n.lab.id + "-" + n.name }

// PowerOff cuts all the node's links at one instant, which it returns, and then
// kills everything in it. Unlike after a real loss of power, the disk holds all
// that was written, synced or not.
func (n *Node) PowerOff() (time.Time, error) {
	n.change.Lock()
	defer n.change.Unlock()
	if !n.On() {
		return time.Time{}, fmt.Errorf("power off %s: it is off", n.name)
	}
	err := n.lab.fabric.change(func(f *faults) {
		for i := range networks {
			f.set(Network(i).port(n.name), Both, 1)
		}
	})
	at := time.Now()
	c := n.replace(nil)
	n.lab.logf("%s: power off", n.name)
	return at, errors.Join(err, n.lab.eachWatch(func(w *Watch) error { return w.off(n, at) }), n.dismantle(c))
}

// Shutdown has the node's systemd stop everything in good order and returns
// when it is off.
func (n *Node) Shutdown(ctx context.Context) error {
	n.change.Lock()
	defer n.change.Unlock()
	c := n.running()
	if c == nil {
		return fmt.Errorf("shut down %s: it is off", n.name)
	}
	if _, err := n.Run(ctx, "systemctl", "poweroff", "--no-block"); err != nil {
		return err
	}
	select {
	case <-c.done:
		n.lab.logf("%s: shut down", n.name)
		return n.dismantle(n.replace(nil))
	case <-ctx.Done():
		return fmt.Errorf("shut down %s: %w", n.name, ctx.Err())
	}
}

// dismantle kills what is left of a boot and removes its cables, its network
// namespace and its control group, with all faults of its links.
func (n *Node) dismantle(c *container) error {
	if c == nil {
		return nil
	}
	errs := []error{c.group.Kill(patience)}
	c.wait()
	at := time.Now()
	errs = append(errs, n.lab.eachWatch(func(w *Watch) error { return w.off(n, at) }))
	for i := range networks {
		errs = append(errs, n.lab.fabric.unplug(Network(i), n.name))
	}
	errs = append(errs, netns.Delete(n.space()), c.group.Remove(), n.lab.fabric.change(func(f *faults) {
		for i := range networks {
			f.unplugged(Network(i).port(n.name))
		}
	}))
	return errors.Join(append(errs, c.close())...)
}
