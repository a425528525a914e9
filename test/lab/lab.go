package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/systole-ha/systole/test/lab/internal/cgroup"
	"github.com/systole-ha/systole/test/lab/internal/worker"
)

// The lab's program is also its workers: see package worker.
func init() {
	worker.Main(map[string]worker.Func{
		"cable":  worker.Cable,
		"census": worker.Census,
		"guard":  guard,
		"probe":  worker.Probe,
		"serial": worker.Serial,
		"watch":  worker.Watch,
	})
}

// A Lab is a number of nodes, the networks between them and a client.
//
// Its methods and those of its nodes may be called by several goroutines; two
// that change the same node at once take turns.
type Lab struct {
	id      string
	dir     string   // state; its open directory carries the owner's lock
	lock    *os.File // open dir
	logf    func(string, ...any)
	group   cgroup.Group // of everything the lab runs but the guard
	workers *os.File     // the group's part for workers
	guard   *worker.Process
	fabric  *fabric
	line    *serialLine // nil without WithSerial
	client  *Client
	nodes   []*Node

	watching sync.Mutex
	watches  []*Watch

	mu      sync.Mutex // held while the lab closes
	closed  bool
	closing error
}

// An Option changes what Open builds.
type Option func(*settings)

type settings struct {
	nodes  []string
	serial *SerialLine
	off    bool
	logf   func(string, ...any)
}

// WithNodes names the nodes; without it they are alpha and beta. The first is
// host 1 on the networks, the second host 2.
func WithNodes(names ...string) Option { return func(s *settings) { s.nodes = names } }

// Names gives the first n of the customary names of nodes: alpha, beta, gamma …
func Names(n int) []string { return greek[:min(n, len(greek))] }

// WithSerial joins the first two nodes by a serial line.
func WithSerial(line SerialLine) Option { return func(s *settings) { s.serial = &line } }

// WithoutBoot leaves the nodes off, so that files can be put on their disks
// before Node.Boot.
func WithoutBoot() Option { return func(s *settings) { s.off = true } }

// WithLog has the lab say what it does, one line a call.
func WithLog(logf func(format string, args ...any)) Option {
	return func(s *settings) { s.logf = logf }
}

// Open removes what killed labs have left, builds a lab and boots its nodes.
// Whoever opened it must Close it; if the program is killed instead, the lab's
// guard does. ctx is for the building only.
func Open(ctx context.Context, options ...Option) (*Lab, error) {
	s := settings{nodes: Names(2), logf: func(string, ...any) {}}
	for _, option := range options {
		option(&s)
	}
	if err := errors.Join(checkMachine(Packages), checkNames(s.nodes)); err != nil {
		return nil, err
	}
	if err := Sweep(); err != nil {
		s.logf("sweep labs of killed runs: %v", err)
	}
	l := &Lab{logf: s.logf}
	if err := l.build(ctx, s); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

func (l *Lab) build(ctx context.Context, s settings) error {
	if err := l.claim(); err != nil {
		return err
	}
	if err := l.startGuard(); err != nil {
		return err
	}
	if err := l.makeGroup(); err != nil {
		return err
	}
	if err := unix.Mount("systole-lab", l.disks(), "tmpfs", 0, "mode=0755"); err != nil {
		return fmt.Errorf("mount memory for the nodes' disks: %w", err)
	}
	if err := l.buildNetworks(); err != nil {
		return err
	}
	if s.serial != nil {
		if err := l.buildSerial(*s.serial, s.nodes); err != nil {
			return err
		}
	}
	for i, name := range s.nodes {
		l.nodes = append(l.nodes, newNode(l, name, i+1))
	}
	return l.each(func(n *Node) error {
		if err := n.format(); err != nil || s.off {
			return err
		}
		return n.Boot(ctx)
	})
}

func (l *Lab) makeGroup() (err error) {
	if l.group, err = cgroup.Create(prefix + l.id); err != nil {
		return err
	}
	workers, err := l.group.Create("workers")
	if err != nil {
		return err
	}
	l.workers, err = workers.Open()
	return err
}

// each calls fn for all nodes at once.
func (l *Lab) each(fn func(*Node) error) error {
	errs := make([]error, len(l.nodes))
	var all sync.WaitGroup
	for i, n := range l.nodes {
		all.Go(func() { errs[i] = fn(n) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// ID tells this lab from others on the machine. Its network namespaces and its
// control group are called systole-lab-ID….
func (l *Lab) ID() string { return l.id }

// Dir is a directory of the lab's, in memory, removed with it.
func (l *Lab) Dir() string { return l.dir }

// Nodes gives all nodes in the order of their addresses.
func (l *Lab) Nodes() []*Node { return l.nodes }

// Node gives the node of that name, and panics if there is none: the name is
// the caller's own.
func (l *Lab) Node(name string) *Node {
	for _, n := range l.nodes {
		if n.name == name {
			return n
		}
	}
	panic(fmt.Sprintf("lab: no node is called %q", name))
}

// Client is the machine on the service network that asks the nodes.
func (l *Lab) Client() *Client { return l.client }

func (l *Lab) disks() string { return filepath.Join(l.dir, "disks") }

// hosts is the nodes' /etc/hosts: every name has an address on each network,
// that of the service network first.
func (l *Lab) hosts() string {
	var b strings.Builder
	b.WriteString("127.0.0.1 localhost\n::1 localhost ip6-localhost\n")
	for i := range networks {
		for _, n := range l.nodes {
			for _, p := range Network(i).prefixes(n.host) {
				fmt.Fprintf(&b, "%s %s\n", p.Addr(), n.name)
			}
		}
	}
	for _, p := range Service.prefixes(clientHost) {
		fmt.Fprintf(&b, "%s client\n", p.Addr())
	}
	return b.String()
}
