package control

import (
	"github.com/systole-ha/systole/agent/core"
	"github.com/systole-ha/systole/agent/permission"
)

// A Permission is what lets this node hold addresses.
type Permission struct {
	Policy   string  `json:"policy"`                 // none, peer, ping, arbiter, quorum
	Held     bool    `json:"held"`                   // this node may hold what it holds
	Evidence string  `json:"evidence,omitempty"`     // peer, peer_off, vote, ping, nothing; left out for none
	Left     Seconds `json:"left_seconds,omitempty"` // until it ends if nothing more is heard
	Needed   int     `json:"votes_needed,omitempty"` // to win
	Arbiters []Voter `json:"arbiters,omitempty"`     // in the order of systole.yaml
}

// A Voter is one arbiter.
type Voter struct {
	Arbiter string  `json:"arbiter"`
	Up      bool    `json:"up"`                     // it answered the last question
	Error   string  `json:"error,omitempty"`        // why it did not
	Asked   bool    `json:"asked"`                  // ever
	Holder  string  `json:"holder,omitempty"`       // another node that has its vote
	Left    Seconds `json:"left_seconds,omitempty"` // how long its vote is still ours
}

func permitted(s core.Snapshot) Permission {
	v := s.Permission
	p := Permission{Policy: string(v.Policy), Held: v.Verdict.Keep, Needed: v.Needed}
	if v.Policy == permission.None {
		return p
	}
	p.Evidence = string(v.Verdict.Evidence)
	if until := v.Verdict.Until; !until.IsZero() {
		p.Left = Seconds(max(0, until.Sub(s.Now)))
	}
	for _, a := range v.Voters {
		voter := Voter{Arbiter: a.Name, Up: a.Up, Error: a.Error, Asked: a.Known, Holder: a.Holder}
		if !a.Until.IsZero() {
			voter.Left = Seconds(a.Until.Sub(s.Now))
		}
		p.Arbiters = append(p.Arbiters, voter)
	}
	return p
}
