package metrics

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/systole-ha/systole/agent/event"
)

// A peer is one other node on all links. Its plain fields belong to the loop;
// what the gauges that age need is atomic, so that a scrape never makes the
// loop wait.
type peer struct {
	paths map[string]*path // by link
	stray *path            // for links there are none of

	state       *stateSet
	entered     counters // by state
	wire        *stateSet
	says        bool // how late it was: its wire is systole's
	agreement   *agreement
	falseDeaths prometheus.Counter
	retransmits counters // by direction
	member      bool     // joined, and neither left nor died since

	lateness   prometheus.Observer // the peer's, as it says
	used       prometheus.Observer
	nearMisses []prometheus.Counter // as nearMisses lists them
	deadtime   time.Duration
	endedLate  prometheus.Labels // the exemplar of the silence that the next heartbeat ends
	inForce    prometheus.Gauge  // deadtime
	offset     prometheus.Gauge
	offsetOff  prometheus.Gauge // how far offset can be off

	start  time.Time    // of this daemon
	last   atomic.Int64 // arrival on any link, since start
	limit  atomic.Int64 // the silence that is death: initdead before the first heartbeat
	away   atomic.Bool  // dead or after a goodbye: its silence means nothing
	rhythm *rhythm
}

func newPeer(s *series, cfg Config, name string, stray *path) *peer {
	p := &peer{
		paths:       map[string]*path{},
		stray:       stray,
		state:       s.stateSet("systole_peer_state", peerStates, "unknown", name),
		entered:     s.countersBy("systole_peer_state_transitions_total", peerStates, name),
		wire:        s.stateSet("systole_peer_wire", append([]string{"unknown"}, wires...), "unknown", name),
		agreement:   newAgreement(s, cfg.Files, name),
		falseDeaths: s.counter("systole_peer_false_deaths_total", name),
		retransmits: s.countersBy("systole_retransmit_requests_total", directions, name),
		lateness:    s.histogram("systole_peer_send_lateness_seconds", name),
		used:        s.histogram("systole_peer_deadtime_used_ratio", name),
		deadtime:    cfg.Deadtime,
		inForce:     s.gauge("systole_peer_deadtime_seconds", name),
		offset:      s.gauge("systole_clock_offset_seconds", name),
		offsetOff:   s.gauge("systole_clock_offset_error_seconds", name),
		start:       cfg.Now(),
		rhythm:      newRhythm(cfg.Keepalive),
	}
	for _, link := range cfg.Links {
		p.paths[link.Name] = newPath(s, link.Name, name)
	}
	for _, miss := range nearMisses {
		p.nearMisses = append(p.nearMisses, s.counter("systole_peer_deadtime_near_misses_total", name, miss.label))
	}
	p.inForce.Set(cfg.Deadtime.Seconds())
	p.limit.Store(int64(cfg.Initdead))
	s.gaugeFunc("systole_peer_deadtime_left_seconds", func() float64 { return p.left(cfg.Now()).Seconds() }, name)
	s.gaugeFunc("systole_peer_suspicion_phi", func() float64 { return p.phi(cfg.Now()) }, name)
	return p
}

// path is what the peer does on one link.
func (p *peer) path(link string) *path {
	if path, ok := p.paths[link]; ok {
		return path
	}
	return p.stray
}

func (p *peer) heard(arrival time.Time, e event.HeartbeatReceived) {
	of := p.ends(e)
	p.path(e.Link).heard(arrival, e, of)
	if e.OffsetError > 0 {
		p.offset.Set(e.Offset.Seconds())
		p.offsetOff.Set(e.OffsetError.Seconds())
	}
	p.judgedBy(e.Deadtime)
	p.last.Store(max(p.last.Load(), int64(arrival.Sub(p.start))))
	if e.Silence == 0 { // the first ever, or a copy by another link
		return
	}
	if p.says || e.Late > 0 {
		p.lateness.Observe(e.Late.Seconds())
	}
	if p.away.Load() {
		return // peer.dead and peer.false_death told of this silence, or a goodbye did
	}
	p.rhythm.add(e.Silence)
	p.survived(e.Silence, of)
}

// late takes in what the next heartbeat is told to be.
func (p *peer) late(e event.HeartbeatLate, of prometheus.Labels) {
	count(p.path(e.Link).late, of)
	p.endedLate = of
}

// ends is the exemplar of a heartbeat that came late; nil for all others.
func (p *peer) ends(e event.HeartbeatReceived) (of prometheus.Labels) {
	if e.Silence > 0 {
		of, p.endedLate = p.endedLate, nil
	}
	return of
}

// survived takes in a silence that ended without a verdict.
func (p *peer) survived(silence time.Duration, of prometheus.Labels) {
	ratio := p.ratio(silence)
	observe(p.used, ratio, of)
	for i, miss := range nearMisses {
		if ratio >= miss.ratio {
			count(p.nearMisses[i], of)
		}
	}
}

// ratio is 0 only where no deadtime is known.
func (p *peer) ratio(silence time.Duration) float64 {
	if p.deadtime <= 0 {
		return 0
	}
	return silence.Seconds() / p.deadtime.Seconds()
}

func (p *peer) judgedBy(deadtime time.Duration) {
	p.limit.Store(int64(deadtime))
	if deadtime != p.deadtime {
		p.deadtime = deadtime
		p.inForce.Set(deadtime.Seconds())
	}
}

// become takes in a new state. From a goodbye to unknown the peer stays away.
func (p *peer) become(state string) {
	p.state.set(state)
	p.entered.add(state, 1)
	switch state {
	case "dead", "leaving":
		p.away.Store(true)
	case "init", "up", "active":
		p.away.Store(false)
	}
}

// left is the time until the peer is declared dead: by initdead where it was
// not heard yet. It is 0 for a peer that is away, or that is due.
func (p *peer) left(now time.Time) time.Duration {
	if p.away.Load() {
		return 0
	}
	return max(time.Duration(p.limit.Load())-p.silent(now), 0)
}

func (p *peer) phi(now time.Time) float64 {
	switch {
	case p.state.now() == "dead":
		return certain
	case p.away.Load():
		return 0
	}
	return p.rhythm.phi(p.silent(now))
}

// silent is the time since the peer was heard on any link, or since this daemon
// started.
func (p *peer) silent(now time.Time) time.Duration {
	return now.Sub(p.start) - time.Duration(p.last.Load())
}

// An agreement is whether the peer's files are ours. It is shown while the peer
// is one that tells: heartbeat 3.0.6 sends no hashes.
type agreement struct {
	series *series
	peer   string
	same   map[string]bool // by file: what was said last, and at first
	shown  bool
}

func newAgreement(s *series, files []File, peer string) *agreement {
	a := &agreement{series: s, peer: peer, same: map[string]bool{}}
	for _, f := range files {
		a.same[f.Name] = true
	}
	return a
}

// show begins with the peer's first heartbeats, which carry its hashes: a file
// that differs has been said, or is about to be, and all others are the same.
func (a *agreement) show(tells bool) {
	a.shown = tells
	for file := range a.same {
		a.put(file)
	}
}

// say takes in that a file differs, or that it no longer does.
func (a *agreement) say(file string, same bool) {
	if _, ok := a.same[file]; !ok {
		return
	}
	a.same[file] = same
	a.put(file)
}

func (a *agreement) put(file string) {
	if !a.shown {
		a.series.forget("systole_peer_config_match", a.peer, file)
		return
	}
	a.series.gauge("systole_peer_config_match", a.peer, file).Set(oneIf(a.same[file]))
}

// oneIf is a bool as a gauge has it.
func oneIf(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
