package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"time"
)

// A Book is what outlives the daemon: a small JSON document.
type Book struct {
	Node    string             `json:"node"`
	Written time.Time          `json:"written"`
	Groups  map[string]Account `json:"groups"`
	Outages []Outage           `json:"outages"` // the newest, oldest first
}

// An Account is one group's page.
type Account struct {
	Owner   string             `json:"owner,omitempty"` // the proven one; empty for none
	Last    string             `json:"last,omitempty"`  // the newest there was
	Proof   time.Time          `json:"proof,omitzero"`  // the last proof of Last
	Cause   string             `json:"cause,omitempty"` // why there is no owner
	Seconds map[string]float64 `json:"seconds"`         // without a proven owner, by cause
}

// longest is more seconds than any group can have been without an owner: 30
// years. A book that says so is damaged.
const longest = 1e9

// Parse reads a book. Nothing is an empty one.
func Parse(text []byte) (Book, error) {
	var b Book
	if len(text) == 0 {
		return b, nil
	}
	if err := json.Unmarshal(text, &b); err != nil {
		return Book{}, fmt.Errorf("the ledger cannot be read: %w", err)
	}
	for group, page := range b.Groups {
		for cause, seconds := range page.Seconds {
			if seconds < 0 || seconds > longest {
				return Book{}, fmt.Errorf("the ledger cannot be true: %g seconds of %s for %s", seconds, cause, group)
			}
		}
	}
	return b, nil
}

func (b Book) account(group string) *account {
	page := b.Groups[group]
	a := &account{last: page.Last, proof: page.Proof, cause: page.Cause, old: true, total: map[string]time.Duration{}}
	for cause, seconds := range page.Seconds {
		a.total[cause] = time.Duration(seconds * float64(time.Second))
	}
	return a
}

// Book is a copy of everything, as of now. Of a group that has an owner, now is
// the newest proof.
func (l *Ledger) Book() Book {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now().Round(0).UTC()
	b := Book{Node: l.node, Written: now, Groups: map[string]Account{}, Outages: append([]Outage{}, l.outages...)}
	for name, a := range l.accounts {
		page := Account{Owner: a.owner, Last: a.last, Proof: a.proof.Round(0).UTC(), Cause: a.cause, Seconds: map[string]float64{}}
		if a.owner != "" {
			page.Proof = now
		}
		for cause, total := range maps.All(a.total) {
			page.Seconds[cause] = total.Seconds()
		}
		b.Groups[name] = page
	}
	return b
}

// saveEvery is how often the newest proof is kept without any change: what a
// node that loses power may be wrong by about the outage that follows where no
// other node saw it.
const saveEvery = 30 * time.Second

// Run saves the book when it changes, every saveEvery, and at the end of ctx.
// What save says is reported once for each spell of failures.
func (l *Ledger) Run(ctx context.Context, save func([]byte) error, report func(error)) {
	tick := time.NewTicker(saveEvery)
	defer tick.Stop()
	failing := false
	for ended := false; !ended; {
		select {
		case <-l.changed:
		case <-tick.C:
		case <-ctx.Done():
			ended = true
		}
		err := l.save(save)
		if err != nil && !failing {
			report(err)
		}
		failing = err != nil
	}
}

func (l *Ledger) save(save func([]byte) error) error {
	text, err := json.MarshalIndent(l.Book(), "", " ")
	if err != nil {
		return err
	}
	return save(append(text, '\n'))
}
