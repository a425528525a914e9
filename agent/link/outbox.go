package link

import (
	"bytes"
	"strconv"
	"sync"
)

// maxWaiting bounds the messages other than heartbeats that wait for a serial
// line: 16 of 300 bytes keep a line of 19200 bit/s busy for 2.5 s. What does
// not fit is refused, for the sender to know, and is sent again when the peer
// asks for it.
const maxWaiting = 16

// An outbox holds what waits for a serial line, which takes 160 ms for a
// heartbeat at 19200 bit/s. Of heartbeats only the newest waits: one that the
// next has overtaken says nothing any more, and a line that is too slow for the
// keepalive would fall behind for ever. Everything else waits in its order.
//
// Heartbeats are numbered like all messages, so the peer will ask for one that
// was overtaken. One sent again, older than the one that waits, is an ordinary
// message.
type outbox struct {
	mu    sync.Mutex
	queue []waiting // oldest first
	spare [][]byte
	wake  chan struct{} // has an element when there may be something
}

type waiting struct {
	packet    []byte
	heartbeat bool
	sequence  uint64
}

func newOutbox() *outbox { return &outbox{wake: make(chan struct{}, 1)} }

// push puts a copy of a packet in the queue, unless that is full.
func (o *outbox) push(packet []byte) bool {
	w := waiting{}
	w.sequence, w.heartbeat = heartbeatNumber(packet)
	o.mu.Lock()
	defer o.mu.Unlock()
	if w.heartbeat && !o.overtake(w.sequence) {
		w.heartbeat = false
	}
	if !w.heartbeat && len(o.queue) >= maxWaiting {
		return false
	}
	w.packet = append(o.buffer(), packet...)
	o.queue = append(o.queue, w)
	select {
	case o.wake <- struct{}{}:
	default:
	}
	return true
}

// overtake removes the heartbeat that waits, unless it is newer than sequence.
func (o *outbox) overtake(sequence uint64) bool {
	for i, w := range o.queue {
		if !w.heartbeat {
			continue
		}
		if w.sequence > sequence {
			return false
		}
		o.remove(i)
		return true
	}
	return true
}

// pop takes the oldest packet and appends it to dst.
func (o *outbox) pop(dst []byte) (packet []byte, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.queue) == 0 {
		return dst, false
	}
	dst = append(dst, o.queue[0].packet...)
	o.remove(0)
	return dst, true
}

// clear forgets what waits.
func (o *outbox) clear() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.queue) > 0 {
		o.remove(0)
	}
}

func (o *outbox) remove(i int) {
	o.spare = append(o.spare, o.queue[i].packet[:0])
	o.queue = append(o.queue[:i], o.queue[i+1:]...)
}

// buffer is room for a packet, used before where there is any.
func (o *outbox) buffer() []byte {
	if len(o.spare) == 0 {
		return nil
	}
	last := len(o.spare) - 1
	b := o.spare[last]
	o.spare = o.spare[:last]
	return b
}

// heartbeatNumber reports whether a packet in classic form is a heartbeat, and
// its sequence number, 0 where it has none.
func heartbeatNumber(packet []byte) (sequence uint64, is bool) {
	if !bytes.Contains(packet, []byte("\nt=status\n")) && !bytes.Contains(packet, []byte("\nt=NS_st\n")) {
		return 0, false
	}
	_, after, _ := bytes.Cut(packet, []byte("\nseq="))
	digits, _, _ := bytes.Cut(after, []byte("\n"))
	sequence, err := strconv.ParseUint(string(digits), 16, 64)
	if err != nil {
		return 0, true
	}
	return sequence, true
}
