package takeover

import (
	"strconv"
	"strings"
	"time"
)

// served is when this node served a group: from the look that found all of it
// running to the order that stops the first of it.
type served struct {
	now   bool
	begun time.Time // zero for before the daemon started
	until time.Time // the newest proof; zero for never
}

// noteServed draws from the state of g whether this node serves it. A release
// that was decided here ends it now; what fails or lapses has ended some time
// since the last step.
func (g *group) noteServed(now time.Time) {
	s := &g.served
	serves := g.serves()
	switch {
	case serves && !s.now:
		s.begun = now
		if g.adopted {
			s.begun = time.Time{}
		}
		s.until = now
	case serves, s.now && g.releasedByDecision():
		s.until = now
	}
	s.now = serves
}

// releasedByDecision reports whether g ran until this node began to stop it.
func (g *group) releasedByDecision() bool {
	return g.failure == "" && g.move != nil && !g.move.acquire && g.move.trigger != byLapse
}

// provenUntil takes in what has become known of the last proof of the newest
// owner, once it serves no more: a peer that gives a group up says with its
// next message until when it served it.
func (t *Takeover) provenUntil(g *group, o *ownership) {
	serves, proof := g.served.now, g.served.until
	if o.last == t.cfg.Peer {
		serves, proof = t.peer.serves[g.index], t.peer.proof[g.index]
	}
	if o.last != "" && !serves && proof.After(o.proof) {
		o.proof = proof
	}
}

// proofAge is how long messages say since or until when a group was served:
// what they cost is dear on a serial line, and later nobody needs it.
const proofAge = time.Minute

// proofs is syproof: for each group "+" and for how long we have served it, or
// "-" and for how long no more, in µs. Without a number it has been so for
// proofAge at least, or since before this daemon started.
func (t *Takeover) proofs(now time.Time) string {
	words := make([]string, len(t.groups))
	for i, g := range t.groups {
		sign, since := "-", g.served.until
		if g.served.now {
			sign, since = "+", g.served.begun
		}
		words[i] = sign
		if age := now.Sub(since); !since.IsZero() && age < proofAge {
			words[i] += strconv.FormatInt(max(0, age.Microseconds()), 16)
		}
	}
	return strings.Join(words, ",")
}

// learnProofs reads syproof from a message that came at the instant at.
func (t *Takeover) learnProofs(at time.Time, proofs string) {
	words := strings.Split(proofs, ",")
	for i := range t.groups {
		word := ""
		if len(words) == len(t.groups) {
			word = words[i]
		}
		t.peer.learnProof(i, at, word)
	}
}

func (p *peer) learnProof(i int, at time.Time, word string) {
	digits, serves := strings.CutPrefix(word, "+")
	if !serves {
		digits = strings.TrimPrefix(word, "-")
	}
	micros, err := strconv.ParseUint(digits, 16, 32)
	known, since := err == nil, at.Add(-time.Duration(micros)*time.Microsecond)
	switch {
	case serves && !p.serves[i]:
		p.begun[i], p.proof[i] = time.Time{}, at
		if known {
			p.begun[i] = since
		}
	case serves:
		p.proof[i] = at
	case known && since.After(p.proof[i]):
		p.proof[i] = since
	}
	p.serves[i] = serves
}
