package sim

import (
	"errors"
	"time"

	"github.com/systole-ha/systole/agent/core"
	"github.com/systole-ha/systole/agent/permission"
)

// An Arbiter is a third machine with a vote.
type Arbiter struct {
	Name string
	Down bool // nobody is answered

	book *permission.Book
	cut  map[[2]string]bool // from, to
}

// farthest is how long a question or an answer may be on its way: some come
// when nobody waits for them any more, or in another order.
const farthest = 300 * time.Millisecond

func newArbiter(name string) *Arbiter {
	return &Arbiter{Name: name, book: permission.NewBook(Epoch.Add(-time.Hour)), cut: map[[2]string]bool{}}
}

// Restart makes an arbiter forget everything.
func (a *Arbiter) Restart(now time.Time) { a.Down, a.book = false, permission.NewBook(now) }

// Cut stops what from sends to to, of which one is the arbiter.
func (a *Arbiter) Cut(from, to string) { a.cut[[2]string{from, to}] = true }

// errNoAnswer is what is heard of an arbiter that does not answer.
var errNoAnswer = errors.New("no answer")

// ask asks one question after the other of each arbiter.
func (n *Node) ask(q permission.Question) {
	if waiting, busy := n.asking[q.Voter]; busy {
		n.asking[q.Voter] = append(waiting, q)
		return
	}
	n.asking[q.Voter] = nil
	w, a, life, over := n.world, n.world.Arbiters[q.Voter], n.life, false
	answer := func(answer permission.Answer) {
		n.awake(func() {
			if over || n.life != life {
				return
			}
			over = true
			waiting := n.asking[q.Voter]
			delete(n.asking, q.Voter)
			n.step(core.Answered{Answer: answer})
			for _, q := range waiting {
				n.ask(q)
			}
		})
	}
	number := uint64(life)<<32 | q.Number
	w.After(w.underWay(), func() {
		if a.Down || a.cut[[2]string{n.Name, a.Name}] {
			return
		}
		reply := permission.Answer{Question: q}
		switch q.Want {
		case permission.Vote:
			reply.Granted, reply.Holder, reply.Left = a.book.Vote(w.Now, n.Name, number, q.Length)
		case permission.Release:
			a.book.Release(w.Now, n.Name, number)
		}
		if !a.cut[[2]string{a.Name, n.Name}] {
			w.After(w.underWay(), func() { answer(reply) })
		}
	})
	w.After(q.Timeout, func() { answer(permission.Answer{Question: q, Err: errNoAnswer}) })
}

// underWay draws how long a datagram takes: most a fraction of a millisecond,
// one in fifty a long time.
func (w *World) underWay() time.Duration {
	if w.Random.IntN(50) == 0 {
		return time.Duration(w.Random.Int64N(int64(farthest)))
	}
	return time.Duration(100+w.Random.IntN(200)) * time.Microsecond
}
