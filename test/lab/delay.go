package lab

import (
	"errors"
	"fmt"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/systole-ha/systole/test/lab/internal/worker"
)

// A cable stands between a node's port and the bridge and makes frames late.
type cable struct{ process *worker.Process }

// stretch makes a port's cable that long, each way.
func (f *fabric) stretch(l *Lab, n Network, name string, delay time.Duration) error {
	if delay <= 0 {
		return f.straighten(n, name)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	port := n.port(name)
	spec := worker.CableSpec{Port: port, Tap: port + "d", Delay: delay}
	if c, ok := f.cables[port]; ok {
		return c.process.Send(spec)
	}
	process, err := worker.Start(worker.Spec{Kind: "cable", Namespace: f.ns, Cgroup: l.workers, Params: spec})
	if err != nil {
		return err
	}
	var ready worker.CableReady
	if err := process.Receive(&ready); err != nil {
		return errors.Join(fmt.Errorf("delay %s: %w", port, err), process.Close())
	}
	f.cables[port] = &cable{process: process}
	return f.ns.Do(func() error { return f.swap(n, port, spec.Tap) })
}

// straighten takes the delay out of a cable. Frames inside are lost.
func (f *fabric) straighten(n Network, name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	port := n.port(name)
	c, ok := f.cables[port]
	if !ok {
		return nil
	}
	delete(f.cables, port)
	return errors.Join(
		c.process.Close(), // the TAP goes with it
		f.ns.Do(func() error { return f.attach(n, port) }),
	)
}

// swap takes the port out of the bridge and puts the cable's other end in. The
// caller is in the switch's namespace.
func (f *fabric) swap(n Network, port, tap string) error {
	link, err := netlink.LinkByName(port)
	if err != nil {
		return err
	}
	end, err := netlink.LinkByName(tap)
	if err != nil {
		return err
	}
	return errors.Join(netlink.LinkSetNoMaster(link), f.attach(n, tap), netlink.LinkSetUp(end))
}
