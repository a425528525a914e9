// Package ledger keeps the books of who served: for each group the seconds
// that nobody was proven to own it, by cause, and the outages themselves. The
// books outlive the daemon.
//
// The new owner alone writes an outage down, so that the sum over a cluster's
// nodes counts each once, also when one of them is dead by then. An outage that
// goes on is in no total yet; Open tells its age.
package ledger

import (
	"sync"
	"time"

	"github.com/systole-ha/systole/agent/event"
)

// kept is how many outages are remembered; the totals know of all.
const kept = 256

// Start is the cause of an outage that was found at the start of a daemon that
// does not know how it came about: no node was up.
const Start = "start"

// Causes are all that outages are booked under: those of event.OwnerChanged
// but adopted, which is none.
var Causes = []string{"peer_dead", "peer_left", "standby", "takeover", "failback", "failure", "yield", "lapse", "carrier", "ping", "restart", "shutdown", Start}

// An Outage is a time in which nobody was proven to own a group.
type Outage struct {
	Group   string    `json:"group"`
	From    string    `json:"from,omitempty"` // the node that owned it before
	To      string    `json:"to"`             // the node that owns it since
	Cause   string    `json:"cause"`
	Began   time.Time `json:"began"` // the last proof of From
	Seconds float64   `json:"seconds"`
	Trace   string    `json:"trace,omitempty"`
}

// An account is what is known of one group.
type account struct {
	owner string    // the proven one; empty for none
	last  string    // the newest there was
	proof time.Time // the last proof of last; of an earlier daemon's, without a monotonic part
	cause string    // why there is no owner
	old   bool      // all that is from before this daemon's start
	total map[string]time.Duration
}

// A Ledger is an event.Sink. Record is for the loop; all else may be called
// from anywhere.
type Ledger struct {
	node    string
	now     func() time.Time
	changed chan struct{} // holds one token while there is something to save

	mu       sync.Mutex // held for a few assignments, never while anything is written
	accounts map[string]*account
	outages  []Outage // oldest first
}

// New opens the books of node for these groups, with what Book has kept of
// them. Groups that are no longer configured are closed and forgotten.
func New(node string, groups []string, book Book) *Ledger {
	l := &Ledger{node: node, now: time.Now, changed: make(chan struct{}, 1), accounts: map[string]*account{}}
	for _, name := range groups {
		l.accounts[name] = book.account(name)
	}
	l.outages = append(l.outages, book.Outages[max(0, len(book.Outages)-kept):]...)
	return l
}

// Record books what OwnerChanged says.
func (l *Ledger) Record(r event.Record) {
	e, ok := r.Event.(event.OwnerChanged)
	if !ok {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.accounts[e.Group]
	if a == nil {
		return
	}
	if e.To == l.node && e.Cause != "adopted" {
		if o := a.outage(r.Time, e); o.Seconds > 0 {
			l.book(a, o)
		}
	}
	a.turn(r.Time, e)
	l.rouse()
}

// outage is the one that ends with e. What happened before this daemon's start
// is reckoned by the wall clock, for want of another: a clock that was set
// meanwhile makes it wrong by as much.
func (a *account) outage(now time.Time, e event.OwnerChanged) Outage {
	o := Outage{Group: e.Group, From: e.From, To: e.To, Cause: e.Cause, Began: e.Since, Seconds: e.Unowned.Seconds(), Trace: e.Trace}
	if e.From == "" && a.old && !a.proof.IsZero() {
		o.From, o.Cause, o.Began, o.Seconds = a.last, a.cause, a.proof, now.Round(0).Sub(a.proof).Seconds()
		if o.Cause == "" {
			o.Cause = Start
		}
	}
	return o
}

func (a *account) turn(now time.Time, e event.OwnerChanged) {
	a.owner, a.old = e.To, false
	if e.To != "" {
		a.last, a.proof, a.cause = e.To, now, ""
	} else {
		a.proof, a.cause = e.Since, e.Cause
	}
}

func (l *Ledger) book(a *account, o Outage) {
	a.total[o.Cause] += time.Duration(o.Seconds * float64(time.Second))
	if len(l.outages) == kept {
		l.outages = append(l.outages[:0], l.outages[1:]...)
	}
	l.outages = append(l.outages, o)
}

func (l *Ledger) rouse() {
	select {
	case l.changed <- struct{}{}:
	default:
	}
}

// Total is how long group was without a proven owner for this cause, in all
// outages that this node ended.
func (l *Ledger) Total(group, cause string) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if a := l.accounts[group]; a != nil {
		return a.total[cause]
	}
	return 0
}

// Open is how long group has been without a proven owner by now; 0 while it has
// one, and before this daemon knew of any.
func (l *Ledger) Open(group string) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.accounts[group]
	if a == nil || a.old || a.owner != "" || a.last == "" && a.proof.IsZero() {
		return 0
	}
	return max(0, l.now().Sub(a.proof))
}
