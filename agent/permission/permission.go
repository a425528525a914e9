// Package permission judges whether this node may hold what it holds, and
// whether it may take more: evidence that the peer hears us, ping nodes that
// answer, votes of arbiters in; a verdict, and questions to arbiters, out. It is
// pure: it is handed the time and touches nothing.
//
// The argument is in docs/safety.md. Its terms: the peer that has heard a
// heartbeat of ours does not call us dead before our deadtime has passed from
// when we sent it, and a vote that we asked for at some instant is nobody
// else's before its length has passed from then. So either is evidence until
// an instant on our own clock; no two clocks are compared.
package permission

import (
	"time"
)

// A Policy names the evidence that lets a node hold addresses.
type Policy string

// The policies.
const (
	None    Policy = "none"    // none is needed
	Peer    Policy = "peer"    // the peer hears us
	Ping    Policy = "ping"    // the peer hears us, or a ping node answers
	Arbiter Policy = "arbiter" // the peer hears us, or the arbiter has given us its vote
	Quorum  Policy = "quorum"  // the same with the votes of most of several
)

// Policies are all there are.
var Policies = []Policy{None, Peer, Ping, Arbiter, Quorum}

// Judges reports whether p wants any evidence.
func (p Policy) Judges() bool { return p != None && p != "" }

// Votes reports whether p asks arbiters.
func (p Policy) Votes() bool { return p == Arbiter || p == Quorum }

// Evidence is what a verdict rests on.
type Evidence string

// The kinds of evidence, and their absence.
const (
	Nothing  Evidence = "nothing"
	ByPeer   Evidence = "peer"
	ByAbsent Evidence = "peer_off" // the peer has said goodbye, or is confirmed off
	ByVote   Evidence = "vote"
	ByPing   Evidence = "ping"
)

// echoes is how many keepalives old the peer's newest echo of ours may be
// while all is well: one until it answers, one until ours went out before, one
// for a message that is lost.
const echoes = 3

// MaxLease is how long a lease may be so that evidence of the peer lets it be
// renewed without a break while all is well, and it is over, slack included,
// before the peer takes what was held by it.
func MaxLease(deadtime, keepalive, slack time.Duration) time.Duration {
	return max(0, deadtime-echoes*keepalive-slack)
}

// A Config says what the verdict depends on.
type Config struct {
	Policy    Policy // "" is None
	Deadtime  time.Duration
	Initdead  time.Duration
	Keepalive time.Duration
	Lease     time.Duration // of addresses; 0 for none
	Slack     time.Duration // what clocks may differ by over a deadtime, and how late a lease may end
	Voters    []string      // names of the arbiters
	Length    time.Duration // of a vote: VoteLength, or what an arbiter needs
	First     bool          // of two nodes that win half the votes each, this one asks again first
}

// VoteLength is how long a vote has to last: it is to cover a lease that was
// renewed by it, and to bear four questions without an answer.
func VoteLength(deadtime, lease time.Duration) time.Duration { return deadtime + lease }

// A Permission is the judgement of one node.
type Permission struct {
	cfg    Config
	start  time.Time
	heard  time.Time     // when we sent the newest heartbeat that the peer has heard; zero for none
	bound  time.Duration // how long after that the peer may not call us dead
	off    bool          // the peer has nothing, and takes nothing before it hears us
	fenced bool          // nor before it has switched us off, whatever its policy
	leaves bool          // this node has given everything up and ends
	pinged time.Time     // when a ping node last answered
	since  time.Time     // what is from before proves nothing: see Forget

	votes   []vote
	round   uint64    // of the newest questions
	asked   time.Time // when they were asked
	next    time.Time // no questions before then
	probeAt time.Time

	evidence Evidence // as last reported
}

// New starts the judgement: there is no evidence of anything.
func New(cfg Config, now time.Time) *Permission {
	p := &Permission{cfg: cfg, start: now, bound: cfg.Deadtime, votes: make([]vote, len(cfg.Voters)), evidence: Nothing}
	if cfg.Policy == "" {
		p.cfg.Policy = None
	}
	return p
}

// Policy is what evidence counts.
func (p *Permission) Policy() Policy { return p.cfg.Policy }

// Echoed says that the peer has heard a heartbeat that we sent at the instant
// sent. deadtime is the peer's own, by which it judges a node that it has not
// heard since its start.
func (p *Permission) Echoed(sent time.Time, deadtime time.Duration) {
	if !sent.After(p.heard) || sent.Before(p.since) {
		return
	}
	p.heard, p.off, p.fenced, p.bound = sent, false, false, p.cfg.Deadtime
	if deadtime > 0 {
		p.bound = min(p.bound, deadtime)
	}
}

// PeerHeard says that the peer is there. Of one that does not echo, a 3.0.6
// node, that is all there is, and proves nothing where a network carries one
// way only.
func (p *Permission) PeerHeard(at time.Time, echoes bool) {
	if !echoes || p.off {
		p.Echoed(at, 0) // who was off has nothing until it has heard us
	}
}

// PeerLeft says that the peer has given up everything and stopped. When it
// starts again it takes nothing from us without evidence of its own: that we
// hear it, by the policy Peer, which proves that we know of it.
func (p *Permission) PeerLeft() { p.off = true }

// PeerOff says that the peer is known to be without power, where nodes fence
// each other. When it starts again it takes nothing from a node that it does not
// hear before it has switched that off: a vote alone does not let it.
func (p *Permission) PeerOff() { p.off, p.fenced = true, true }

// Pinged says that a ping node answered.
func (p *Permission) Pinged(at time.Time) {
	if at.After(p.pinged) && !at.Before(p.since) {
		p.pinged = at
	}
}

// Forget drops all evidence, and what is still to come of before now: this node
// stood still, and its own clock may not have gone on meanwhile.
func (p *Permission) Forget(now time.Time) {
	p.since = now
	p.heard, p.pinged = time.Time{}, time.Time{}
	p.round++
	for i := range p.votes {
		p.votes[i].until, p.votes[i].void = time.Time{}, p.round
	}
}

// A Verdict is what this node may do at one instant.
type Verdict struct {
	Evidence Evidence  // the best there is; Nothing where it may not hold
	Keep     bool      // hold what it holds
	Take     bool      // take more, and renew leases
	Until    time.Time // when Keep ends without new evidence; zero for never
}

// Verdict judges at the instant now.
func (p *Permission) Verdict(now time.Time) Verdict {
	if p.cfg.Policy == None {
		return Verdict{Evidence: Nothing, Keep: true, Take: true}
	}
	if p.cfg.Policy == Peer && p.off || p.fenced {
		return Verdict{Evidence: ByAbsent, Keep: true, Take: true}
	}
	v := Verdict{Evidence: Nothing}
	if inherited := p.start.Add(p.cfg.Lease); now.Before(inherited) {
		// What an earlier daemon on this node left is held by leases that are not
		// renewed, and that it renewed with good reason.
		v.Keep, v.Until = true, inherited
	}
	for _, e := range p.ends() {
		if e.at.IsZero() {
			continue
		}
		v.Take = v.Take || now.Before(p.takeUntil(e.at))
		if keep := p.keepUntil(e.at); now.Before(keep) {
			if v.Evidence == Nothing {
				v.Evidence = e.of
			}
			v.Keep = true
			if keep.After(v.Until) {
				v.Until = keep
			}
		}
	}
	return v
}

// An end is an instant before which nobody else takes what is here.
type end struct {
	of Evidence
	at time.Time
}

// ends are those of all evidence that counts, the best first; the instant is
// zero where there is none.
func (p *Permission) ends() []end {
	ends := make([]end, 0, 2)
	add := func(of Evidence, from time.Time, length time.Duration) {
		if !from.IsZero() {
			from = from.Add(length - p.cfg.Slack)
		}
		ends = append(ends, end{of, from})
	}
	add(ByPeer, p.heard, p.bound)
	switch {
	case p.cfg.Policy == Ping:
		add(ByPing, p.pinged, p.cfg.Deadtime)
	case p.cfg.Policy.Votes():
		add(ByVote, p.won(), 0)
	}
	return ends
}

// takeUntil is until when a lease may be begun or renewed: it is over before
// the evidence is.
func (p *Permission) takeUntil(end time.Time) time.Time { return end.Add(-p.cfg.Lease) }

// keepUntil is until when things are held: shortly before the lease that was
// renewed last runs out. A lease is renewed once in an eighth of it, by a
// heartbeat.
func (p *Permission) keepUntil(end time.Time) time.Time {
	return end.Add(-min(p.cfg.Lease, p.cfg.Lease/4+p.cfg.Keepalive))
}
