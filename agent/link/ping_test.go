package link

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"

	"github.com/systole-ha/systole/resources/nstest"
)

// A pingNode is a pinger in a test and what it reported.
type pingNode struct {
	*Pinger
	t testing.TB

	mu      sync.Mutex
	replies []Reply
	states  map[int]string
}

func (n *pingNode) Replied(r Reply) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.replies = append(n.replies, r)
}

func (n *pingNode) Changed(c Change) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.states[c.Index] = fmt.Sprint(c.State, " ", c.Reason)
}

func (n *pingNode) all() []Reply {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]Reply(nil), n.replies...)
}

// startPing runs a pinger until the test ends and waits until all its targets
// that are addresses are open.
func startPing(t testing.TB, ns *nstest.Namespace, ping Ping, open int) *pingNode {
	t.Helper()
	n := &pingNode{t: t, states: map[int]string{}}
	var err error
	if n.Pinger, err = NewPinger(ping, n); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() { ns.Do(t, func() { ended <- n.Run(context.Background()) }) }()
	t.Cleanup(func() {
		n.Close()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	nstest.Await(t, "the targets are open", func() bool {
		n.mu.Lock()
		defer n.mu.Unlock()
		count := 0
		for _, s := range n.states {
			if s == "open " {
				count++
			}
		}
		return count == open
	})
	return n
}

func TestPing(t *testing.T) {
	ns1, ns2 := nstest.Pair(t)
	ns2.AddAddress(t, "eth0", "192.0.2.7/24")
	tests := []struct {
		name string
		ping Ping
		open int
		want map[string]bool // who answers
	}{
		{
			name: "a node answers", open: 1,
			ping: Ping{Name: "192.0.2.2", Targets: []string{"192.0.2.2"}},
			want: map[string]bool{"192.0.2.2": true},
		},
		{
			name: "an IPv6 node answers", open: 1,
			ping: Ping{Name: "2001:db8::2", Targets: []string{"2001:db8::2"}, IPv6: true},
			want: map[string]bool{"2001:db8::2": true},
		},
		{
			name: "of a group those answer that are there, and a name that is none does not matter", open: 3,
			ping: Ping{Name: "routers", Targets: []string{"192.0.2.2", "nowhere.invalid", "192.0.2.66", "192.0.2.7"}},
			want: map[string]bool{"192.0.2.2": true, "192.0.2.7": true},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.ping.IPv6 {
				linkLocal(t, ns2, "eth0") // by then the other address is usable too
			}
			n := startPing(t, ns1, tt.ping, tt.open)
			const rounds = 5
			for round := range rounds {
				before := time.Now()
				must(t, n.Send())
				nstest.Await(t, "all have answered", func() bool { return len(n.all()) == (round+1)*len(tt.want) })
				for _, r := range n.all()[round*len(tt.want):] {
					if !tt.want[r.Target] || r.Name != tt.ping.Name {
						t.Errorf("reply %+v, want one from %v", r, tt.want)
					}
					if r.At.Before(before) || r.At.After(r.Read) || r.RoundTrip <= 0 || r.RoundTrip > r.Read.Sub(before) {
						t.Errorf("reply %+v to what was sent at %v", r, before)
					}
				}
			}
			t.Logf("last round trip %v", n.all()[rounds-1].RoundTrip)
		})
	}
}

func TestPingLinkLocal(t *testing.T) {
	ns1, ns2 := nstest.Pair(t)
	linkLocal(t, ns1, "eth0")
	target := fmt.Sprintf("%s%%%d", linkLocal(t, ns2, "eth0"), ns1.Link(t, "eth0").Attrs().Index)
	n := startPing(t, ns1, Ping{Name: "router", Targets: []string{target}, IPv6: true}, 1)
	must(t, n.Send())
	nstest.Await(t, "it answers", func() bool { return len(n.all()) == 1 })
}

func TestPingNobody(t *testing.T) {
	ns1, _ := nstest.Pair(t)
	n := startPing(t, ns1, Ping{Name: "far", Targets: []string{"203.0.113.1"}}, 1)
	var refused *SendError
	if err := n.Send(); !errors.As(err, &refused) || refused.Reason != SendNoRoute {
		t.Errorf("Send without a route: %v, want reason %s", err, SendNoRoute)
	}
	if _, err := NewPinger(Ping{Name: "empty"}, n); err == nil {
		t.Error("a ping node without an address was accepted")
	}
}

// What does not answer our question is no reply: a flood of them neither counts
// nor keeps the true one back.
func TestPingForgery(t *testing.T) {
	ns1, ns2 := nstest.Pair(t)
	ns2.AddAddress(t, "eth0", "192.0.2.7/24")
	ns2.Sysctl(t, "ipv4/icmp_echo_ignore_all", "1") // the test answers
	n := startPing(t, ns1, Ping{Name: "node", Targets: []string{"192.0.2.2"}}, 1)

	var peer, other *icmp.PacketConn
	var err, otherErr error
	ns2.Do(t, func() {
		peer, err = icmp.ListenPacket("ip4:icmp", "192.0.2.2")
		other, otherErr = icmp.ListenPacket("ip4:icmp", "192.0.2.7")
	})
	must(t, errors.Join(err, otherErr))
	defer peer.Close()
	defer other.Close()

	must(t, n.Send())
	body, from := nextRequest(t, peer)

	forged := []struct {
		name  string
		by    *icmp.PacketConn
		kind  ipv4.ICMPType
		reply icmp.Echo
	}{
		{"of another id", peer, ipv4.ICMPTypeEchoReply, icmp.Echo{ID: body.ID ^ 1, Seq: body.Seq, Data: body.Data}},
		{"of another sequence number", peer, ipv4.ICMPTypeEchoReply, icmp.Echo{ID: body.ID, Seq: body.Seq + 1, Data: body.Data}},
		{"with another token", peer, ipv4.ICMPTypeEchoReply, icmp.Echo{ID: body.ID, Seq: body.Seq, Data: make([]byte, 16)}},
		{"too short", peer, ipv4.ICMPTypeEchoReply, icmp.Echo{ID: body.ID, Seq: body.Seq, Data: body.Data[:15]}},
		{"too long", peer, ipv4.ICMPTypeEchoReply, icmp.Echo{ID: body.ID, Seq: body.Seq, Data: append(body.Data, 0)}},
		{"that is a request", peer, ipv4.ICMPTypeEcho, *body},
		{"from another address", other, ipv4.ICMPTypeEchoReply, *body},
	}
	for range 100 {
		for _, f := range forged {
			answer(t, f.by, from, f.kind, f.reply)
		}
	}
	for range 3 {
		answer(t, peer, from, ipv4.ICMPTypeEchoReply, *body)
	}
	nstest.Await(t, "the true reply is taken", func() bool { return len(n.all()) > 0 })
	must(t, n.Send()) // what comes for this one is behind all the others
	body, from = nextRequest(t, peer)
	answer(t, peer, from, ipv4.ICMPTypeEchoReply, *body)
	nstest.Await(t, "the second reply is taken", func() bool { return len(n.all()) > 1 })
	if got := n.all(); len(got) != 2 {
		t.Errorf("%d replies, want 2: %+v", len(got), got)
	}
}

// nextRequest reads the next echo request that comes to the peer.
func nextRequest(t *testing.T, peer *icmp.PacketConn) (*icmp.Echo, net.Addr) {
	t.Helper()
	must(t, peer.SetReadDeadline(time.Now().Add(5*time.Second)))
	b := make([]byte, 1500)
	for {
		size, from, err := peer.ReadFrom(b)
		must(t, err)
		m, err := icmp.ParseMessage(1, b[:size])
		must(t, err)
		if m.Type == ipv4.ICMPTypeEcho {
			return m.Body.(*icmp.Echo), from
		}
	}
}

func answer(t *testing.T, by *icmp.PacketConn, to net.Addr, kind ipv4.ICMPType, e icmp.Echo) {
	t.Helper()
	b, err := (&icmp.Message{Type: kind, Body: &e}).Marshal(nil)
	must(t, err)
	_, err = by.WriteTo(b, to)
	must(t, err)
}

// pingWithoutReader opens a pinger as Run does, but nobody reads it.
func pingWithoutReader(t *testing.T) *Pinger {
	t.Helper()
	ns1, _ := nstest.Pair(t)
	p, err := NewPinger(Ping{Name: "node", Targets: []string{"192.0.2.2"}}, &pingNode{})
	must(t, err)
	ns1.Do(t, func() {
		s, err := p.open()
		must(t, err)
		t.Cleanup(func() { s.file.Close() })
		p.use(s)
	})
	return p
}

func TestPingDrain(t *testing.T) {
	p := pingWithoutReader(t)
	must(t, p.Send())
	var drained []Reply
	nstest.Await(t, "the reply is drained", func() bool {
		p.Drain(func(r Reply) { drained = append(drained, r) })
		return len(drained) == 1
	})
}

func TestPingCostsNoAllocation(t *testing.T) {
	p := pingWithoutReader(t)
	came := 0
	count := func(Reply) { came++ }
	got := testing.AllocsPerRun(200, func() {
		for before := came; came == before; {
			must(t, p.Send())
			p.Drain(count)
		}
	})
	if got != 0 {
		t.Errorf("a ping and its reply: %v allocations, want 0", got)
	}
}

func FuzzParseReply(f *testing.F) {
	e := echo{id: 7, sequence: 9}
	reply := appendRequest(nil, e, true)
	reply[0] = echoReply6
	f.Add(reply, true)
	f.Add(append(make([]byte, 20), reply...), false)
	f.Add([]byte{0x4f}, false)
	f.Fuzz(func(t *testing.T, b []byte, ipv6 bool) {
		if e, ok := parseReply(b, ipv6); ok && len(b) < echoLength {
			t.Errorf("%x is taken for %+v", b, e)
		}
	})
}
