package takeover

import (
	"time"

	"github.com/systole-ha/systole/agent/event"
)

// A move is one acquisition or release of groups, from its decision until each
// of them has settled: what operators read about afterwards.
type move struct {
	id      uint64
	acquire bool
	trigger string
	peer    string
	trace   string
	planned []*group // what it is about
	groups  []*group // those of them that have been begun
	decided time.Time

	silence   time.Duration // of a death: how long nobody was heard before
	confirm   time.Duration // of a death: how long it took to be sure
	fence     time.Duration // of a death: how long until the peer was known to be off
	fenced    bool
	addresses time.Time     // when the last leading address was up
	announced time.Time     // when the last of them had been announced
	services  time.Time     // when the last resource was started
	outage    time.Duration // the longest that one of its groups had no proven owner
}

// acquire begins a takeover. Each group joins it when nobody else holds it any
// more.
func (t *Takeover) acquire(now time.Time, trigger string, groups []*group) *move {
	if len(groups) == 0 {
		return &move{acquire: true}
	}
	m := t.open(now, true, trigger, groups)
	if trigger == peerDead {
		m.silence, m.confirm = t.peer.silence-t.peer.confirm, t.peer.confirm
		m.fence, m.fenced = t.fencingTook(now), t.fences()
	}
	t.standby = time.Time{}
	t.emit(event.TakeoverStarted{ID: m.id, Trigger: trigger, Peer: m.peer, Groups: keys(groups), Trace: m.trace})
	return m
}

// join makes g part of a takeover and wants it held.
func (t *Takeover) join(now time.Time, m *move, g *group) {
	g.move = m
	m.groups = append(m.groups, g)
	g.failback = !t.local(g) && (m.trigger == peerDead || m.trigger == peerLeft || m.trigger == atStart || m.trigger == byCarrier || m.trigger == byPing)
	t.want(now, g, hold)
}

// relinquish begins a release of groups.
func (t *Takeover) relinquish(now time.Time, trigger string, groups []*group) *move {
	if len(groups) == 0 {
		return &move{}
	}
	m := t.open(now, false, trigger, groups)
	t.emit(event.ReleaseStarted{ID: m.id, Trigger: trigger, Peer: m.peer, Groups: keys(groups), Trace: m.trace})
	for _, g := range groups {
		g.move, g.left = m, nil
		m.groups = append(m.groups, g)
		g.failback = false
		t.want(now, g, release)
	}
	return m
}

func (t *Takeover) open(now time.Time, acquire bool, trigger string, groups []*group) *move {
	t.lastID++
	m := &move{id: t.lastID, acquire: acquire, trigger: trigger, planned: groups, decided: now}
	if t.cfg.Peer != "" && (t.peer.alive || trigger == peerDead || trigger == peerLeft) {
		m.peer = t.cfg.Peer
	}
	m.trace = t.traceOf(trigger)
	t.moves = append(t.moves, m)
	return m
}

// addressesUp reports whether every group has passed the addresses at the
// beginning of its line, or has been given up.
func (m *move) addressesUp() bool {
	for _, g := range m.groups {
		if g.aim == hold && (g.state != starting && g.state != running || g.next < g.leading) {
			return false
		}
	}
	return true
}

func (m *move) announcementsOut() bool {
	for _, g := range m.groups {
		for i := range g.leading {
			if g.aim == hold && !g.work[i].announced {
				return false
			}
		}
	}
	return true
}

func (m *move) servicesUp() bool {
	for _, g := range m.groups {
		if g.aim == hold && (g.state != starting && g.state != running || g.next < len(g.work)) {
			return false
		}
	}
	return true
}

// servicesDown reports whether nothing but leading addresses is left to stop.
func (m *move) servicesDown() bool {
	for _, g := range m.groups {
		if g.move != m || g.state == stopped || g.state == failed {
			continue
		}
		if g.state != stopping || g.next >= g.leading {
			return false
		}
	}
	return true
}

// settle notes how far every move has come and closes those that are over. A
// takeover that is part of a standby stays open until the standby has ended,
// for groups may still join it.
func (t *Takeover) settle(now time.Time) {
	open := t.moves[:0]
	for _, m := range t.moves {
		m.note(now)
		if t.swap != nil && t.swap.move == m && t.swap.role == taker || !m.settled() || m.acquire && !m.announcementsOut() {
			open = append(open, m)
			continue
		}
		t.close(now, m)
	}
	clear(t.moves[len(open):])
	t.moves = open
}

func (m *move) note(now time.Time) {
	if !m.acquire {
		return
	}
	mark := func(at *time.Time, reached bool) {
		if !reached {
			*at = time.Time{}
		} else if at.IsZero() {
			*at = now
		}
	}
	mark(&m.addresses, m.addressesUp())
	mark(&m.announced, m.announcementsOut())
	mark(&m.services, m.servicesUp())
}

func (m *move) settled() bool {
	for _, g := range m.groups {
		if g.move == m && !g.settled() {
			return false
		}
	}
	return true
}

func (t *Takeover) close(now time.Time, m *move) {
	result := m.result()
	if !m.acquire {
		t.emit(event.ReleaseCompleted{
			ID: m.id, Trigger: m.trigger, Peer: m.peer, Groups: keys(m.planned), Result: result, Took: now.Sub(m.decided), Trace: m.trace,
		})
		return
	}
	for _, p := range m.phases(now) {
		t.emit(p)
	}
	done := event.TakeoverCompleted{
		ID: m.id, Trigger: m.trigger, Peer: m.peer, Groups: keys(m.planned), Result: result, Took: now.Sub(m.decided), Trace: m.trace,
	}
	if result != "failed" {
		done.Outage = m.outage
	}
	t.emit(done)
}

// phases cuts the takeover at the instants noted. Each ends where the next
// begins, so that their sum is the whole; what ran beside something that took
// longer has none of its own.
func (m *move) phases(now time.Time) []event.Event {
	var events []event.Event
	add := func(phase string, took time.Duration) {
		events = append(events, event.TakeoverPhase{ID: m.id, Phase: phase, Took: took, Trace: m.trace})
	}
	if m.trigger == peerDead {
		add("silence", m.silence)
		add("confirm", m.confirm)
		if m.fenced {
			add("fence", m.fence)
		}
	}
	at := m.decided
	for _, p := range []struct {
		name string
		end  time.Time
	}{{"address", m.addresses}, {"announce", m.announced}, {"services", m.services}, {"verify", now}} {
		end := at
		if p.end.After(at) {
			end = p.end
		}
		add(p.name, end.Sub(at))
		at = end
	}
	return events
}

func (m *move) result() string {
	good := 0
	for _, g := range m.groups {
		if m.acquire && g.state == running || !m.acquire && !g.holds() {
			good++
		}
	}
	switch good {
	case len(m.planned):
		return "success"
	case 0:
		return "failed"
	}
	return "partial"
}

func keys(groups []*group) []string {
	names := make([]string, len(groups))
	for i, g := range groups {
		names[i] = g.key
	}
	return names
}
