package link

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/systole-ha/systole/resources/nstest"
)

// keepalive is the interval of the heartbeats in these tests.
const keepalive = 10 * time.Millisecond

// A node that cannot read for 300 ms still learns when each heartbeat came.
func TestArrivalTimesSurviveAPause(t *testing.T) {
	ns1, ns2 := nstest.Pair(t)
	left, right := start(t, ns1, broadcast), start(t, ns2, broadcast)
	left.awaitOpen()
	right.awaitOpen()

	unblock := right.block() // the first packet's handler does not return
	sent := beat(left, 30)
	unblock()
	heard := right.await(30)

	var longest, late time.Duration
	for i, h := range heard {
		if h.At.Before(sent[i]) || h.At.After(h.Read) {
			t.Errorf("heartbeat %d arrived %v after it was sent, %v before it was read", i, h.At.Sub(sent[i]), h.Read.Sub(h.At))
		}
		late = max(late, h.At.Sub(sent[i]))
		if i > 0 {
			longest = max(longest, h.At.Sub(heard[i-1].At))
		}
	}
	waited := heard[1].Read.Sub(heard[1].At)
	t.Logf("longest gap %v, slowest on its way %v; the first after the pause waited %v", longest, late, waited)
	if pause := 28 * keepalive; waited < pause {
		t.Errorf("the first heartbeat after the pause waited %v, want %v or more: was there a pause?", waited, pause)
	}
	if reading := heard[29].Read.Sub(heard[1].Read); reading > 5*keepalive {
		t.Errorf("the heartbeats that waited took %v to read", reading)
	}
}

// beat sends heartbeats, one each keepalive, and returns when each was sent.
func beat(n *node, count int) (sent []time.Time) {
	ticker := time.NewTicker(keepalive)
	defer ticker.Stop()
	for i := range count {
		sent = append(sent, time.Now())
		n.send(0, fmt.Sprint(i))
		<-ticker.C
	}
	return sent
}

// What waits in the kernel is there for Drain, though the reader is not.
func TestDrainWithoutReader(t *testing.T) {
	ns1, ns2 := nstest.Pair(t)
	left := start(t, ns1, broadcast)
	left.awaitOpen()
	right := newNode(t, ns2, broadcast)
	openWithoutReader(t, right)

	sent := beat(left, 3)
	got := drain(right.links[0])
	if want := []string{"eth0/0:0", "eth0/0:1", "eth0/0:2"}; !slices.Equal(said(got), want) {
		t.Fatalf("drained %v, want %v", said(got), want)
	}
	for i, h := range got {
		if onWay := h.At.Sub(sent[i]); onWay < 0 || h.At.After(h.Read) || i == 0 && h.Read.Sub(h.At) < 2*keepalive {
			t.Errorf("packet %d arrived %v after it was sent and %v before it was read", i, onWay, h.Read.Sub(h.At))
		}
	}
	if again := drain(right.links[0]); again != nil {
		t.Errorf("a second drain found %v", said(again))
	}
}

// A reader stuck in the handler does not keep Drain from the kernel's queue,
// and a packet is had once, by one of the two.
func TestDrainBesideReader(t *testing.T) {
	ns1, ns2 := nstest.Pair(t)
	left, right := start(t, ns1, broadcast), start(t, ns2, broadcast)
	left.awaitOpen()
	right.awaitOpen()
	unblock := right.block()
	left.send(0, "0")
	right.await(1)

	for i := 1; i < 5; i++ {
		left.send(0, fmt.Sprint(i))
	}
	if got, want := said(drain(right.links[0])), []string{"eth0/0:1", "eth0/0:2", "eth0/0:3", "eth0/0:4"}; !slices.Equal(got, want) {
		t.Errorf("drained %v, want %v", got, want)
	}
	unblock()
	left.send(0, "5")
	if got, want := said(right.await(2)), []string{"eth0/0:0", "eth0/0:5"}; !slices.Equal(got, want) {
		t.Errorf("the reader had %v, want %v", got, want)
	}
}

// Drain ends although packets keep coming, and what it does not take the
// reader does.
func TestDrainUnderLoad(t *testing.T) {
	ns1, ns2 := nstest.Pair(t)
	left, right := start(t, ns1, broadcast), start(t, ns2, broadcast)
	left.awaitOpen()
	right.awaitOpen()

	const count = 5000
	drained := make(chan []hearing)
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		var all []hearing
		for ctx.Err() == nil {
			all = append(all, drain(right.links[0])...)
		}
		drained <- all
	}()
	packet := left.packet("load", 0)
	for range count {
		must(t, left.links[0].Send(packet))
	}
	left.send(0, "last")
	nstest.Await(t, "everything is received", func() bool {
		s := right.links[0].Stats()
		return s.Received+s.Dropped >= count+1
	})
	stop()
	fromDrain := <-drained
	right.await(count + 1 - len(fromDrain))
	s := right.links[0].Stats()
	t.Logf("%d drained, %d read, %d dropped", len(fromDrain), len(right.all()), s.Dropped)
	if got := uint64(len(fromDrain)+len(right.all())) + s.Dropped; got != count+1 {
		t.Errorf("%d packets accounted for, want %d", got, count+1)
	}
}

// openWithoutReader opens a node's first link as Run does, but nobody reads it.
func openWithoutReader(t *testing.T, n *node) {
	t.Helper()
	p := n.links[0].(*udp).port
	n.ns.Do(t, func() {
		m, err := openMonitor()
		if err != nil {
			t.Fatal(err)
		}
		defer m.close()
		s, err := p.open(m.look(p.device))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.file.Close() })
		p.use(s)
	})
}

func drain(l Link) (all []hearing) {
	l.Drain(func(p *Packet) {
		all = append(all, hear(p))
		p.Release()
	})
	return all
}
