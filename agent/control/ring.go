package control

import (
	"sort"

	"github.com/systole-ha/systole/agent/event"
)

// ringSize bounds the events kept for readers of the stream: with the dozen or
// two of a takeover, the last hundred takeovers and more, in a third of a
// megabyte and what the events themselves hold.
const ringSize = 4096

// A ring is the newest records. Positions count every record ever put in, from
// 0, so that a reader knows where it is and what it has missed.
type ring struct {
	records [ringSize]event.Record // position p is at p % ringSize
	end     uint64                 // the position of the next
	gone    uint64                 // sequence number of the newest that is there no more; 0 for none
}

func (r *ring) put(record event.Record) {
	place := &r.records[r.end%ringSize]
	r.gone = place.Sequence
	*place = record
	r.end++
}

// start is the position of the oldest record that is still there.
func (r *ring) start() uint64 {
	if r.end < ringSize {
		return 0
	}
	return r.end - ringSize
}

func (r *ring) at(position uint64) event.Record { return r.records[position%ringSize] }

// after is the position of the first record behind the given sequence number.
// If records between the two are gone, missed says so; its Count is known only
// for who wants all there ever were.
func (r *ring) after(sequence uint64) (position uint64, missed *Missed) {
	start := r.start()
	if sequence < r.gone {
		missed = &Missed{Before: r.oldest()}
		if sequence == 0 {
			missed.Count = start
		}
	}
	i := sort.Search(int(r.end-start), func(i int) bool { return r.at(start+uint64(i)).Sequence > sequence })
	return start + uint64(i), missed
}

// read copies records from a position on into batch, as many as fit, and
// returns them, the position behind them and how many had gone before.
func (r *ring) read(position uint64, batch []event.Record) (records []event.Record, next, missed uint64) {
	if start := r.start(); position < start {
		position, missed = start, start-position
	}
	for len(batch) < cap(batch) && position < r.end {
		batch = append(batch, r.at(position))
		position++
	}
	return batch, position, missed
}

// readBack copies records before a position into batch, the newest first, as
// many as fit and are still there, and returns them and the position of the
// last of them.
func (r *ring) readBack(position uint64, batch []event.Record) (records []event.Record, first uint64) {
	for len(batch) < cap(batch) && position > r.start() {
		position--
		batch = append(batch, r.at(position))
	}
	return batch, position
}

// newest is the sequence number of the newest record, oldest of the oldest; 0
// when there is none.
func (r *ring) newest() uint64 {
	if r.end == 0 {
		return 0
	}
	return r.at(r.end - 1).Sequence
}

func (r *ring) oldest() uint64 {
	if r.end == 0 {
		return 0
	}
	return r.at(r.start()).Sequence
}
