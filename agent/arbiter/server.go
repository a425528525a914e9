package arbiter

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/systole-ha/systole/agent/permission"
	"github.com/systole-ha/systole/agent/wire"
)

// A Server is an arbiter: it has one vote for each cluster, and forgets at its
// end to whom it was lent. Every datagram is answered at once and on its own.
type Server struct {
	log   *slog.Logger
	start time.Time
	run   string

	mu       sync.Mutex
	clusters map[string]*cluster
}

// A cluster is what the server keeps of one.
type cluster struct {
	codec *wire.Codec
	book  *permission.Book
	last  string // the holder that was logged
}

// NewServer makes a server that has no cluster yet.
func NewServer(log *slog.Logger) *Server {
	return &Server{log: log, start: time.Now(), run: random(), clusters: map[string]*cluster{}}
}

// SetClusters says whose questions are answered, and by which keys they are
// known. What is known of a cluster that was there before stays; so do the
// votes of one that goes and comes again.
func (s *Server) SetClusters(rings map[string]*wire.Keyring) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, c := range s.clusters {
		if rings[name] == nil {
			c.codec = nil
		}
	}
	for name, ring := range rings {
		c := s.clusters[name]
		if c == nil {
			c = &cluster{book: permission.NewBook(s.start)}
			s.clusters[name] = c
		}
		c.codec = ring.NewCodec()
	}
}

// Serve answers what comes in on conn until ctx ends, and closes it.
func (s *Server) Serve(ctx context.Context, conn *net.UDPConn) error {
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	in, out := make([]byte, maxDatagram+1), make([]byte, 0, maxDatagram)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(in)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		case err != nil:
			continue // the kernel's word that nobody took an answer
		case n > maxDatagram:
			continue
		}
		if out = s.Answer(out[:0], time.Now(), in[:n], from); len(out) > 0 {
			_, _ = conn.WriteToUDPAddrPort(out, from) // who did not get it asks again
		}
	}
}

// Answer appends the answer to one datagram; nothing where it is not believed,
// so that nobody learns anything from asking.
func (s *Server) Answer(dst []byte, now time.Time, datagram []byte, from netip.AddrPort) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	var m wire.Message
	for name, c := range s.clusters {
		if c.codec == nil {
			continue
		}
		m.Reset()
		if c.codec.Decode(datagram, &m) != nil {
			continue
		}
		q, ok := readQuestion(&m)
		if !ok || q.cluster != name {
			continue
		}
		reply := s.decide(now, c, q, from).message()
		return c.codec.Append(dst, &reply, wire.Netstring)
	}
	return dst
}

func (s *Server) decide(now time.Time, c *cluster, q question, from netip.AddrPort) answer {
	a := answer{cluster: q.cluster, run: s.run, nonce: q.nonce}
	if q.run != s.run {
		a.stale = true
		return a
	}
	switch q.want {
	case permission.Vote:
		a.granted, a.holder, a.left = c.book.Vote(now, q.node, q.number, q.length)
	case permission.Release:
		c.book.Release(now, q.node, q.number)
	}
	if holder, _ := c.book.Holder(now); holder != c.last {
		s.log.Info("vote", "cluster", q.cluster, "holder", holder, "before", c.last, "from", from)
		c.last = holder
	}
	return a
}
