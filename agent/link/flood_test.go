package link

import (
	"bytes"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/systole-ha/systole/agent/wire"
	"github.com/systole-ha/systole/resources/nstest"
)

// garbage is one datagram of each kind that must not be believed.
func garbage(t testing.TB, valid []byte) []struct {
	name   string
	reason wire.Reason
	packet []byte
} {
	other, err := wire.NewKeyring(9, []wire.Key{{Number: 9, Method: wire.SHA1, Secret: []byte("beat")}})
	if err != nil {
		t.Fatal(err)
	}
	m := wire.New("t", "status", "src", "alpha", "seq", "1")
	forged := ring(t, "guessed").NewCodec().Append(nil, &m, wire.Netstring)
	unknown := other.NewCodec().Append(nil, &m, wire.Netstring)
	for i := range wire.MaxFields {
		m.Set(fmt.Sprintf("f%d", i), "x")
	}
	changed := bytes.Replace(valid, []byte("active"), []byte("dead!!"), 1)
	return []struct {
		name   string
		reason wire.Reason
		packet []byte
	}{
		{"nothing", wire.Malformed, nil},
		{"a line of text", wire.Malformed, []byte("GET / HTTP/1.0\r\n\r\n")},
		{"zeros that fill a jumbo frame", wire.Malformed, make([]byte, jumbo-28)},
		{"a heartbeat cut short", wire.Malformed, valid[:len(valid)-1]},
		{"a heartbeat with something behind it", wire.Malformed, append(bytes.Clone(valid), 'x')},
		{"a heartbeat signed with another secret", wire.BadSignature, forged},
		{"a heartbeat changed on its way", wire.BadSignature, changed},
		{"a heartbeat signed with a key we do not have", wire.UnknownKey, unknown},
		{"a signed message of more fields than any has", wire.Oversize, ring(t, "beat").NewCodec().Append(nil, &m, wire.Netstring)},
	}
}

// jumbo is an MTU no datagram here passes: lost fragments are lost before they
// are datagrams, and nobody counts them.
const jumbo = 9000

// A flood of 50,000 bad datagrams a second costs no heartbeat, and every one
// of them is counted by its reason.
func TestFlood(t *testing.T) {
	ns1, ns2 := nstest.Pair(t)
	for _, ns := range []*nstest.Namespace{ns1, ns2} {
		must(t, ns.Netlink().LinkSetMTU(ns.Link(t, "eth0"), jumbo))
	}
	left, right := start(t, ns1, broadcast), start(t, ns2, broadcast)
	left.awaitOpen()
	right.awaitOpen()
	valid := left.packet("beat", wire.Netstring)

	var conn net.Conn
	var err error
	ns1.Do(t, func() { conn, err = net.Dial("udp4", fmt.Sprintf("192.0.2.2:%d", haPort)) })
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()

	for _, kind := range garbage(t, valid) {
		t.Run(kind.name, func(t *testing.T) {
			const perTick, ticks = 500, 40 // each 10 ms: 50,000 a second
			bad, good := uint64(perTick*ticks), uint64(ticks)
			if len(kind.packet) > 1500 {
				bad /= 10 // as many bytes: some 40 Mbyte/s
			}
			before := right.links[0].Stats()
			began := time.Now()
			tick := time.NewTicker(10 * time.Millisecond)
			defer tick.Stop()
			for range ticks {
				for range bad / ticks {
					if _, err := conn.Write(kind.packet); err != nil {
						t.Fatal(err)
					}
				}
				must(t, left.links[0].Send(valid))
				<-tick.C
			}
			rate := float64(bad) / time.Since(began).Seconds()

			// The kernel tells of drops with the next datagram it has room for.
			var after, last Stats
			nstest.Await(t, "all is counted", func() bool {
				after = right.links[0].Stats()
				if counted(after) == counted(last) {
					must(t, left.links[0].Send(valid))
					good++
				}
				last = after
				return counted(after)-counted(before) >= good+bad
			})
			dropped := after.Dropped - before.Dropped
			t.Logf("%.0f a second; %d overflowed the kernel's buffer", rate, dropped)
			rejected := after.Rejected[string(kind.reason)] - before.Rejected[string(kind.reason)]
			if got := counted(after) - counted(before); got != good+bad {
				t.Errorf("%d datagrams accounted for, want %d", got, good+bad)
			}
			if rejected > bad || rejected+dropped < bad {
				t.Errorf("%d rejected as %s, want %d less what overflowed", rejected, kind.reason, bad)
			}
			if got := after.Received - before.Received; dropped == 0 && got != good {
				t.Errorf("%d heartbeats received, want %d", got, good)
			}
		})
	}
	checkReports(t, right)
}

// counted is how many datagrams came to a link, one way or another.
func counted(s Stats) (n uint64) {
	for _, rejected := range s.Rejected {
		n += rejected
	}
	return n + s.Received + s.Dropped
}

// checkReports wants the reports of rejections to add up to the counts, each
// as late as the one before of its reason. Not to the millisecond: the kernel
// stamps a datagram when it comes, and one processor may hand it on before
// another that was stamped earlier.
func checkReports(t *testing.T, n *node) {
	t.Helper()
	total := func() (sum uint64) {
		for _, r := range n.rejections() {
			sum += r.Count
		}
		return sum
	}
	stats := n.links[0].Stats()
	want := counted(stats) - stats.Received - stats.Dropped
	nstest.Await(t, "all rejections are reported", func() bool { return total() >= want })
	if got := total(); got != want {
		t.Errorf("%d rejections reported, want %d", got, want)
	}
	const disorder = 50 * time.Millisecond
	last := map[string]time.Time{}
	for _, r := range n.rejections() {
		if since := r.At.Sub(last[r.Reason]); since < -disorder {
			t.Errorf("a report of %s is %v older than the one before", r.Reason, -since)
		}
		last[r.Reason] = r.At
		if r.Link != "eth0" || r.Source.Addr().String() != "192.0.2.1" {
			t.Errorf("report %+v, want link eth0 and source 192.0.2.1", r)
		}
	}
	t.Logf("%d rejections in %d reports", want, len(n.rejections()))
}
