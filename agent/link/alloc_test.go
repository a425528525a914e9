package link

import (
	"context"
	"testing"

	"github.com/systole-ha/systole/agent/wire"
)

// An alert is a handler that says when a packet came.
type alert struct {
	came chan struct{}
	open chan struct{}
}

func (e *alert) Received(p *Packet) {
	p.Release()
	e.came <- struct{}{}
}
func (e *alert) Rejected(Rejection) {}
func (e *alert) Changed(c Change) {
	if c.State == StateOpen {
		close(e.open)
	}
}

// loopback opens a broadcast link on the loopback interface.
func loopback(t testing.TB) (Link, *alert) {
	t.Helper()
	e := &alert{came: make(chan struct{}), open: make(chan struct{})}
	links, err := Open(ring(t, "beat"), e, Broadcast{Device: "lo", Port: 46940})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- links[0].Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	<-e.open
	return links[0], e
}

func send(t testing.TB, l Link, packet []byte) {
	if err := l.Send(packet); err != nil {
		t.Fatal(err)
	}
}

// heartbeat is a packet as 3.0.6 sends it: 17 fields at most, some 300 bytes.
func heartbeat(t testing.TB) []byte {
	m := wire.New("t", "status", "st", "active", "dt", "1388", "protocol", "1", "src", "alpha.example.net")
	m.SetBinary("srcuuid", []byte("0123456789abcdef"))
	for _, f := range [][2]string{{"seq", "1f3a"}, {"hg", "674021ff"}, {"ts", "67402b1c"}, {"ld", "0.00 0.01 0.05 1/123 4567"}, {"ttl", "3"}} {
		m.Set(f[0], f[1])
	}
	return ring(t, "beat").NewCodec().Append(nil, &m, wire.NetstringAuth)
}

func TestHeartbeatsCostNoAllocation(t *testing.T) {
	l, e := loopback(t)
	packet := heartbeat(t)
	got := testing.AllocsPerRun(2000, func() {
		send(t, l, packet)
		<-e.came
	})
	if got != 0 {
		t.Errorf("a heartbeat sent and received: %v allocations, want 0", got)
	}
}

func TestRejectionsCostNoAllocation(t *testing.T) {
	l, e := loopback(t)
	packet := heartbeat(t)
	for _, kind := range garbage(t, packet) {
		got := testing.AllocsPerRun(200, func() {
			for range 10 {
				send(t, l, kind.packet)
			}
			send(t, l, packet)
			<-e.came
		})
		if got != 0 {
			t.Errorf("%s, ten of them sent and refused: %v allocations, want 0", kind.name, got)
		}
	}
}

// BenchmarkHeartbeat sends a heartbeat to ourselves and waits until the
// handler has it: send, the kernel, a wake-up, receive, check, decode.
func BenchmarkHeartbeat(b *testing.B) {
	l, e := loopback(b)
	packet := heartbeat(b)
	b.ReportAllocs()
	for b.Loop() {
		send(b, l, packet)
		<-e.came
	}
}

// BenchmarkRejection is the cost of one datagram of a flood.
func BenchmarkRejection(b *testing.B) {
	packet := heartbeat(b)
	for _, kind := range garbage(b, packet) {
		b.Run(kind.name, func(b *testing.B) {
			l, e := loopback(b)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				send(b, l, kind.packet)
				if i%100 == 0 { // so that the flood does not outrun the reader
					send(b, l, packet)
					<-e.came
				}
			}
		})
	}
}
