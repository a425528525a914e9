package agent

import (
	"context"
	"errors"
	"time"

	"github.com/systole-ha/systole/agent/core"
	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/agent/link"
	"github.com/systole-ha/systole/agent/wire"
)

// handler turns what the links say into inputs. Its methods run on the links'
// goroutines and wait when the queue is full.
type handler struct{ a *Agent }

func (h handler) Received(p *link.Packet) {
	select {
	case h.a.inputs <- input{packet: p}:
	case <-h.a.ended:
		p.Release()
	}
}

func (h handler) Rejected(r link.Rejection) {
	in := core.Rejected{Link: r.Index, Reason: r.Reason, Count: r.Count}
	if r.Source.IsValid() {
		in.Source = r.Source.String()
	}
	h.a.tell(in)
}

// Replied takes in an echo reply of a ping node.
func (h handler) Replied(r link.Reply) { h.a.tell(pinged(r)) }

func pinged(r link.Reply) core.Pinged {
	return core.Pinged{At: r.At, PingNode: r.Name, RoundTrip: r.RoundTrip}
}

// Changed reports a link that opened or waits. That a ping node cannot be asked
// shows in its not answering.
func (h handler) Changed(c link.Change) {
	if c.Index >= len(h.a.links) || h.a.links[c.Index].Name() != c.Link {
		return
	}
	kind := h.a.links[c.Index].Kind()
	switch c.State {
	case link.StateUnused:
		h.a.tell(core.Unused{Link: c.Index})
		h.a.tell(core.Fact{Event: event.LinkOpened{Link: c.Link, Medium: kind, Unused: true}})
	case link.StateWaiting:
		// At the other end of a lost carrier, or of a line that was hung up, the
		// peer may be dead.
		far := c.Reason == link.NoCarrier || c.Reason == link.HungUp || c.Reason == link.Stuck
		h.a.tell(core.LinkState{Link: c.Index, Usable: far, Closed: true})
		e := event.LinkClosed{Link: c.Link, Medium: kind, Error: c.Reason}
		if c.Err != nil {
			e.Error += ": " + c.Err.Error()
		}
		h.a.tell(core.Fact{Event: e})
	default:
		h.a.tell(core.LinkState{Link: c.Index, Usable: true})
		h.a.tell(core.Fact{Event: event.LinkOpened{Link: c.Link, Medium: kind}})
	}
}

// tell hands an input to the loop, and waits until there is room.
func (a *Agent) tell(in core.Input) {
	select {
	case a.inputs <- input{Input: in}:
	case <-a.ended:
	}
}

// send hands a message to every link, signed with the key of that number. It is
// written once for each run of links of one format. Links never make us wait;
// what they would not take is told after the present output.
func (a *Agent) send(m *wire.Message, key int) {
	encoded := wire.Format(-1)
	for _, l := range a.links {
		if f := l.Format(); f != encoded {
			a.buffer = a.codec.AppendWithKey(a.buffer[:0], m, f, key)
			encoded = f
		}
		err := l.Send(a.buffer)
		if err == nil {
			continue
		}
		failed := core.SendFailed{Link: l.Index(), Reason: link.SendOther}
		if e := (*link.SendError)(nil); errors.As(err, &e) {
			failed.Reason = e.Reason
		}
		a.later = append(a.later, failed)
	}
}

// SetKeyring changes the keys, from the next message on.
func (a *Agent) SetKeyring(ring *wire.Keyring) {
	for _, l := range a.links {
		l.SetKeyring(ring)
	}
	for _, v := range a.cfg.Voters {
		if v, ok := v.(interface{ SetKeyring(*wire.Keyring) }); ok {
			v.SetKeyring(ring)
		}
	}
	a.call(context.Background(), func(time.Time) { a.codec = ring.NewCodec() })
}
