package permission

import (
	"slices"
	"time"
)

// A Question is what is asked of one arbiter.
type Question struct {
	Voter   int           // index in Config.Voters
	Want    Want          // the vote, to give it back, or whether it is there
	Number  uint64        // counts what is asked of all, so that answers find their question
	At      time.Time     // when it was asked: before it left
	Length  time.Duration // of the vote
	Timeout time.Duration // for the answer
}

// A Want is what a question is about.
type Want int

// What there is to want of an arbiter.
const (
	Probe   Want = iota // to know whether it answers
	Vote                // its vote, or that it lasts longer
	Release             // to give the vote back
)

// An Answer is what became of a question.
type Answer struct {
	Question
	Granted bool
	Holder  string        // who has the vote, where it was refused
	Left    time.Duration // how long that one has it at most; 0 where not known
	Err     error         // there was no answer
}

// A vote is what is known of one arbiter.
type vote struct {
	until  time.Time // it is ours; zero when not
	lent   bool      // the arbiter may think so
	void   uint64    // answers to questions before this number are: it was given back since
	holder string    // another, by its last refusal
	known  bool      // up means something
	up     bool      // it answered the last question
	err    string    // why not
}

// probeEvery is how often an arbiter is asked whether it is there while nobody
// needs it. One that is gone is to be known before it is needed.
const probeEvery = 10 * time.Second

// interval is how often a vote is asked for.
func (p *Permission) interval() time.Duration { return p.cfg.Deadtime / 5 }

// needed is how many votes win.
func (p *Permission) needed() int { return len(p.votes)/2 + 1 }

// won is until when this node has enough votes; zero for not at all.
func (p *Permission) won() time.Time {
	if len(p.votes) == 0 {
		return time.Time{}
	}
	ends := make([]time.Time, len(p.votes))
	for i := range p.votes {
		ends[i] = p.votes[i].until
	}
	slices.SortFunc(ends, func(a, b time.Time) int { return b.Compare(a) })
	return ends[p.needed()-1]
}

// fresh is until when the peer's echo alone lets everything be renewed. Without
// leases half of the deadtime is left for the arbiter to answer.
func (p *Permission) fresh() time.Time {
	if p.heard.IsZero() {
		return time.Time{}
	}
	return p.heard.Add(min(p.bound-p.cfg.Slack-p.cfg.Lease, max(p.bound/2, echoes*p.cfg.Keepalive)))
}

// askFrom is when the vote is asked for. Whoever serves does so as soon as the
// peer's echo does not suffice any more; who does not, only when it might be
// the peer that is dead: where all links are cut whoever serves goes on.
func (p *Permission) askFrom(serves bool) time.Time {
	switch {
	case serves:
		return p.fresh()
	case p.heard.IsZero():
		return p.start.Add(max(p.cfg.Initdead, p.cfg.Deadtime) - p.cfg.Keepalive)
	}
	return p.heard.Add(p.bound)
}

// Ask is what to ask of the arbiters at the instant now. serves says whether
// this node holds anything.
func (p *Permission) Ask(now time.Time, serves bool) []Question {
	switch {
	case !p.cfg.Policy.Votes() || p.leaves:
		return nil
	case !now.Before(p.askFrom(serves)):
		return p.canvass(now)
	case now.Before(p.fresh()):
		if q := p.giveBack(now); q != nil {
			return q
		}
	}
	return p.probe(now)
}

// canvass asks every arbiter for its vote, once in an interval. A round that
// was not won gives back what it got, or two nodes with half the votes each
// would keep them for ever.
func (p *Permission) canvass(now time.Time) []Question {
	if now.Before(p.next) {
		return nil
	}
	if q := p.halfWon(now); q != nil {
		p.next = now.Add(p.interval())
		if !p.cfg.First {
			p.next = now.Add(2 * p.interval())
		}
		return q
	}
	p.round++
	p.asked, p.next, p.probeAt = now, now.Add(p.interval()), now.Add(probeEvery)
	questions := make([]Question, len(p.votes))
	for i := range p.votes {
		p.votes[i].lent = true
		questions[i] = p.question(now, i, Vote)
	}
	return questions
}

// Leave gives back every vote of a node that has given everything up, so that
// its peer need not wait until they end. Nothing is asked afterwards.
func (p *Permission) Leave(now time.Time) []Question {
	p.leaves = true
	return p.giveBack(now)
}

// halfWon gives back the votes of a round that others won, or nobody.
func (p *Permission) halfWon(now time.Time) []Question {
	if len(p.votes) == 1 || p.won().After(now) || !slices.ContainsFunc(p.votes, func(v vote) bool { return v.until.After(now) }) {
		return nil
	}
	return p.giveBack(now)
}

// giveBack returns every vote that this node may have.
func (p *Permission) giveBack(now time.Time) []Question {
	var questions []Question
	for i := range p.votes {
		if v := &p.votes[i]; v.lent {
			p.round++
			v.lent, v.until, v.void = false, time.Time{}, p.round
			questions = append(questions, p.question(now, i, Release))
		}
	}
	return questions
}

func (p *Permission) probe(now time.Time) []Question {
	if now.Before(p.probeAt) {
		return nil
	}
	p.probeAt = now.Add(probeEvery)
	p.round++
	questions := make([]Question, len(p.votes))
	for i := range p.votes {
		questions[i] = p.question(now, i, Probe)
	}
	return questions
}

func (p *Permission) question(now time.Time, voter int, want Want) Question {
	return Question{Voter: voter, Want: want, Number: p.round, At: now, Length: p.cfg.Length, Timeout: max(p.interval(), 4*p.cfg.Keepalive)}
}

// Answered takes in the answer to a question. It reports whether the arbiter
// has come or gone.
func (p *Permission) Answered(now time.Time, a Answer) (changed bool) {
	v := &p.votes[a.Voter]
	up := a.Err == nil
	changed = v.up != up || !v.known
	v.known, v.up, v.err = true, up, ""
	if !up {
		v.err = a.Err.Error()
		return changed
	}
	if a.Want != Vote || a.Number < v.void {
		return changed
	}
	v.holder = a.Holder
	if a.Granted {
		v.holder = ""
		if until := a.At.Add(a.Length); until.After(v.until) {
			v.until = until
		}
		return changed
	}
	v.until = time.Time{}
	if at := now.Add(a.Left + time.Millisecond); a.Left > 0 && at.Before(p.next) {
		p.next = at
	}
	return changed
}

// Changed reports a verdict whose evidence is another than the last reported.
func (p *Permission) Changed(v Verdict) (from Evidence, changed bool) {
	from = p.evidence
	p.evidence = v.Evidence
	return from, from != v.Evidence
}

// Wake is when the verdict, or what is to be asked, changes if nothing comes;
// zero for not at all.
func (p *Permission) Wake(now time.Time, serves bool) time.Time {
	var wake time.Time
	later := func(at time.Time) {
		if at.After(now) && (wake.IsZero() || at.Before(wake)) {
			wake = at
		}
	}
	if p.cfg.Policy == None {
		return wake
	}
	later(p.start.Add(p.cfg.Lease))
	for _, e := range p.ends() {
		if !e.at.IsZero() {
			later(p.takeUntil(e.at))
			later(p.keepUntil(e.at))
		}
	}
	if p.cfg.Policy.Votes() && !p.leaves {
		ask := p.askFrom(serves)
		later(ask)
		later(p.probeAt)
		if !now.Before(ask) {
			later(p.next)
		}
	}
	return wake
}

// A View is the verdict with all that it rests on, for status displays.
type View struct {
	Policy  Policy
	Verdict Verdict
	Needed  int // votes
	Voters  []VoterView
}

// A VoterView is what is known of one arbiter.
type VoterView struct {
	Name   string
	Known  bool // it was asked and answered, or did not
	Up     bool
	Error  string    // why it did not answer
	Holder string    // who else has its vote
	Until  time.Time // its vote is ours; zero when not
}

// View looks at everything.
func (p *Permission) View(now time.Time) View {
	v := View{Policy: p.cfg.Policy, Verdict: p.Verdict(now)}
	if !p.cfg.Policy.Votes() {
		return v
	}
	v.Needed = p.needed()
	for i, name := range p.cfg.Voters {
		vote := p.votes[i]
		view := VoterView{Name: name, Known: vote.known, Up: vote.up, Error: vote.err, Holder: vote.holder}
		if vote.until.After(now) {
			view.Until = vote.until
		}
		v.Voters = append(v.Voters, view)
	}
	return v
}

// Why says why there is no evidence, in words for people.
func (p *Permission) Why(now time.Time) string {
	why := "the peer was not heard to hear us"
	if !p.heard.IsZero() {
		why = "the peer was last known to hear us " + now.Sub(p.heard).Round(time.Millisecond).String() + " ago"
	}
	switch {
	case p.cfg.Policy == Ping:
		return why + ", and no ping node answers"
	case !p.cfg.Policy.Votes():
		return why
	}
	for i, name := range p.cfg.Voters {
		switch v := p.votes[i]; {
		case v.until.After(now):
			why += "; " + name + " has given us its vote"
		case v.err != "":
			why += "; " + name + ": " + v.err
		case v.holder != "":
			why += "; " + v.holder + " has the vote of " + name
		default:
			why += "; " + name + " has not given us its vote"
		}
	}
	return why
}
