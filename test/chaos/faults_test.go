package chaos

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/systole-ha/systole/test/lab"
)

// A fault is a row of the table: what befalls the node that serves.
type fault struct {
	name   string
	strike func(ctx context.Context, s *stage, serves *lab.Node) error
	mend   func(ctx context.Context, s *stage, served *lab.Node) error // nil: it mends itself
	brief  bool                                                        // over as soon as it has struck
	spares []string                                                    // contenders of whom there is nothing to be learned
	with   *protection                                                 // what the cluster has for it; nil: nothing
	shield shield                                                      // what keeps systole from having two answer
}

// A shield is what it takes, of a fault, that never two nodes answer.
type shield int

const (
	none  shield = iota // no more than two nodes that hear each other
	lease               // the kernel lets go, or shuts its gate, when nobody renews
	vote                // or a fence: the nodes live, and do not hear each other
)

// promised reports whether systole, as it is configured here, promises that no
// two nodes answer.
func (f fault) promised() bool { return f.shield != vote }

var faults = []fault{
	{
		name:   "power lost",
		strike: func(_ context.Context, _ *stage, n *lab.Node) error { _, err := n.PowerOff(); return err },
		mend: func(ctx context.Context, s *stage, n *lab.Node) error {
			return errors.Join(s.boot(n), n.Start(ctx, s.by.unit))
		},
	},
	{name: "the daemon stands still (SIGSTOP)", shield: lease, strike: signal("STOP"), mend: signal("CONT")},
	{
		name: "the whole node stands still", shield: lease,
		strike: func(_ context.Context, _ *stage, n *lab.Node) error { return n.Freeze() },
		mend:   func(_ context.Context, _ *stage, n *lab.Node) error { return n.Thaw() },
	},
	{name: "the daemon is killed (SIGKILL)", shield: lease, strike: signal("KILL"), mend: start},
	{
		name: "killed for want of memory", shield: lease,
		strike: func(ctx context.Context, s *stage, n *lab.Node) error {
			return n.Starve(ctx, s.by.unit)
		},
		mend: start,
	},
	{name: "systemctl restart", strike: systemctl("restart", ""), brief: true},
	{name: "all links cut, the client reaches both", shield: vote, strike: part(true, true, lab.Service, lab.Private), mend: join},
	{name: "all links cut one way: the peer is deaf", shield: vote, strike: part(true, false, lab.Service, lab.Private), mend: join},
	{name: "all links cut one way: the holder is deaf", shield: vote, strike: part(false, true, lab.Service, lab.Private), mend: join},
	{name: "one of two links cut", strike: part(true, true, lab.Service), mend: join},
	{
		name: "cut off from everybody", shield: vote,
		strike: cutOff, mend: healed,
	},
	{
		name:   "carrier lost where the address is",
		strike: func(_ context.Context, _ *stage, n *lab.Node) error { return n.Carrier(lab.Service, false) },
		mend:   func(_ context.Context, _ *stage, n *lab.Node) error { return n.Carrier(lab.Service, true) },
	},
	{name: "dbus restarted", strike: systemctl("restart", "dbus"), brief: true, spares: rivals},
	{name: "systemd restarted (daemon-reexec)", strike: systemctl("daemon-reexec"), brief: true, spares: rivals},
	{name: "state directory full, and a restart", strike: fullDisk, mend: emptyDisk, spares: []string{"keepalived"}},
	{
		name: "ping node lost by the holder", strike: deafToClient(true), mend: deafToClient(false),
		spares: []string{"keepalived"}, with: pings,
	},
	{
		name: "all links cut, an arbiter hears both", strike: part(true, true, lab.Service, lab.Private), mend: join,
		spares: rivals, with: arbiter,
	},
	{
		name: "all links cut, the peer deaf, an arbiter", strike: part(true, false, lab.Service, lab.Private), mend: join,
		spares: rivals, with: arbiter,
	},
	{
		name: "cut off from everybody, an arbiter", strike: cutOff, mend: healed,
		spares: rivals, with: arbiter,
	},
	{
		name: "all links cut, with fencing", strike: part(true, true, lab.Service, lab.Private), mend: rejoin,
		spares: rivals, with: fence,
	},
}

var rivals = []string{"keepalived", "heartbeat"}

// lasts is how long a fault lasts: until whoever waits for the deadtime has
// acted.
func (f fault) lasts(deadtime time.Duration) time.Duration {
	if f.brief {
		return time.Second
	}
	return deadtime + 3*time.Second
}

func (f fault) spared(by contender) bool { return slices.Contains(f.spares, by.name) }

func signal(name string) func(context.Context, *stage, *lab.Node) error {
	return func(ctx context.Context, s *stage, n *lab.Node) error {
		return n.Signal(ctx, s.by.unit, name)
	}
}

func start(ctx context.Context, s *stage, n *lab.Node) error {
	_, _ = n.Run(ctx, "systemctl", "reset-failed", s.by.unit)
	return n.Start(ctx, s.by.unit)
}

// systemctl calls it with these words; an empty one stands for the contender's
// unit.
func systemctl(words ...string) func(context.Context, *stage, *lab.Node) error {
	return func(ctx context.Context, s *stage, n *lab.Node) error {
		words := slices.Clone(words)
		if i := slices.Index(words, ""); i >= 0 {
			words[i] = s.by.unit
		}
		_, err := n.Run(ctx, "systemctl", words...)
		return err
	}
}

// part cuts the networks between the two nodes, away from the holder and
// towards it.
func part(away, towards bool, networks ...lab.Network) func(context.Context, *stage, *lab.Node) error {
	return func(_ context.Context, s *stage, n *lab.Node) error {
		var errs []error
		for _, network := range networks {
			if away {
				errs = append(errs, s.lab.Part(network, n.Name(), s.other(n).Name()))
			}
			if towards {
				errs = append(errs, s.lab.Part(network, s.other(n).Name(), n.Name()))
			}
		}
		return errors.Join(errs...)
	}
}

// cutOff takes a node from everybody, the client and an arbiter included.
func cutOff(_ context.Context, _ *stage, n *lab.Node) error {
	return errors.Join(n.Cut(lab.Service, lab.Both), n.Cut(lab.Private, lab.Both))
}

func healed(_ context.Context, _ *stage, n *lab.Node) error {
	return errors.Join(n.Heal(lab.Service), n.Heal(lab.Private))
}

func join(_ context.Context, s *stage, n *lab.Node) error {
	var errs []error
	for _, network := range []lab.Network{lab.Service, lab.Private} {
		errs = append(errs,
			s.lab.Join(network, n.Name(), s.other(n).Name()),
			s.lab.Join(network, s.other(n).Name(), n.Name()))
	}
	return errors.Join(errs...)
}

// fullDisk puts a file system without room over the directory in which the
// daemon remembers things, with what is there, and restarts the daemon.
func fullDisk(ctx context.Context, s *stage, n *lab.Node) error {
	const fill = `mkdir -p /run/kept && cp -a "$1/." /run/kept && mount -t tmpfs -o size=256k,mode=700 full "$1" && cp -a /run/kept/. "$1"; dd if=/dev/zero of="$1/full" bs=4k status=none; systemctl restart --no-block "$2"`
	_, err := n.Run(ctx, "sh", "-c", fill, "sh", s.by.forgets[0], s.by.unit)
	return err
}

func emptyDisk(ctx context.Context, s *stage, n *lab.Node) error {
	_, err := n.Run(ctx, "umount", "--lazy", s.by.forgets[0])
	return err
}

// deafToClient loses what the client sends to the node: pings, and requests.
func deafToClient(deaf bool) func(context.Context, *stage, *lab.Node) error {
	return func(_ context.Context, s *stage, n *lab.Node) error {
		if deaf {
			return s.lab.Part(lab.Service, "client", n.Name())
		}
		return s.lab.Join(lab.Service, "client", n.Name())
	}
}
