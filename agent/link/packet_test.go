package link

import (
	"reflect"
	"testing"

	"github.com/systole-ha/systole/agent/wire"
)

// A packet's message does not change when the buffers it was read into do.
func TestPacketHoldsItsMessage(t *testing.T) {
	value := []byte("active")
	m := wire.New("t", "status", "empty", "")
	m.SetBinary("srcuuid", []byte{0, 1, 2})
	m.Fields = append(m.Fields, wire.Field{Name: []byte("st"), Value: value})
	want := m.Clone()

	p := newPacket()
	defer p.Release()
	p.hold(&m)
	copy(value, "dead!!")
	if !reflect.DeepEqual(p.Message, want) {
		t.Errorf("message\n got %q\nwant %q", p.Message, want)
	}
	if p.Message.Get("empty") == nil {
		t.Error("an empty value became none")
	}
	_ = append(p.Message.Fields[0].Value, "overwritten"...)
	if got := string(p.Message.Fields[1].Name); got != "empty" {
		t.Errorf("appending to a value changed the next name to %q", got)
	}
}

func TestPacketIsReleasedOnce(t *testing.T) {
	for name, p := range map[string]*Packet{"from the pool": newPacket(), "of a test": {}} {
		p.Release()
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("a packet %s was released twice without a panic", name)
				}
			}()
			p.Release()
		}()
	}
}
