package linktest

import (
	"bytes"
	"context"
	"maps"
	"sync"
	"time"

	"github.com/systole-ha/systole/agent/link"
	"github.com/systole-ha/systole/agent/wire"
)

// An End is one end of a bus: a link.Link.
type End struct {
	Loop   bool // our own packets come back, as with bcast; set before Run
	Serial bool // packets are to be in classic form; set before Run

	bus     *Bus
	name    string
	index   int
	handler link.Handler
	life    context.Context
	end     context.CancelFunc
	news    chan struct{} // has an element when frames changed
	inHand  chan struct{} // has one while the reader hands a packet over

	mu      sync.Mutex
	running bool
	pulled  bool
	codec   *wire.Codec
	frames  []frame // in the order in which they arrive
	stats   link.Stats
}

var _ link.Link = (*End)(nil)

func newEnd(b *Bus, name string, index int, ring *wire.Keyring, h link.Handler) *End {
	e := &End{
		bus: b, name: name, index: index, handler: h, codec: ring.NewCodec(),
		news: make(chan struct{}, 1), inHand: make(chan struct{}, 1),
		stats: link.Stats{Rejected: map[string]uint64{}},
	}
	for _, reason := range []wire.Reason{wire.BadSignature, wire.UnknownKey, wire.Malformed, wire.Oversize} {
		e.stats.Rejected[string(reason)] = 0
	}
	e.life, e.end = context.WithCancel(context.Background())
	return e
}

func (e *End) Name() string { return e.name }
func (e *End) Index() int   { return e.index }

// Kind is bcast, ucast or serial, by what the end is like.
func (e *End) Kind() string {
	switch {
	case e.Serial:
		return "serial"
	case e.Loop:
		return "bcast"
	}
	return "ucast"
}

func (e *End) Format() wire.Format {
	if e.Serial {
		return wire.Classic
	}
	return wire.Netstring
}

// Send puts a packet on the bus. It fails while the end does not run or its
// plug is pulled.
func (e *End) Send(packet []byte) error {
	e.mu.Lock()
	if !e.running || e.pulled {
		e.stats.SendErrors++
		e.mu.Unlock()
		return &link.SendError{Link: e.name, Reason: link.SendNoDevice, Err: link.ErrNotOpen}
	}
	e.stats.Sent++
	e.stats.SentBytes += uint64(len(packet))
	e.mu.Unlock()
	if e.Loop {
		e.arrive(packet, time.Now())
	}
	e.bus.carry(e, packet)
	return nil
}

// Inject makes bytes arrive now that no end has sent.
func (e *End) Inject(packet []byte) { e.arrive(packet, time.Now()) }

// Unplug takes the end off the bus: it waits for a carrier, and what is sent to
// it meanwhile is lost.
func (e *End) Unplug() {
	e.pull(true)
	e.change(link.StateWaiting, link.NoCarrier)
}

// Replug undoes Unplug.
func (e *End) Replug() {
	e.pull(false)
	e.change(link.StateOpen, "")
}

func (e *End) pull(pulled bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.pulled = pulled
}

func (e *End) change(state link.State, reason string) {
	e.handler.Changed(link.Change{Link: e.name, Index: e.index, At: time.Now(), State: state, Reason: reason})
}

// arrive has a packet arrive at an instant, if the end runs and is plugged in.
func (e *End) arrive(packet []byte, at time.Time) {
	e.mu.Lock()
	if e.running && !e.pulled {
		e.frames = insert(e.frames, frame{bytes.Clone(packet), at})
	}
	e.mu.Unlock()
	select {
	case e.news <- struct{}{}:
	default:
	}
}

// Run hands on what arrives until ctx ends or the end is closed. What arrives
// while the handler is busy waits, with its stamp, for Run or Drain.
func (e *End) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	context.AfterFunc(e.life, cancel)
	e.setRunning(true)
	defer e.setRunning(false)
	e.change(link.StateOpen, "")
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		came := e.take(e.inHand)
		if came.packet != nil || came.rejected != nil {
			came.handTo(e.handler, e.handler.Received)
			<-e.inHand
			continue
		}
		var due <-chan time.Time
		if !came.next.IsZero() {
			timer.Reset(time.Until(came.next))
			due = timer.C
		}
		select {
		case <-e.news:
		case <-due:
		case <-ctx.Done():
		}
	}
	return nil
}

func (e *End) setRunning(running bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.running, e.frames = running, nil
}

// Drain is link.Link's.
func (e *End) Drain(received func(*link.Packet)) {
	for came := e.take(nil); came.packet != nil || came.rejected != nil; came = e.take(nil) {
		came.handTo(e.handler, received)
	}
	patience := time.NewTimer(5 * time.Millisecond)
	defer patience.Stop()
	select {
	case e.inHand <- struct{}{}:
		<-e.inHand
	case <-patience.C:
	}
}

// An arrival is a packet, or one that was refused, or neither and when to look
// again: never if next is zero.
type arrival struct {
	packet   *link.Packet
	rejected *link.Rejection
	next     time.Time
}

func (a arrival) handTo(h link.Handler, received func(*link.Packet)) {
	if a.packet != nil {
		received(a.packet)
	} else {
		h.Rejected(*a.rejected)
	}
}

// take takes the first frame that has arrived. If there is one, hand gets an
// element before anybody else can take the next, unless it is nil.
func (e *End) take(hand chan<- struct{}) arrival {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.frames) == 0 {
		return arrival{}
	}
	now, f := time.Now(), e.frames[0]
	if f.at.After(now) {
		return arrival{next: f.at}
	}
	e.frames = e.frames[1:]
	if hand != nil {
		hand <- struct{}{}
	}
	return e.decode(f, now)
}

func (e *End) decode(f frame, now time.Time) arrival {
	var m wire.Message
	if err := e.codec.Decode(f.bytes, &m); err != nil {
		reason := string(err.(*wire.Error).Reason)
		e.stats.Rejected[reason]++
		return arrival{rejected: &link.Rejection{Link: e.name, Index: e.index, Reason: reason, At: f.at, Count: 1}}
	}
	e.stats.Received++
	e.stats.ReceivedBytes += uint64(len(f.bytes))
	p := &link.Packet{Link: e.name, Index: e.index, At: f.at, Read: now, Message: m.Clone()}
	p.Key, p.Secret = e.codec.LastKey()
	return arrival{packet: p}
}

// SetKeyring is link.Link's.
func (e *End) SetKeyring(r *wire.Keyring) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.codec = r.NewCodec()
}

// Stats is link.Link's.
func (e *End) Stats() link.Stats {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.stats
	s.Rejected = maps.Clone(s.Rejected)
	return s
}

// Close is link.Link's.
func (e *End) Close() error {
	e.end()
	return nil
}
