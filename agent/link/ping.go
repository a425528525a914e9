package link

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
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
	targets  []*target
	request  []byte
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
		address, err := literal(text, p.family())
		if err != nil {
			return nil, fmt.Errorf("ping node %q: %w", ping.Name, err)
		}
		t := &target{text: text}
		t.aim(address)
		p.targets = append(p.targets, t)
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
	for _, t := range p.targets {
		if p.sock == nil || t.to == nil {
			continue
		}
		if err := t.ask(p); err != nil {
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

	var finding sync.WaitGroup
	for i := range p.targets {
		finding.Go(func() { p.find(ctx, i) })
	}
	err := s.run(p.handler.Replied)
	cancel()
	finding.Wait()
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

// find sees to it that a target has an address, and reports its state.
func (p *Pinger) find(ctx context.Context, i int) {
	t := p.targets[i]
	if t.to == nil {
		p.set(i, StateWaiting, Unresolved, nil)
		address, ok := resolve(ctx, t.text, p.family())
		if !ok {
			return
		}
		p.mu.Lock()
		t.aim(address)
		p.mu.Unlock()
	}
	p.set(i, StateOpen, "", nil)
}

func (p *Pinger) family() int {
	if p.ping.IPv6 {
		return unix.AF_INET6
	}
	return unix.AF_INET
}

// take is source.take: the reply if it answers an open question.
func (p *Pinger) take(s *socket[Reply]) (Reply, bool) {
	e, ok := parseReply(s.got.bytes, p.ping.IPv6)
	if !ok {
		return Reply{}, false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, t := range p.targets {
		if t.address != s.got.source.Addr() {
			continue
		}
		if asked, ok := t.answered(e); ok {
			// The clocks are read in turn, and may differ by a hair.
			roundTrip := max(0, s.at.Sub(asked))
			return Reply{Name: p.ping.Name, Target: t.text, At: s.at, Read: s.read, RoundTrip: roundTrip}, true
		}
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
