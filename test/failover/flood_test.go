package failover

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/systole-ha/systole/agent/wire"
	"github.com/systole-ha/systole/test/lab"
)

const (
	floodRate = 50_000 // datagrams a second
	floodTime = 10 * time.Second
	floodKey  = "not-a-secret" // the cluster's: the worst that could be sent is nearly right
)

// TestFlood sends every kind of bad datagram to the heartbeat port of the node
// that serves, on the only link there is.
func TestFlood(t *testing.T) {
	files := clusterFiles(fast, "alpha IPaddr::192.0.2.50/24/eth0", "auto_failback on")
	files["ha.cf"] = strings.Replace(files["ha.cf"], "bcast eth0 eth1", "bcast eth0", 1)
	p := newPair(t, files)
	p.started(virtual)
	before := rejected(p.metrics(p.alpha))
	began := time.Now()
	var sent flooded
	must(t, json.Unmarshal([]byte(p.asClient("flood", p.alpha.Host(lab.Service).String()+":694")), &sent))
	total := 0
	for _, n := range sent.Sent {
		total += n
	}
	t.Logf("%d datagrams in %v: %v", total, sent.Took, sent.Sent)
	if rate := float64(total) / sent.Took.Seconds(); rate < 0.9*floodRate {
		t.Errorf("sent %.0f datagrams a second, want %d", rate, floodRate)
	}
	for _, n := range p.nodes() {
		p.none(n, began, "heartbeat.late", "link.down", "peer.dead", "peer.false_death", "takeover.started", "release.started")
	}
	after := rejected(p.metrics(p.alpha))
	for reason, kinds := range map[string][]string{
		"malformed": {"garbage", "truncated"}, "bad_signature": {"wrong key"}, "oversize": {"oversized"},
	} {
		want := 0
		for _, kind := range kinds {
			want += sent.Sent[kind]
		}
		got := after[reason] - before[reason]
		t.Logf("%s: %.0f counted of %d sent", reason, got, want)
		// What the kernel's queue could not take is not there to be counted.
		if got < float64(want)/10 || got > float64(want) {
			t.Errorf("%s: %.0f counted of %d sent", reason, got, want)
		}
	}
	for _, e := range p.entries(p.alpha, began).Of("agent.late") {
		t.Logf("alpha: %s", e.Message)
	}
}

// rejected are the counts by reason on all links.
func rejected(samples map[string]float64) map[string]float64 {
	counts := map[string]float64{}
	for _, reason := range []string{"malformed", "bad_signature", "oversize"} {
		counts[reason] = samples[fmt.Sprintf(`systole_heartbeats_rejected_total{link="eth0",reason=%q}`, reason)]
	}
	return counts
}

// flooded is what was sent, by kind.
type flooded struct {
	Sent map[string]int
	Took time.Duration
}

// flood sends floodRate datagrams a second for floodTime to an address, and
// prints what it has sent.
func flood(args []string) error {
	kinds, err := badDatagrams()
	if err != nil {
		return err
	}
	for i := range kinds {
		if err := kinds[i].open(args[0]); err != nil {
			return err
		}
	}
	done := flooded{Sent: map[string]int{}}
	began := time.Now()
	for sent, turn := 0, 0; time.Since(began) < floodTime; {
		if due := int(time.Since(began).Seconds() * floodRate); sent >= due {
			time.Sleep(time.Millisecond) // ahead of its time: 50 of them are a millisecond's
			continue
		}
		kind := kinds[turn%len(kinds)]
		turn++
		if _, err := kind.conn.Write(kind.burst); err != nil {
			return fmt.Errorf("%s, after %d datagrams: %w", kind.name, sent, err)
		}
		done.Sent[kind.name] += kind.count
		sent += kind.count
	}
	done.Took = time.Since(began)
	return json.NewEncoder(os.Stdout).Encode(done)
}

// A bad kind of datagram.
type bad struct {
	name     string
	datagram []byte
	count    int // in a burst, which is one write
	burst    []byte
	conn     *net.UDPConn
}

// open makes a socket that cuts what is written into datagrams (UDP_SEGMENT,
// udp(7)): one by one they cost this machine more to send than to refuse. Only
// datagrams that fit a frame can be cut.
func (b *bad) open(address string) error {
	conn, err := net.Dial("udp4", address)
	if err != nil {
		return err
	}
	b.conn, b.burst = conn.(*net.UDPConn), bytes.Repeat(b.datagram, b.count)
	if b.count == 1 {
		return nil
	}
	raw, err := b.conn.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.SOL_UDP, unix.UDP_SEGMENT, len(b.datagram))
	})
	return errors.Join(err, failed)
}

// badDatagrams are one of each kind.
func badDatagrams() ([]bad, error) {
	right, err := wire.NewKeyring(1, []wire.Key{{Number: 1, Method: wire.SHA1, Secret: []byte(floodKey)}})
	if err != nil {
		return nil, err
	}
	wrong, err := wire.NewKeyring(1, []wire.Key{{Number: 1, Method: wire.SHA1, Secret: []byte("a guess")}})
	if err != nil {
		return nil, err
	}
	status := wire.New("t", "status", "st", "active", "dt", "1f4", "protocol", "1",
		"src", "beta", "seq", "7fff", "hg", "6fffffff", "ts", "6fffffff", "ld", "0.00 0.00 0.00 1/100 1000", "ttl", "3")
	long := status.Clone()
	for i := range 300 { // a message has at most 256 fields
		long.Set(fmt.Sprintf("f%d", i), "x")
	}
	whole := right.NewCodec().Append(nil, &status, wire.Netstring)
	garbage := make([]byte, 300)
	for i := range garbage {
		garbage[i] = byte(rand.Uint32())
	}
	const most = 40 // of them in a burst
	return []bad{
		{name: "garbage", datagram: garbage, count: most},
		{name: "wrong key", datagram: wrong.NewCodec().Append(nil, &status, wire.Netstring), count: most},
		{name: "truncated", datagram: whole[:len(whole)/2], count: most},
		{name: "oversized", datagram: right.NewCodec().Append(nil, &long, wire.Netstring), count: 1},
	}, nil
}
