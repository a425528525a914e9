package arbiter

import (
	"context"
	"errors"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/systole-ha/systole/agent/permission"
	"github.com/systole-ha/systole/agent/wire"
)

// A Client asks a systole arbiter. Its methods are for one goroutine at a time,
// save SetKeyring.
type Client struct {
	address       string
	cluster, node string
	generation    uint64
	ring          atomic.Pointer[wire.Keyring]

	codec  *wire.Codec
	coded  *wire.Keyring // that codec is of
	conn   net.Conn      // nil while it is to be opened
	run    string        // the arbiter's, as last heard
	in     []byte
	out    []byte
	parsed wire.Message
}

// New makes a client; it opens nothing before it is asked. generation is higher
// than at any earlier start of this node.
func New(address, cluster, node string, generation uint64, ring *wire.Keyring) *Client {
	c := &Client{address: address, cluster: cluster, node: node, generation: generation, in: make([]byte, maxDatagram+1)}
	c.ring.Store(ring)
	return c
}

// SetKeyring changes the keys, from the next question on.
func (c *Client) SetKeyring(ring *wire.Keyring) { c.ring.Store(ring) }

// Vote asks for the vote.
func (c *Client) Vote(ctx context.Context, q permission.Question) permission.Answer {
	a, err := c.ask(ctx, q)
	return permission.Answer{Granted: a.granted && err == nil, Holder: a.holder, Left: a.left, Err: err}
}

// Release gives it back.
func (c *Client) Release(ctx context.Context, q permission.Question) error {
	_, err := c.ask(ctx, q)
	return err
}

// Probe asks whether the arbiter is there, and knows this cluster.
func (c *Client) Probe(ctx context.Context) error {
	_, err := c.ask(ctx, permission.Question{Want: permission.Probe})
	return err
}

// Close closes the socket.
func (c *Client) Close() {
	if c.conn != nil {
		c.conn.Close()
		c.conn = nil
	}
}

// tries is how many times a question is sent while there is time.
const tries = 3

// errNoAnswer is what there is to say of an arbiter that does not answer: it is
// not there, or does not know us.
var errNoAnswer = errors.New("no answer")

// ask asks until there is an answer or no more time. An arbiter that was
// restarted says so first, and is asked once more.
func (c *Client) ask(ctx context.Context, q permission.Question) (answer, error) {
	if err := c.open(ctx); err != nil {
		return answer{}, err
	}
	asked := question{
		cluster: c.cluster, node: c.node, want: q.Want, number: c.generation<<32 | q.Number&(1<<32-1), length: q.Length, run: c.run,
	}
	deadline, _ := ctx.Deadline()
	wait := time.Until(deadline) / tries
	for ctx.Err() == nil {
		asked.run, asked.nonce = c.run, random()
		a, err := c.exchange(asked, wait, deadline)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			continue
		case err != nil:
			c.Close() // a name may have another address by now
			return answer{}, err
		case a.run != c.run && a.stale:
			c.run = a.run
			if q.Want != permission.Probe {
				continue
			}
		}
		return a, nil
	}
	c.Close()
	return answer{}, errNoAnswer
}

func (c *Client) open(ctx context.Context) (err error) {
	if ring := c.ring.Load(); ring != c.coded {
		c.codec, c.coded = ring.NewCodec(), ring
	}
	if c.conn == nil {
		var dialer net.Dialer
		c.conn, err = dialer.DialContext(ctx, "udp", c.address)
	}
	return err
}

// exchange sends one datagram and waits for its answer. What else comes is not
// believed or is late.
func (c *Client) exchange(q question, wait time.Duration, deadline time.Time) (answer, error) {
	m := q.message()
	c.out = c.codec.Append(c.out[:0], &m, wire.Netstring)
	if _, err := c.conn.Write(c.out); err != nil {
		return answer{}, err
	}
	until := time.Now().Add(wait)
	if deadline.Before(until) {
		until = deadline
	}
	if err := c.conn.SetReadDeadline(until); err != nil {
		return answer{}, err
	}
	for {
		n, err := c.conn.Read(c.in)
		if err != nil {
			return answer{}, err
		}
		c.parsed.Reset()
		if c.codec.Decode(c.in[:n], &c.parsed) != nil {
			continue
		}
		if a, ok := readAnswer(&c.parsed); ok && a.nonce == q.nonce && a.cluster == c.cluster {
			return a, nil
		}
	}
}
