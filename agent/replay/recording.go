// Package replay puts a core in the place of one of two Heartbeat 3.0.6 nodes
// whose conversation was recorded. The core is told what the other node said,
// when it said it, and what it answers is held against what the real node
// answered. There is no clock but that of the recording.
//
// What the other node says does not depend on what the core answers: a
// recording can show that the core says the same things in the same order, and
// no more. That a real node can live with the answers is shown in the lab.
package replay

import (
	"fmt"
	"time"

	"github.com/systole-ha/systole/agent/wire"
)

// A Packet is one message of a recording.
type Packet struct {
	At      time.Time
	From    string // node
	Bytes   []byte
	Message wire.Message
}

// A Recording is what two nodes said to each other on one network.
type Recording struct {
	Start, End time.Time
	Packets    []Packet
}

// Read takes the messages out of a capture. Each must verify with one of the
// keys. Frames that are no UDP datagrams are left out.
func Read(capture []byte, keys []wire.Key) (*Recording, error) {
	frames, err := ReadPcap(capture)
	if err != nil {
		return nil, err
	}
	if len(frames) == 0 {
		return nil, fmt.Errorf("the capture is empty")
	}
	var codecs []*wire.Codec
	for _, key := range keys {
		codec, err := codecOf(key)
		if err != nil {
			return nil, err
		}
		codecs = append(codecs, codec)
	}
	r := &Recording{Start: frames[0].At, End: frames[len(frames)-1].At}
	for _, f := range frames {
		d, ok := f.Datagram()
		if !ok {
			continue
		}
		p, err := decode(d, codecs)
		if err != nil {
			return nil, fmt.Errorf("%v after the start: %w", d.At.Sub(r.Start), err)
		}
		r.Packets = append(r.Packets, p)
	}
	return r, nil
}

// codecOf is the codec of a node that signs with the first of its keys.
func codecOf(keys ...wire.Key) (*wire.Codec, error) {
	ring, err := wire.NewKeyring(keys[0].Number, keys)
	if err != nil {
		return nil, err
	}
	return ring.NewCodec(), nil
}

// decode reads a message with the first key that verifies it.
func decode(d Datagram, codecs []*wire.Codec) (Packet, error) {
	var last error
	for _, codec := range codecs {
		var m wire.Message
		if last = codec.Decode(d.Payload, &m); last == nil {
			return Packet{At: d.At, From: string(m.Get("src")), Bytes: d.Payload, Message: m.Clone()}, nil
		}
	}
	return Packet{}, last
}
