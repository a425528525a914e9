package link

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/systole-ha/systole/agent/wire"
	"github.com/systole-ha/systole/resources/nstest"
)

// A node is one side of a test: its links, and what they reported.
type node struct {
	t     testing.TB
	ns    *nstest.Namespace // nil: the namespace of the test itself
	links []Link
	codec *wire.Codec

	mu       sync.Mutex
	heard    []hearing
	rejected []Rejection
	changes  []Change
	gate     chan struct{} // Received waits until it is closed, if not nil
}

// A hearing is a packet without what belongs to the pool.
type hearing struct {
	Link, Text string
	Index      int
	At, Read   time.Time
	Source     netip.AddrPort
	Key        int
}

func ring(t testing.TB, secret string) *wire.Keyring {
	t.Helper()
	r, err := wire.NewKeyring(1, []wire.Key{{Number: 1, Method: wire.SHA1, Secret: []byte(secret)}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// newNode makes the links of a node without running them.
func newNode(t testing.TB, ns *nstest.Namespace, media ...Medium) *node {
	t.Helper()
	n := &node{t: t, ns: ns, codec: ring(t, "beat").NewCodec()}
	var err error
	if n.links, err = Open(ring(t, "beat"), n, media...); err != nil {
		t.Fatal(err)
	}
	return n
}

// start makes the links of a node and runs them until the test ends.
func start(t testing.TB, ns *nstest.Namespace, media ...Medium) *node {
	t.Helper()
	n := newNode(t, ns, media...)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for _, l := range n.links {
		running.Go(func() {
			if err := n.run(ctx, l); err != nil {
				t.Errorf("Run of %s: %v", l.Name(), err)
			}
		})
	}
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
	return n
}

func (n *node) run(ctx context.Context, l Link) (err error) {
	if n.ns == nil {
		return l.Run(ctx)
	}
	n.ns.Do(n.t, func() { err = l.Run(ctx) })
	return err
}

func (n *node) Received(p *Packet) {
	n.mu.Lock()
	n.heard = append(n.heard, hear(p))
	gate := n.gate
	n.mu.Unlock()
	p.Release()
	if gate != nil {
		<-gate
	}
}

func hear(p *Packet) hearing {
	return hearing{
		Link: p.Link, Index: p.Index, At: p.At, Read: p.Read, Source: p.Source, Key: p.Key,
		Text: string(p.Message.Get("info")),
	}
}

func (n *node) Rejected(r Rejection) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.rejected = append(n.rejected, r)
}

func (n *node) Changed(c Change) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.changes = append(n.changes, c)
}

// block makes Received wait after each packet until the test calls unblock.
func (n *node) block() (unblock func()) {
	gate := make(chan struct{})
	n.mu.Lock()
	defer n.mu.Unlock()
	n.gate = gate
	return func() { close(gate) }
}

// packet is a heartbeat that says text.
func (n *node) packet(text string, f wire.Format) []byte {
	m := wire.New("t", "status", "st", "active", "info", text, "src", "alpha", "seq", "1")
	m.SetBinary("srcuuid", []byte("0123456789abcdef"))
	return n.codec.Append(nil, &m, f)
}

// send sends a heartbeat that says text on one link, and wants that to succeed.
func (n *node) send(index int, text string) {
	n.t.Helper()
	l := n.links[index]
	if err := l.Send(n.packet(text, l.Format())); err != nil {
		n.t.Fatalf("Send %q: %v", text, err)
	}
}

// state is the newest state of a link, with the reason where it waits.
func (n *node) state(index int) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	state := "none"
	for _, c := range n.changes {
		if c.Index == index {
			state = strings.TrimSpace(string(c.State) + " " + c.Reason)
		}
	}
	return state
}

// awaitState waits until a link is in a state.
func (n *node) awaitState(index int, want string) {
	n.t.Helper()
	nstest.Await(n.t, fmt.Sprintf("link %d is %s", index, want), func() bool { return n.state(index) == want })
}

// awaitOpen waits until all links are open, or unused.
func (n *node) awaitOpen() {
	n.t.Helper()
	nstest.Await(n.t, "the links are open", func() bool {
		for i := range n.links {
			if s := n.state(i); s != "open" && s != "unused" {
				return false
			}
		}
		return true
	})
}

// await waits until so many packets were heard and returns them.
func (n *node) await(count int) []hearing {
	n.t.Helper()
	nstest.Await(n.t, fmt.Sprintf("%d packets were heard", count), func() bool {
		return len(n.all()) >= count
	})
	return n.all()
}

func (n *node) all() []hearing {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]hearing(nil), n.heard...)
}

func (n *node) rejections() []Rejection {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]Rejection(nil), n.rejected...)
}

// said lists what was heard, as link:text.
func said(heard []hearing) []string {
	var all []string
	for _, h := range heard {
		all = append(all, fmt.Sprintf("%s/%d:%s", h.Link, h.Index, h.Text))
	}
	return all
}
