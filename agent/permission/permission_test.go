package permission

import (
	"testing"
	"time"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func at(s float64) time.Time { return epoch.Add(time.Duration(s * float64(time.Second))) }

// settings are those of a deadtime of 10 s and a keepalive of 1 s: the lease is
// 6 s, evidence of 0 s lets it be renewed before 3.75 s and things be held
// before 7.25 s.
func settings(policy Policy, voters ...string) Config {
	c := Config{Policy: policy, Deadtime: 10 * time.Second, Initdead: 20 * time.Second, Keepalive: time.Second, Slack: 250 * time.Millisecond, Voters: voters, First: true}
	c.Lease = MaxLease(c.Deadtime, c.Keepalive, c.Slack).Truncate(time.Second)
	c.Length = VoteLength(c.Deadtime, c.Lease)
	return c
}

func TestVerdict(t *testing.T) {
	const long = 1000.0 // after the start, so that nothing is inherited
	tests := []struct {
		name   string
		policy Policy
		tell   func(p *Permission)
		now    float64
		want   Verdict // without Until
	}{
		{name: "without a policy everything is permitted", policy: None, now: long, want: Verdict{Nothing, true, true, time.Time{}}},
		{name: "without evidence nothing is", policy: Peer, now: long, want: Verdict{Nothing, false, false, time.Time{}}},
		{name: "what an earlier daemon left may stay for a lease, and no more is taken", policy: Peer, now: 5.9, want: Verdict{Nothing, true, false, time.Time{}}},
		{name: "a fresh echo lets leases be renewed", policy: Peer, tell: echo(long), now: long + 3.74, want: Verdict{ByPeer, true, true, time.Time{}}},
		{name: "an old one does not", policy: Peer, tell: echo(long), now: long + 3.75, want: Verdict{ByPeer, true, false, time.Time{}}},
		{name: "and then things are given up", policy: Peer, tell: echo(long), now: long + 7.25, want: Verdict{Nothing, false, false, time.Time{}}},
		{name: "the peer's own deadtime counts where it is less", policy: Peer, tell: func(p *Permission) { p.Echoed(at(long), 8*time.Second) }, now: long + 1.75, want: Verdict{ByPeer, true, false, time.Time{}}},
		{name: "a peer that has stopped takes nothing", policy: Peer, tell: (*Permission).PeerLeft, now: long, want: Verdict{ByAbsent, true, true, time.Time{}}},
		{name: "with an arbiter it might come back and win the vote", policy: Arbiter, tell: (*Permission).PeerLeft, now: long, want: Verdict{Nothing, false, false, time.Time{}}},
		{name: "a peer that is known to be off takes nothing", policy: Peer, tell: (*Permission).PeerOff, now: long, want: Verdict{ByAbsent, true, true, time.Time{}}},
		{name: "nor by a vote, since it would have to switch us off first", policy: Arbiter, tell: (*Permission).PeerOff, now: long, want: Verdict{ByAbsent, true, true, time.Time{}}},
		{name: "until it is heard to hear us", policy: Arbiter, tell: func(p *Permission) { p.PeerOff(); echo(long)(p) }, now: long + 7.25, want: Verdict{Nothing, false, false, time.Time{}}},
		{name: "a ping node is evidence where it is to be", policy: Ping, tell: func(p *Permission) { p.Pinged(at(long)) }, now: long + 3, want: Verdict{ByPing, true, true, time.Time{}}},
		{name: "and nowhere else", policy: Peer, tell: func(p *Permission) { p.Pinged(at(long)) }, now: long + 3, want: Verdict{Nothing, false, false, time.Time{}}},
		{name: "a vote counts from when it was asked for", policy: Arbiter, tell: votes(long, 0), now: long + 9.74, want: Verdict{ByVote, true, true, time.Time{}}},
		{name: "not from the answer", policy: Arbiter, tell: votes(long, 0), now: long + 9.75, want: Verdict{ByVote, true, false, time.Time{}}},
		{name: "one vote of three is none", policy: Quorum, tell: votes(long, 0), now: long + 1, want: Verdict{Nothing, false, false, time.Time{}}},
		{name: "two of three win", policy: Quorum, tell: votes(long, 0, 2), now: long + 1, want: Verdict{ByVote, true, true, time.Time{}}},
		{name: "after a standstill there is no evidence", policy: Peer, tell: func(p *Permission) { echo(long)(p); p.Forget(at(long + 1)) }, now: long + 1, want: Verdict{Nothing, false, false, time.Time{}}},
		{name: "nor any in what comes late of before", policy: Peer, tell: func(p *Permission) { p.Forget(at(long + 1)); echo(long)(p) }, now: long + 1, want: Verdict{Nothing, false, false, time.Time{}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			voters := map[Policy][]string{Arbiter: {"a"}, Quorum: {"a", "b", "c"}}[tt.policy]
			p := New(settings(tt.policy, voters...), epoch)
			if tt.tell != nil {
				tt.tell(p)
			}
			got := p.Verdict(at(tt.now))
			got.Until = time.Time{}
			if got != tt.want {
				t.Errorf("\n got %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

func echo(s float64) func(*Permission) {
	return func(p *Permission) { p.Echoed(at(s), 10*time.Second) }
}

// votes has the arbiters with these indices grant what is asked at s, a second
// later.
func votes(s float64, voters ...int) func(*Permission) {
	return func(p *Permission) {
		questions := p.Ask(at(s), true)
		for _, v := range voters {
			p.Answered(at(s+1), Answer{Question: questions[v], Granted: true})
		}
	}
}

func TestWhoAsksWhen(t *testing.T) {
	for _, tt := range []struct {
		name   string
		serves bool
		now    float64 // since the newest echo
		want   bool
	}{
		{"who serves does not ask while an echo lets leases be renewed", true, 3.74, false},
		{"who serves asks as soon as it does not", true, 3.75, true},
		{"who does not serve does not ask while the peer may live", false, 9.9, false},
		{"who does not serve asks when the peer may be dead", false, 10, true},
	} {
		p := New(settings(Arbiter, "a"), epoch)
		echo(1000)(p)
		asked := false
		for _, q := range p.Ask(at(1000+tt.now), tt.serves) {
			asked = asked || q.Want == Vote
		}
		if asked != tt.want {
			t.Errorf("%s: asked %v", tt.name, asked)
		}
	}
}

func TestAVoteGivenBackIsVoid(t *testing.T) {
	p := New(settings(Arbiter, "a"), epoch)
	q := p.Ask(at(1000), true)[0]
	echo(1000.5)(p)
	back := p.Ask(at(1001), true)
	if len(back) != 1 || back[0].Want != Release {
		t.Fatalf("an echo lets the vote be given back, but what is asked is %+v", back)
	}
	p.Answered(at(1002), Answer{Question: q, Granted: true})
	if v := p.View(at(1002)); !v.Voters[0].Until.IsZero() {
		t.Errorf("an answer that came after the vote was given back counts until %v", v.Voters[0].Until)
	}
}

// A node that ends gives back what it has, and what it may have been lent
// meanwhile; it asks for nothing more.
func TestWhoLeavesGivesBack(t *testing.T) {
	p := New(settings(Quorum, "a", "b", "c"), epoch)
	votes(1000, 0, 1)(p) // c has not answered yet
	back := p.Leave(at(1002))
	for i, q := range back {
		if q.Want != Release || q.Voter != i {
			t.Errorf("asked %+v", q)
		}
	}
	if len(back) != 3 {
		t.Errorf("%d of 3 votes are given back", len(back))
	}
	if again := p.Ask(at(1100), true); len(again) > 0 {
		t.Errorf("asked once more: %+v", again)
	}
	if v := p.Verdict(at(1002)); v.Take {
		t.Errorf("what was given back still counts: %+v", v)
	}
	if wake := p.Wake(at(1100), true); !wake.IsZero() {
		t.Errorf("it wakes at %v for nothing", wake)
	}
}

func TestBook(t *testing.T) {
	b := NewBook(epoch)
	steps := []struct {
		name    string
		at      float64
		node    string
		number  uint64
		granted bool
	}{
		{"nothing is lent before two lengths have passed since the start", 19.9, "alpha", 1, false},
		{"then it is", 20, "alpha", 2, true},
		{"to one node", 29.9, "beta", 1, false},
		{"for its length", 30, "beta", 2, true},
		{"an old question changes nothing", 45, "alpha", 1, false},
		{"a new one does", 45, "alpha", 3, true},
	}
	for _, s := range steps {
		if got, holder, left := b.Vote(at(s.at), s.node, s.number, 10*time.Second); got != s.granted {
			t.Errorf("%s: granted %v, holder %q for %v", s.name, got, holder, left)
		}
	}
}
