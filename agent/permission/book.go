package permission

import "time"

// A Book is what an arbiter keeps of one cluster: to whom its vote is lent. It
// is pure. What a node asks has a number, higher than that of all it asked
// before: a datagram that comes late, or is played again, changes nothing.
type Book struct {
	start   time.Time
	holder  string
	until   time.Time
	numbers map[string]uint64 // by node: the highest
}

// restarts is how many lengths of a vote an arbiter lends nothing after its
// start: an earlier one may have lent the vote, for a length that its holder
// knows. Two, so that a length that is not the same on both nodes does no harm.
const restarts = 2

// NewBook begins a book at the start of the arbiter.
func NewBook(start time.Time) *Book { return &Book{start: start, numbers: map[string]uint64{}} }

// maxNodes bounds the names that a book keeps numbers of.
const maxNodes = 16

// current notes the number of what node asks, and reports whether it is not a
// thing of the past. The newest question may be asked again: its answer was
// lost.
func (b *Book) current(node string, number uint64) bool {
	newest, known := b.numbers[node]
	if number < newest || !known && len(b.numbers) >= maxNodes {
		return false
	}
	b.numbers[node] = number
	return true
}

// Vote lends the vote to node, for length from now, unless another has it.
// holder is "" and left is not zero while the arbiter waits after its start.
func (b *Book) Vote(now time.Time, node string, number uint64, length time.Duration) (granted bool, holder string, left time.Duration) {
	opens := b.start.Add(restarts * length)
	switch {
	case !b.current(node, number):
		return false, b.holder, 0
	case b.holder != node && now.Before(b.until):
		return false, b.holder, b.until.Sub(now)
	case b.holder == "" && now.Before(opens):
		return false, "", opens.Sub(now)
	}
	if until := now.Add(length); b.holder != node || until.After(b.until) {
		b.until = until
	}
	b.holder = node
	return true, node, 0
}

// Release takes the vote back, if node has it.
func (b *Book) Release(now time.Time, node string, number uint64) {
	if b.current(node, number) && b.holder == node {
		b.until = now
	}
}

// Holder is who has the vote, and for how long; "" for nobody.
func (b *Book) Holder(now time.Time) (node string, left time.Duration) {
	if !now.Before(b.until) {
		return "", 0
	}
	return b.holder, b.until.Sub(now)
}
