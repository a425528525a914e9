package link

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// A port is one UDP port on one interface: a socket, and the links that use it.
//
// Broadcast and unicast lines of one interface share it. Heartbeat opens a
// socket a line, all bound alike, and the kernel then gives every broadcast to
// each of them and each unicast to whichever it likes, so that a link is called
// up on the evidence of another. Here each datagram is given to one link, by
// where it came from and where it went (see choose). Multicast lines have a
// port each, because the kernel can tell groups apart.
type port struct {
	device   string
	family   int
	address  netip.AddrPort            // bound to: unspecified, or a group
	prepare  func(fd, index int) error // what else the socket needs; may be nil
	links    []*udp                    // in the order of ha.cf; not changed once one runs
	received func(*Packet)             // the handler's

	turn chan struct{} // held by the one Run that reads for all

	mu   sync.Mutex       // between those who send or drain and the opening and closing
	sock *socket[*Packet] // nil while not open
}

func newPort(device string, family int, address netip.AddrPort, h Handler) *port {
	return &port{
		device: device, family: family, address: address,
		received: h.Received, turn: make(chan struct{}, 1),
	}
}

// run reads the port for all its links until ctx ends. Its sockets are opened
// in the calling goroutine, and so belong to its network namespace.
func (p *port) run(ctx context.Context) error {
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return nil // another link's Run read for this one
	}
	m, err := openMonitor()
	if err != nil {
		return err
	}
	defer m.close()
	for ctx.Err() == nil {
		found := m.look(p.device)
		sock, err := p.open(found)
		if err == nil {
			err = p.serve(ctx, m, sock, found.index)
		}
		if err != nil {
			p.wait(err)
			m.wait(ctx)
		}
	}
	return nil
}

// open opens the socket on an interface just looked at.
func (p *port) open(found iface) (*socket[*Packet], error) {
	if found.index == 0 {
		return nil, unix.ENODEV
	}
	fd, err := unix.Socket(p.family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	err = options(fd, p.family, p.device)
	if err == nil && p.prepare != nil {
		err = p.prepare(fd, found.index)
	}
	if err == nil {
		err = os.NewSyscallError("bind", unix.Bind(fd, sockaddr(p.address, found.index)))
	}
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	s, err := newSocket[*Packet](fd)
	if err != nil {
		return nil, err
	}
	s.take = func() (*Packet, bool) { return p.take(s) }
	s.report = p.report
	return s, nil
}

// serve reads an open socket until ctx ends or the interface is not the one it
// was opened on, both of which are no error.
func (p *port) serve(ctx context.Context, m *monitor, s *socket[*Packet], index int) error {
	ctx, cancel := context.WithCancel(ctx)
	closeSocket := sync.OnceFunc(func() {
		p.use(nil) // first: a closed descriptor may soon be another file's
		s.file.Close()
	})
	context.AfterFunc(ctx, closeSocket)
	p.use(s)

	watched := make(chan struct{})
	go func() {
		defer close(watched)
		defer cancel()
		p.watch(ctx, m, index)
	}()
	err := s.run(p.received)
	cancel()
	<-watched
	closeSocket()
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}

// watch follows the interface and keeps the links' destinations and states by
// it, until ctx ends or the interface has gone or been replaced: a socket is
// bound to the interface, not to its name.
func (p *port) watch(ctx context.Context, m *monitor, index int) {
	for ctx.Err() == nil {
		found := m.look(p.device)
		if found.index != index {
			return
		}
		for _, l := range p.links {
			l.follow(m, found)
		}
		m.wait(ctx)
	}
}

// use makes a socket, or none, the one to send and drain by.
func (p *port) use(s *socket[*Packet]) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sock = s
}

// take is source.take of the port's socket.
func (p *port) take(s *socket[*Packet]) (*Packet, bool) {
	l := p.choose(&s.got)
	if n := s.newlyDropped(); n > 0 {
		l.noteDropped(n)
	}
	return l.take(s.got.bytes, s.got.source, s.at, s.read)
}

// choose finds the link a datagram belongs to: a broadcast to the broadcast
// link, a unicast to the ucast link that names its source. What fits nowhere
// goes to a link of the right sort if there is one, else to any: the peer may
// be configured otherwise, or have more addresses than one, and what is
// authentic is believed.
func (p *port) choose(d *datagram) *udp {
	best, most := p.links[0], -1
	for _, l := range p.links {
		if fit := l.fit(d); fit > most {
			best, most = l, fit
		}
	}
	return best
}

// report is source.report of the port's socket.
func (p *port) report(now time.Time) (next time.Time) {
	for _, l := range p.links {
		if due := l.rejected.report(now, &l.base); !due.IsZero() && (next.IsZero() || due.Before(next)) {
			next = due
		}
	}
	return next
}

func (p *port) drain(received func(*Packet)) {
	p.mu.Lock()
	s := p.sock
	p.mu.Unlock()
	if s != nil {
		s.drain(received)
	}
}

// send hands a packet to the kernel.
func (p *port) send(l *udp, packet []byte) *SendError {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.sock == nil || l.destination == nil {
		return &SendError{Link: l.name, Reason: SendNoDevice, Err: ErrNotOpen}
	}
	for {
		err := unix.Sendto(p.sock.fd, packet, unix.MSG_DONTWAIT|l.flags, l.destination)
		if err == nil {
			return nil
		}
		if err != unix.EINTR {
			return sendError(l.name, err)
		}
	}
}

// wait reports why the port cannot be opened.
func (p *port) wait(err error) {
	for _, l := range p.links {
		l.set(StateWaiting, waitReason(err), err)
	}
}
