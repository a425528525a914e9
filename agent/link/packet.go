package link

import (
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/systole-ha/systole/agent/wire"
)

// A Packet is one authentic packet. It comes from a pool: whoever is given one
// calls Release exactly once, and touches neither it nor its Message afterwards.
type Packet struct {
	Link    string         // the name of the link it arrived on
	Index   int            // that link's place in ha.cf
	At      time.Time      // arrival, on the monotonic clock; never after Read
	Read    time.Time      // when the reader had it in hand
	Source  netip.AddrPort // zero on serial lines
	Key     int            // the number of the key its sender signs with
	Secret  int            // the number of the key whose secret that was; see wire.Codec.LastKey
	Message wire.Message   // its bytes belong to the packet

	bytes    []byte // what Message is made of
	pooled   bool
	released atomic.Bool
}

// free holds packets to be used again, for all links: a heartbeat costs no
// allocation once as many packets exist as are ever in flight. That is one or
// two; 256 is what a drain may hand out at once after a pause of 2.5 s at a
// keepalive of 10 ms. It is not a sync.Pool, which the collector empties.
var free = make(chan *Packet, 256)

// keptBytes bounds what a free packet holds on to. A heartbeat has about 300
// bytes; the rare message of tens of kilobytes is not worth keeping room for.
const keptBytes = 4096

func newPacket() *Packet {
	select {
	case p := <-free:
		p.released.Store(false)
		return p
	default:
		return &Packet{pooled: true}
	}
}

// Release gives the packet back. A second call panics where it is noticed: the
// packet may by then be somebody else's.
func (p *Packet) Release() {
	if p.released.Swap(true) {
		panic("link: packet released twice")
	}
	if !p.pooled {
		return
	}
	if cap(p.bytes) > keptBytes {
		p.bytes = nil
	}
	p.Message.Reset()
	select {
	case free <- p:
	default:
	}
}

// hold copies a message, which lives in the buffer of a reader or of its codec
// and will be overwritten by the next, into the packet.
func (p *Packet) hold(m *wire.Message) {
	size := 0
	for i := range m.Fields {
		size += len(m.Fields[i].Name) + len(m.Fields[i].Value)
	}
	if cap(p.bytes) < size {
		p.bytes = make([]byte, 0, max(size, 512))
	}
	p.bytes = p.bytes[:0]
	p.Message.Reset()
	for _, f := range m.Fields {
		p.Message.Fields = append(p.Message.Fields, wire.Field{
			Name:  p.keep(f.Name),
			Value: p.keep(f.Value),
			Type:  f.Type,
		})
	}
}

func (p *Packet) keep(b []byte) []byte {
	from := len(p.bytes)
	p.bytes = append(p.bytes, b...)
	return p.bytes[from:len(p.bytes):len(p.bytes)]
}
