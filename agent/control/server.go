package control

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"github.com/systole-ha/systole/agent/core"
	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/agent/readiness"
	"github.com/systole-ha/systole/agent/takeover"
)

// A Node is what the server asks. Its methods are called from many goroutines
// at once and end when ctx does.
type Node interface {
	// Snapshot is the core's, taken by the loop.
	Snapshot(ctx context.Context) (core.Snapshot, error)

	// Request puts an operator's wish to the loop and waits until the peer has
	// answered or the wish is refused. kind is standby or takeover, scope all,
	// local or foreign; or kind is fence or confirm, scope a node. uid is the user
	// who wishes it, -1 where not known.
	Request(ctx context.Context, kind, scope string, uid int) (takeover.Reply, error)

	// Ready looks now whether a takeover here would work.
	Ready(ctx context.Context) (readiness.Report, error)

	// Parameter is a directive of ha.cf as it is written there, or its
	// default; lists have none.
	Parameter(name string) (value string, known bool)
}

// The bounds of what clients can do to the server.
const (
	maxConnections = 64                      // a screenful of operators and every monitor there is
	maxStreams     = 32                      // of them: the rest is for commands
	requestTime    = 2 * time.Second         // for the request to arrive and an answer to be taken
	snapshotTime   = 1500 * time.Millisecond // for the loop to answer: less than cl_status waits
	moveTime       = 15 * time.Second        // for the peer to say yes or no, which takes ten seconds at most
	readyTime      = readiness.Longest       // for a look at everything that a takeover needs
	streamTime     = 30 * time.Second        // for a reader of events to take one batch
	aliveInterval  = 5 * time.Second         // between lines of a stream, at the most
)

// A Config says where to listen and what the node's files say.
type Config struct {
	Socket string
	Nodes  []string // all of them in the order of ha.cf, ping nodes included
}

// A Server answers on the control socket. It is an event.Sink and must be given
// every record from the first on.
type Server struct {
	nodes    []string
	listener net.Listener
	lock     *os.File

	mu      sync.Mutex // held by Record, and for no longer than it takes to copy
	ring    ring
	facts   facts
	streams map[chan struct{}]struct{} // each told, once, that there is more to read
}

// Listen opens the socket. Who connects is answered as soon as Serve runs.
// ErrRunning says that another daemon has it.
func Listen(cfg Config) (*Server, error) {
	l, lock, err := listen(cfg.Socket)
	if err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	s := newServer(cfg.Nodes)
	s.listener, s.lock = l, lock
	return s, nil
}

func newServer(nodes []string) *Server {
	return &Server{nodes: nodes, facts: newFacts(), streams: map[chan struct{}]struct{}{}}
}

// Record takes one event in. It never waits for a client, and allocates only
// for takeovers and other news.
func (s *Server) Record(r event.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.facts.note(r)
	if event.SeverityOf(r.Event) == event.Sample {
		return
	}
	s.ring.put(r)
	for news := range s.streams {
		select {
		case news <- struct{}{}:
		default: // it has been told and has not looked yet
		}
	}
}

// Serve answers clients until ctx ends, then removes the socket, closes every
// connection and waits for the end of all it started. The error is that of a
// socket that failed.
func (s *Server) Serve(ctx context.Context, node Node) error {
	ctx, cancel := context.WithCancel(ctx)
	var connections sync.WaitGroup
	defer s.Close()
	defer connections.Wait()
	defer cancel()
	defer context.AfterFunc(ctx, func() { s.listener.Close() })()

	slots := newSlots()
	for {
		c, err := s.listener.Accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				c.Close()
			}
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("control socket: %w", err)
		case err != nil: // no file descriptor, no memory: others may give some back
			pause(ctx, 100*time.Millisecond)
		case !slots.take():
			refuse(c, &Error{Busy, fmt.Sprintf("%d connections are open", maxConnections)})
			c.Close()
		default:
			connections.Go(func() {
				defer slots.give()
				defer c.Close()
				defer context.AfterFunc(ctx, func() { c.Close() })()
				s.converse(ctx, c, node, slots)
			})
		}
	}
}

// Close removes the socket of a server that does not serve. Serve does it by
// itself.
func (s *Server) Close() {
	s.listener.Close()
	s.lock.Close()
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// slots counts connections, and the event streams among them.
type slots struct {
	connections chan struct{}
	streams     chan struct{}
}

func newSlots() slots {
	return slots{make(chan struct{}, maxConnections), make(chan struct{}, maxStreams)}
}

func (s slots) take() bool       { return take(s.connections) }
func (s slots) give()            { <-s.connections }
func (s slots) takeStream() bool { return take(s.streams) }
func (s slots) giveStream()      { <-s.streams }

func take(slots chan struct{}) bool {
	select {
	case slots <- struct{}{}:
		return true
	default:
		return false
	}
}
