package linktest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/systole-ha/systole/agent/link"
	"github.com/systole-ha/systole/agent/wire"
)

// A node is one end of a bus in a test and what it reported, as text with the
// time since the start.
type node struct {
	*End
	codec *wire.Codec
	start time.Time
	gate  chan struct{} // Received waits for it, if not nil

	mu    sync.Mutex
	heard []string
	other []string
}

func (n *node) Received(p *link.Packet) {
	n.note(p)
	if n.gate != nil {
		<-n.gate
	}
}

func (n *node) note(p *link.Packet) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.heard = append(n.heard, fmt.Sprintf("%v %s", p.At.Sub(n.start), p.Message.Get("info")))
	p.Release()
}

func (n *node) Rejected(r link.Rejection) { n.tell("rejected %s", r.Reason) }
func (n *node) Changed(c link.Change)     { n.tell("%s", c.State) }

func (n *node) tell(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.other = append(n.other, fmt.Sprintf(format, args...))
}

func (n *node) send(t *testing.T, text string) {
	t.Helper()
	if err := n.Send(n.packet(text)); err != nil {
		t.Errorf("Send %q: %v", text, err)
	}
}

func (n *node) packet(text string) []byte {
	m := wire.New("t", "status", "info", text)
	return n.codec.Append(nil, &m, n.Format())
}

func (n *node) want(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	n.mu.Lock()
	defer n.mu.Unlock()
	if !slices.Equal(n.heard, want) {
		t.Errorf("%s heard\n got %q\nwant %q", n.Name(), n.heard, want)
	}
}

func ring(secret string) *wire.Keyring {
	r, err := wire.NewKeyring(1, []wire.Key{{Number: 1, Method: wire.SHA1, Secret: []byte(secret)}})
	if err != nil {
		panic(err)
	}
	return r
}

// nodes runs so many ends of one bus until the test ends.
func nodes(t *testing.T, count int, set func(*End)) (*Bus, []*node) {
	b := NewBus(1)
	ctx, cancel := context.WithCancel(t.Context())
	var all []*node
	var running sync.WaitGroup
	for i := range count {
		n := &node{codec: ring("beat").NewCodec(), start: time.Now()}
		n.End = b.Plug(fmt.Sprintf("eth%d", i), 0, ring("beat"), n)
		if set != nil {
			set(n.End)
		}
		running.Go(func() { n.Run(ctx) })
		all = append(all, n)
	}
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
	synctest.Wait()
	return b, all
}

func TestBusCarries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, all := nodes(t, 3, nil)
		all[0].send(t, "beat")
		all[0].want(t)
		all[1].want(t, "0s beat")
		all[2].want(t, "0s beat")
	})
}

func TestLoopAndSerial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, all := nodes(t, 2, func(e *End) { e.Loop, e.Serial = true, true })
		all[0].send(t, "beat")
		all[0].want(t, "0s beat")
		all[1].want(t, "0s beat")
		if got := all[0].packet("")[0]; got != '>' {
			t.Errorf("a packet for a serial line begins with %q, want '>'", got)
		}
	})
}

func TestWays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, all := nodes(t, 2, nil)
		left, right := all[0], all[1]
		b.Set(left.End, right.End, Way{Delay: 20 * time.Millisecond})
		left.send(t, "slow")
		time.Sleep(5 * time.Millisecond)
		b.Set(left.End, right.End, Way{Delay: 5 * time.Millisecond})
		left.send(t, "overtakes")
		right.send(t, "the other way")
		left.want(t, "5ms the other way")
		right.want(t)
		time.Sleep(time.Second)
		right.want(t, "10ms overtakes", "20ms slow")

		b.Set(left.End, right.End, Way{Cut: true})
		left.send(t, "lost")
		right.send(t, "not lost")
		time.Sleep(time.Second)
		right.want(t, "10ms overtakes", "20ms slow")
		left.want(t, "5ms the other way", "1.005s not lost")
	})
}

// The same seed loses and copies the same packets, in about the share asked for.
func TestLossIsRepeatable(t *testing.T) {
	lossy := func() (heard []string) {
		synctest.Test(t, func(t *testing.T) {
			b, all := nodes(t, 2, nil)
			b.SetAll(Way{Loss: 0.2, Copies: 0.1, Jitter: time.Second})
			for i := range 1000 {
				all[0].send(t, fmt.Sprint(i))
			}
			time.Sleep(2 * time.Second)
			synctest.Wait()
			heard = all[1].heard
		})
		return heard
	}
	first := lossy()
	if got := len(first); got < 830 || got > 930 {
		t.Errorf("%d of 1000 packets arrived, want about 880", got)
	}
	if second := lossy(); !slices.Equal(first, second) {
		t.Error("a second run lost other packets")
	}
}

// A node that is held up finds the packets with their stamps, by Drain or by
// itself, each once.
func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, all := nodes(t, 2, nil)
		left, right := all[0], all[1]
		right.gate = make(chan struct{})
		for i := range 4 {
			left.send(t, fmt.Sprint(i))
			time.Sleep(10 * time.Millisecond)
		}
		right.want(t, "0s 0")
		b.SetAll(Way{Delay: time.Hour})
		left.send(t, "on its way")
		began := time.Now()
		right.Drain(right.note)
		if took := time.Since(began); took != 5*time.Millisecond {
			t.Errorf("Drain took %v, want the 5ms it waits for a handler that does not return", took)
		}
		right.want(t, "0s 0", "10ms 1", "20ms 2", "30ms 3")
		close(right.gate)
		began = time.Now()
		right.Drain(right.note)
		if took := time.Since(began); took != 0 {
			t.Errorf("Drain with nothing there took %v, want 0s", took)
		}
		right.want(t, "0s 0", "10ms 1", "20ms 2", "30ms 3")
	})
}

func TestUnplug(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, all := nodes(t, 2, nil)
		left, right := all[0], all[1]
		left.Unplug()
		var refused *link.SendError
		if err := left.Send(left.packet("x")); !errors.As(err, &refused) || refused.Reason != link.SendNoDevice {
			t.Errorf("Send unplugged: %v, want reason %s", err, link.SendNoDevice)
		}
		right.send(t, "lost")
		left.Replug()
		right.send(t, "heard")
		left.want(t, "0s heard")
		if want := []string{"open", "waiting", "open"}; !slices.Equal(left.other, want) {
			t.Errorf("reported %q, want %q", left.other, want)
		}
		left.Close()
		synctest.Wait()
		if err := left.Send(left.packet("x")); !errors.Is(err, link.ErrNotOpen) {
			t.Errorf("Send on a closed end: %v, want %v", err, link.ErrNotOpen)
		}
	})
}

func TestSignaturesAreChecked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, all := nodes(t, 2, nil)
		left, right := all[0], all[1]
		right.Inject([]byte("garbage"))
		right.SetKeyring(ring("new"))
		left.send(t, "with the old key")
		right.want(t)
		left.codec = ring("new").NewCodec()
		left.send(t, "with the new key")
		right.want(t, "0s with the new key")
		if want := []string{"open", "rejected malformed", "rejected bad_signature"}; !slices.Equal(right.other, want) {
			t.Errorf("reported %q, want %q", right.other, want)
		}
		s := right.Stats()
		if s.Received != 1 || s.Rejected["malformed"] != 1 || s.Rejected["bad_signature"] != 1 || left.Stats().Sent != 2 {
			t.Errorf("stats %+v, want one received, two rejected", s)
		}
	})
}
