package link

import (
	"context"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/systole-ha/systole/agent/wire"
)

// base is what all links have in common: a name, a handler, keys, counters.
type base struct {
	name    string
	index   int
	kind    string
	handler Handler

	ring atomic.Pointer[wire.Keyring]
	life context.Context // ended by Close
	end  context.CancelFunc

	sent, sentBytes, sendErrors atomic.Uint64
	received, receivedBytes     atomic.Uint64
	dropped                     atomic.Uint64

	// Of whoever holds the socket.
	codec     *wire.Codec
	codecRing *wire.Keyring
	message   wire.Message
	rejected  rejections

	condition
}

func (b *base) init(name, kind string, index int, ring *wire.Keyring, h Handler) {
	b.name, b.kind, b.index, b.handler = name, kind, index, h
	b.ring.Store(ring)
	b.life, b.end = context.WithCancel(context.Background())
}

func (b *base) Name() string               { return b.name }
func (b *base) Index() int                 { return b.index }
func (b *base) Kind() string               { return b.kind }
func (b *base) SetKeyring(r *wire.Keyring) { b.ring.Store(r) }

// Close is Link.Close.
func (b *base) Close() error {
	b.end()
	return nil
}

func (b *base) Stats() Stats {
	return Stats{
		Sent: b.sent.Load(), SentBytes: b.sentBytes.Load(), SendErrors: b.sendErrors.Load(),
		Received: b.received.Load(), ReceivedBytes: b.receivedBytes.Load(),
		Rejected: b.rejected.totals(), Dropped: b.dropped.Load(),
	}
}

// take checks and decodes what was read. It is false if that is not authentic.
// The caller holds the socket.
func (b *base) take(packet []byte, source netip.AddrPort, at, read time.Time) (*Packet, bool) {
	if err := b.decode(packet); err != nil {
		b.rejected.add(err.Reason, source, at)
		return nil, false
	}
	b.received.Add(1)
	b.receivedBytes.Add(uint64(len(packet)))
	p := newPacket()
	p.Link, p.Index, p.At, p.Read, p.Source = b.name, b.index, at, read, source
	p.Key, p.Secret = b.codec.LastKey()
	p.hold(&b.message)
	return p, true
}

func (b *base) decode(packet []byte) *wire.Error {
	if ring := b.ring.Load(); ring != b.codecRing {
		b.codecRing, b.codec = ring, ring.NewCodec()
	}
	if err := b.codec.Decode(packet, &b.message); err != nil {
		return err.(*wire.Error) // as Decode promises; errors.As would allocate
	}
	return nil
}

// noteDropped adds what the kernel threw away since the last count it gave.
func (b *base) noteDropped(n uint32) {
	b.dropped.Add(uint64(n))
	b.rejected.dropped += uint64(n)
}

// set reports a state, unless it is the one reported last.
func (b *base) set(state State, reason string, err error) {
	b.become(b.handler.Changed, Change{Link: b.name, Index: b.index, State: state, Reason: reason, Err: err})
}

// A condition is the state that was reported last. The reader, the watcher and
// the writer of one link all report; the mutex keeps the reports in the order
// of what they tell.
type condition struct {
	changes sync.Mutex
	change  Change
}

func (c *condition) become(changed func(Change), now Change) {
	c.changes.Lock()
	defer c.changes.Unlock()
	if c.change.State == now.State && c.change.Reason == now.Reason {
		return
	}
	now.At = time.Now()
	c.change = now
	changed(now)
}

// untilClosed is ctx that ends when the link is closed too.
func (b *base) untilClosed(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	context.AfterFunc(b.life, cancel)
	return ctx, cancel
}

// count notes the outcome of a send and passes it on.
func (b *base) count(n int, err *SendError) error {
	if err != nil {
		b.sendErrors.Add(1)
		return err
	}
	b.sent.Add(1)
	b.sentBytes.Add(uint64(n))
	return nil
}
