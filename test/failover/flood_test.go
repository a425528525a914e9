package failover

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/ipv4"

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

// flood sends floodRate datagrams a second for floodTime to an address, a
// thousandth of them each millisecond, and prints what it has sent.
func flood(args []string) error {
	conn, err := net.Dial("udp4", args[0])
	if err != nil {
		return err
	}
	packets := ipv4.NewPacketConn(conn.(*net.UDPConn))
	kinds, err := badDatagrams()
	if err != nil {
		return err
	}
	done := flooded{Sent: map[string]int{}}
	began := time.Now()
	for sent := 0; time.Since(began) < floodTime; {
		due := int(time.Since(began).Seconds() * floodRate)
		if sent == due {
			time.Sleep(time.Millisecond)
			continue
		}
		batch := make([]ipv4.Message, min(due-sent, 64))
		for i := range batch {
			kind := kinds[(sent+i)%len(kinds)]
			batch[i].Buffers = [][]byte{kind.bytes}
		}
		n, err := packets.WriteBatch(batch, 0)
		if err != nil {
			return errors.Join(fmt.Errorf("after %d datagrams", sent), err)
		}
		for i := range n {
			done.Sent[kinds[(sent+i)%len(kinds)].name]++
		}
		sent += n
	}
	done.Took = time.Since(began)
	return json.NewEncoder(os.Stdout).Encode(done)
}

type datagram struct {
	name  string
	bytes []byte
}

// badDatagrams are one of each kind.
func badDatagrams() ([]datagram, error) {
	right, err := wire.NewKeyring(1, []wire.Key{{Number: 1, Method: wire.SHA1, Secret: []byte(floodKey)}})
	if err != nil {
		return nil, err
	}
	wrong, err := wire.NewKeyring(1, []wire.Key{{Number: 1, Method: wire.SHA1, Secret: []byte("a guess")}})
	if err != nil {
		return nil, err
	}
	status := wire.New("t", "status", "st", "active", "dt", "1f4", "protocol", "1", "src", "beta", "seq", "7fff", "hg", "6fffffff", "ts", "6fffffff", "ld", "0.00 0.00 0.00 1/100 1000", "ttl", "3")
	long := status.Clone()
	for i := range 300 { // a message has at most 256 fields
		long.Set(fmt.Sprintf("f%d", i), "x")
	}
	whole := right.NewCodec().Append(nil, &status, wire.Netstring)
	garbage := make([]byte, 300)
	for i := range garbage {
		garbage[i] = byte(rand.Uint32())
	}
	return []datagram{
		{"garbage", garbage},
		{"wrong key", wrong.NewCodec().Append(nil, &status, wire.Netstring)},
		{"truncated", whole[:len(whole)/2]},
		{"oversized", right.NewCodec().Append(nil, &long, wire.Netstring)},
	}, nil
}
