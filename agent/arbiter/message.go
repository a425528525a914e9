// Package arbiter asks for votes and gives them: systole's own arbiter on a
// third machine, by signed datagrams, and etcd and Consul, by a lease on a key.
//
// A question of systole's own protocol is a message of Heartbeat's form with
// these fields, numbers in hexadecimal, signed by authkeys:
//
//	t        arbiter-ask
//	cluster  the name of the cluster
//	src      the node that asks
//	want     vote, release, probe
//	n        the number of the question, higher than that of any before
//	length   of the vote, ms
//	run      the start of the arbiter that the question is for; empty where not known
//	nonce    random
//
// The answer has t arbiter-answer, cluster, run, the nonce, and
//
//	granted  1 or 0
//	holder   the node that has the vote
//	left     how long at most, ms
//	stale    1 where run was not the arbiter's: nothing was done
//
// An old question that is played again has an old number, or the run of an
// arbiter that has been restarted since; an old answer has another nonce.
package arbiter

import (
	"crypto/rand"
	"encoding/hex"
	"strconv"
	"time"

	"github.com/systole-ha/systole/agent/permission"
	"github.com/systole-ha/systole/agent/wire"
)

const (
	asks    = "arbiter-ask"
	answers = "arbiter-answer"
	// maxDatagram is more than any of these messages has, in bytes.
	maxDatagram = 1400
	// maxLength bounds a vote: nobody waits longer for a dead holder's.
	maxLength = 10 * time.Minute
)

var wants = map[permission.Want]string{permission.Probe: "probe", permission.Vote: "vote", permission.Release: "release"}

func wantOf(word string) (permission.Want, bool) {
	for want, w := range wants {
		if w == word {
			return want, true
		}
	}
	return 0, false
}

// A question is one datagram to an arbiter.
type question struct {
	cluster, node string
	want          permission.Want
	number        uint64
	length        time.Duration
	run, nonce    string
}

func (q question) message() wire.Message {
	return wire.New("t", asks, "cluster", q.cluster, "src", q.node, "want", wants[q.want],
		"n", strconv.FormatUint(q.number, 16), "length", strconv.FormatInt(q.length.Milliseconds(), 16), "run", q.run, "nonce", q.nonce)
}

// readQuestion reads an authentic message; false where it is none.
func readQuestion(m *wire.Message) (q question, ok bool) {
	want, known := wantOf(string(m.Get("want")))
	number, ok1 := m.Hex("n")
	length, ok2 := m.Hex("length")
	q = question{
		cluster: string(m.Get("cluster")), node: string(m.Get("src")), want: want, number: number,
		length: time.Duration(min(length, uint64(maxLength.Milliseconds()))) * time.Millisecond,
		run:    string(m.Get("run")), nonce: string(m.Get("nonce")),
	}
	good := known && ok1 && ok2 && q.node != "" && q.nonce != "" && (q.length > 0 || want != permission.Vote)
	return q, good && string(m.Get("t")) == asks && length <= uint64(maxLength.Milliseconds())
}

// An answer is one datagram back.
type answer struct {
	cluster, run, nonce string
	granted, stale      bool
	holder              string
	left                time.Duration
}

func (a answer) message() wire.Message {
	return wire.New("t", answers, "cluster", a.cluster, "run", a.run, "nonce", a.nonce, "granted", digit(a.granted),
		"holder", a.holder, "left", strconv.FormatInt(a.left.Milliseconds(), 16), "stale", digit(a.stale))
}

func readAnswer(m *wire.Message) (a answer, ok bool) {
	left, ok := m.Hex("left")
	a = answer{
		cluster: string(m.Get("cluster")), run: string(m.Get("run")), nonce: string(m.Get("nonce")),
		granted: string(m.Get("granted")) == "1", stale: string(m.Get("stale")) == "1", holder: string(m.Get("holder")),
		left: time.Duration(min(left, uint64(maxLength.Milliseconds()))) * time.Millisecond,
	}
	return a, ok && string(m.Get("t")) == answers && a.run != ""
}

func digit(b bool) string {
	if b {
		return "1"
	}
	return "0"
}

// random is a word that nobody has used.
func random() string {
	var b [8]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}
