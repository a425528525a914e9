package link

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// A Ping is one ping, ping6 or ping_group line: a node that only answers.
type Ping struct {
	Name    string   // of the node: the one address, or the name of the group
	Targets []string // addresses or names, any of which answers for the node
	IPv6    bool     // a ping6 line
}

// A Reply is one echo reply. It is from one of the targets we asked, and could
// only be made by who had seen the request.
type Reply struct {
	Name      string // of the ping node
	Target    string // as the line has it
	At        time.Time
	Read      time.Time
	RoundTrip time.Duration // from handing the request to the kernel to the arrival of the reply
}

// A PingHandler is to a Pinger what a Handler is to a link.
type PingHandler interface {
	Replied(Reply)
	Changed(Change) // with the name of the ping node and the index of the target
}

// A Pinger asks a ping node whether it is there. Its methods may be called from
// any goroutine.
type Pinger struct {
	ping    Ping
	id      uint16
	handler PingHandler
	life    context.Context
	end     context.CancelFunc

	mu       sync.Mutex // of all below
	sock     *socket[Reply]
	sequence uint16
	targets  []target
	request  []byte
}

// outstanding is how many requests to one target can await their replies: at
// a keepalive of 100 ms those of 6 s, which is longer than a reply is of use.
const outstanding = 64

type target struct {
	text    string
	address netip.Addr // invalid while it has not been found
	to      unix.Sockaddr
	asked   [outstanding]question // by sequence number, modulo
	condition
}

type question struct {
	echo echo
	at   time.Time // zero when answered
}

// NewPinger makes a pinger. It is opened by its Run.
func NewPinger(ping Ping, h PingHandler) (*Pinger, error) {
	if len(ping.Targets) == 0 {
		return nil, fmt.Errorf("ping node %q without an address", ping.Name)
	}
	var id [2]byte
	rand.Read(id[:])
	p := &Pinger{ping: ping, id: binary.BigEndian.Uint16(id[:]), handler: h}
	p.life, p.end = context.WithCancel(context.Background())
	for _, text := range ping.Targets {
		p.targets = append(p.targets, target{text: text})
	}
	return p, nil
}

// Name is the name of the ping node, which is that of its link too.
func (p *Pinger) Name() string { return p.ping.Name }

// Close ends Run.
func (p *Pinger) Close() error {
	p.end()
	return nil
}

// Send asks every target once, and never waits. It fails if no target could be
// asked; the error is of type *SendError and that of the last.
func (p *Pinger) Send() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var failed error
	asked := 0
	p.sequence++
	for i := range p.targets {
		t := &p.targets[i]
		if p.sock == nil || t.to == nil {
			continue
		}
		if err := p.ask(t); err != nil {
			failed = sendError(p.ping.Name, err)
			continue
		}
		asked++
	}
	switch {
	case asked > 0:
		return nil
	case failed != nil:
		return failed
	}
	return &SendError{Link: p.ping.Name, Reason: SendNoDevice, Err: ErrNotOpen}
}

func (p *Pinger) ask(t *target) error {
	q := &t.asked[p.sequence%outstanding]
	q.echo.id, q.echo.sequence = p.id, p.sequence
	rand.Read(q.echo.token[:])
	p.request = appendRequest(p.request[:0], q.echo, p.ping.IPv6)
	q.at = time.Now()
	for {
		err := unix.Sendto(p.sock.fd, p.request, unix.MSG_DONTWAIT, t.to)
		if err != unix.EINTR {
			return err
		}
	}
}

// Drain hands the replies that wait in the kernel at this instant to received,
// as Link.Drain does.
func (p *Pinger) Drain(received func(Reply)) {
	p.mu.Lock()
	s := p.sock
	p.mu.Unlock()
	if s != nil {
		s.drain(received)
	}
}

// Run opens the pinger and reads replies until ctx ends or the pinger is
// closed, both of which return nil. It is called once.
func (p *Pinger) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	context.AfterFunc(p.life, cancel)
	for ctx.Err() == nil {
		s, err := p.open()
		if err == nil {
			err = p.serve(ctx, s)
		}
		if err != nil {
			p.wait(err)
			pause(ctx, lookInterval)
		}
	}
	return nil
}

func (p *Pinger) open() (*socket[Reply], error) {
	fd, err := openICMP(p.ping.IPv6, p.id)
	if err != nil {
		return nil, err
	}
	s, err := newSocket[Reply](fd)
	if err != nil {
		return nil, err
	}
	s.take = func() (Reply, bool) { return p.take(s) }
	s.report = func(time.Time) (never time.Time) { return never }
	return s, nil
}

// serve reads an open socket until ctx ends, which is no error.
func (p *Pinger) serve(ctx context.Context, s *socket[Reply]) error {
	ctx, cancel := context.WithCancel(ctx)
	closeSocket := sync.OnceFunc(func() {
		p.use(nil)
		s.file.Close()
	})
	context.AfterFunc(ctx, closeSocket)
	p.use(s)

	found := make(chan struct{})
	go func() {
		defer close(found)
		for !p.find(ctx) {
			pause(ctx, lookInterval)
		}
	}()
	err := s.run(p.handler.Replied)
	cancel()
	<-found
	closeSocket()
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}

func (p *Pinger) use(s *socket[Reply]) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sock = s
}

// find looks for the addresses of targets that have none, and reports whether
// there is nothing left to look for. An address once found is kept, as that of
// a ucast line is.
func (p *Pinger) find(ctx context.Context) (done bool) {
	done = true
	for i := range p.targets {
		t := &p.targets[i]
		if t.to == nil {
			address, err := resolve(ctx, t.text, p.family())
			if ctx.Err() != nil {
				return true
			}
			if err != nil {
				p.set(i, StateWaiting, Unresolved, err)
				done = false
				continue
			}
			p.mu.Lock()
			t.address, t.to = address, sockaddr(netip.AddrPortFrom(address, 0), zoneIndex(t.text))
			p.mu.Unlock()
		}
		p.set(i, StateOpen, "", nil)
	}
	return done
}

func (p *Pinger) family() int {
	if p.ping.IPv6 {
		return unix.AF_INET6
	}
	return unix.AF_INET
}

// zoneIndex is the index of the interface that an address of link scope was
// written with, as in "fe80::1%eth0"; 0 without.
func zoneIndex(text string) int {
	address, err := netip.ParseAddr(text)
	if err != nil || address.Zone() == "" {
		return 0
	}
	if index, err := strconv.Atoi(address.Zone()); err == nil {
		return index
	}
	found, err := net.InterfaceByName(address.Zone())
	if err != nil {
		return 0
	}
	return found.Index
}

// take is source.take: the reply if it answers an open question.
func (p *Pinger) take(s *socket[Reply]) (Reply, bool) {
	e, ok := parseReply(s.got.bytes, p.ping.IPv6)
	if !ok {
		return Reply{}, false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.targets {
		t := &p.targets[i]
		q := &t.asked[e.sequence%outstanding]
		if t.address != s.got.source.Addr() || q.echo != e || q.at.IsZero() {
			continue
		}
		r := Reply{
			Name: p.ping.Name, Target: t.text, At: s.at, Read: s.read,
			RoundTrip: max(0, s.at.Sub(q.at)), // the clocks are read in turn, and may differ by a hair
		}
		q.at = time.Time{}
		return r, true
	}
	return Reply{}, false
}

func (p *Pinger) set(i int, state State, reason string, err error) {
	p.targets[i].become(p.handler.Changed, Change{Link: p.ping.Name, Index: i, State: state, Reason: reason, Err: err})
}

// wait reports why the socket could not be opened.
func (p *Pinger) wait(err error) {
	for i := range p.targets {
		p.set(i, StateWaiting, waitReason(err), err)
	}
}
