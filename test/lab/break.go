package lab

import (
	"errors"
	"fmt"
	"time"

	"github.com/systole-ha/systole/test/lab/internal/cgroup"
)

// Cut loses all frames of the node on a network in the directions given; the
// carrier stays. On the serial line it loses bytes.
func (n *Node) Cut(network Network, d Direction) error { return n.lose(network, d, 1) }

// Heal undoes Cut and Lose on a network, both ways.
func (n *Node) Heal(network Network) error { return n.lose(network, Both, 0) }

// Lose loses each frame with that probability, from 0 to 1, independently.
func (n *Node) Lose(network Network, d Direction, fraction float64) error {
	if fraction < 0 || fraction > 1 || network == Serial {
		return fmt.Errorf("lose %v of %s on %s: want 0 to 1 on eth0 or eth1", fraction, n.name, network)
	}
	return n.lose(network, d, fraction)
}

func (n *Node) lose(network Network, d Direction, fraction float64) error {
	n.lab.logf("%s: %s loses %v %s", n.name, network, fraction, d)
	if network == Serial {
		return n.lab.line.cut(n.name, d, fraction == 1)
	}
	return n.lab.fabric.change(func(f *faults) { f.set(network.port(n.name), d, fraction) })
}

// Part loses all frames from one host to another on a network, one way, while
// everybody else hears both. A host is a node's name or "client".
func (l *Lab) Part(network Network, from, to string) error { return l.part(network, from, to, true) }

// Join undoes Part.
func (l *Lab) Join(network Network, from, to string) error { return l.part(network, from, to, false) }

func (l *Lab) part(network Network, from, to string, cut bool) error {
	if network == Serial {
		return errors.New("the serial line has two ends: cut it at one of them")
	}
	l.logf("%s: from %s to %s, cut %v", network, from, to, cut)
	return l.fabric.change(func(f *faults) { f.part(network.port(from), network.port(to), cut) })
}

// Delay makes every frame to and from the node on a network that much later: a
// round trip through the cable takes twice as long. 0 undoes it. Frames on
// their way when a delay is first given or undone are lost.
func (n *Node) Delay(network Network, delay time.Duration) error {
	if network == Serial {
		return errors.New("delay of the serial line: it is as slow as its baud rate makes it")
	}
	n.lab.logf("%s: %s delayed by %v each way", n.name, network, delay)
	return n.lab.fabric.stretch(n.lab, network, n.name, delay)
}

// Carrier pulls or puts back the cable at the switch's end: the node's device
// loses or gains its carrier.
func (n *Node) Carrier(network Network, up bool) error {
	if network == Serial {
		return errors.New("the serial line has no carrier: cut it instead")
	}
	n.lab.logf("%s: %s carrier %v", n.name, network, up)
	return n.lab.fabric.carrier(network, n.name, up)
}

// Freeze stops every process of the node where it is. Its kernel goes on:
// addresses answer pings and expire. A command being Run in it is frozen too.
func (n *Node) Freeze() error { return n.freeze("freeze", cgroup.Group.Freeze) }

// Thaw undoes Freeze.
func (n *Node) Thaw() error { return n.freeze("thaw", cgroup.Group.Thaw) }

func (n *Node) freeze(verb string, act func(cgroup.Group, time.Duration) error) error {
	n.lab.logf("%s: %s", n.name, verb)
	c := n.running()
	if c == nil {
		return fmt.Errorf("%s %s: it is off", verb, n.name)
	}
	return act(c.group, patience)
}
