package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/systole-ha/systole/agent/event"
)

// Metrics is an event.Sink. Record is for the one goroutine that owns the core;
// everything else may be called from anywhere.
type Metrics struct {
	series    *series
	node      string
	events    map[string]severities // by kind
	sender    *sender
	links     map[string]*link
	noLink    *link
	peers     map[string]*peer
	noPeer    *peer
	pings     map[string]*ping
	noPing    *ping
	waited    prometheus.Observer
	stalls    prometheus.Observer
	collected prometheus.Observer
	members   membership
	holds     *stateSet
	groups    map[string]*group
	units     map[string]*unit
	addresses map[string]*address
	durations map[string]observers // of operations, by driver
	standby   prometheus.Gauge     // since when
	memory    Memory
	remember  func(Memory)
	takeovers takeovers
	watchdog  *watchdog
	books     Outages             // nil for none
	commands  map[string]counters // by command, then result
	dumps     counters            // by trigger
	ready     judgement
	fence     fencing
	reloads   reloads
	permitted permission
}

// New makes every series that the configuration allows. It fails where a peer,
// or a sink, is named twice or a hash is not one.
func New(cfg Config) (*Metrics, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Remember == nil {
		cfg.Remember = func(Memory) {}
	}
	s := newSeries(cfg.Cluster, cfg.Node)
	m := &Metrics{
		series:    s,
		node:      cfg.Node,
		events:    newEvents(s, cfg),
		sender:    newSender(s, cfg.Keepalive),
		links:     map[string]*link{},
		peers:     map[string]*peer{},
		pings:     map[string]*ping{},
		waited:    s.histogram("systole_heartbeat_wait_seconds"),
		stalls:    s.histogram("systole_event_loop_stall_seconds"),
		collected: s.histogram("systole_collect_duration_seconds"),
		members:   newMembership(s),
		holds:     s.stateSet("systole_node_resources", holds, "none"),
		groups:    map[string]*group{},
		units:     map[string]*unit{},
		addresses: map[string]*address{},
		durations: newDurations(s, cfg.Groups),
		remember:  cfg.Remember,
		standby:   s.gauge("systole_node_standby_since_timestamp_seconds"),
		takeovers: newTakeovers(s, cfg),
		watchdog:  newWatchdog(s, cfg),
		books:     cfg.Outages,
		commands:  newCommands(s, cfg.Commands),
		dumps:     s.countersBy("systole_recorder_dumps_total", dumpTriggers),
		ready:     newJudgement(s, len(cfg.Fencing) > 0),
		fence:     newFencing(s, cfg.Fencing),
		reloads:   newReloads(s, cfg),
		permitted: newPermission(s, cfg),
	}
	m.strangers()
	m.configured(cfg)
	m.recall(cfg.Memory)
	if err := s.facts(cfg); err != nil {
		return nil, err
	}
	return m, s.err()
}

// strangers take what events say of names that the configuration does not
// have. Their series are in no registry.
func (m *Metrics) strangers() {
	nowhere := newSeries("", "")
	m.noLink = newLink(nowhere, "")
	m.noPing = newPing(nowhere, "")
	m.noPeer = newPeer(nowhere, Config{Now: time.Now}, "", newPath(nowhere, "", ""))
}

func (m *Metrics) configured(cfg Config) {
	for _, l := range cfg.Links {
		m.links[l.Name] = newLink(m.series, l.Name)
	}
	for _, name := range cfg.Peers {
		m.peers[name] = newPeer(m.series, cfg, name, m.noPeer.stray)
	}
	for _, name := range cfg.PingNodes {
		m.pings[name] = newPing(m.series, name)
	}
	for _, name := range cfg.Units {
		m.units[name] = newUnit(m.series, name)
	}
	for _, a := range cfg.Addresses {
		m.addresses[a.Name] = newAddress(m.series, a)
	}
	for _, g := range cfg.Groups {
		m.groups[g.Name] = newGroup(m.series, g, cfg.Node)
	}
}

// Record folds one record in: it takes no lock, does no I/O, and allocates
// nothing for heartbeats.
func (m *Metrics) Record(r event.Record) {
	m.count(r.Event)
	switch e := r.Event.(type) {
	case event.HeartbeatSent:
		m.sent(e)
	case event.HeartbeatReceived:
		m.waited.Observe(e.Waited.Seconds())
		m.peer(e.Peer).heard(r.Time.Add(-e.Waited), e)
	case event.HeartbeatLate:
		m.peer(e.Peer).late(e, exemplar(r))
	case event.HeartbeatLost:
		m.path(e.Peer, e.Link).lost.Add(float64(e.Count))
	case event.HeartbeatReordered:
		m.path(e.Peer, e.Link).reordered.Inc()
	case event.HeartbeatDuplicated:
		m.path(e.Peer, e.Link).duplicated.Inc()
	case event.HeartbeatRejected:
		m.link(e.Link).rejected.add(e.Reason, float64(e.Count))
	case event.SendFailed:
		m.link(e.Link).sendErrors.add(e.Reason, 1)
	case event.RetransmitRequested:
		m.peer(e.Peer).retransmits.add(e.Direction, float64(e.Count))
	case event.PingAnswered:
		m.ping(e.PingNode).roundTrip.Observe(e.RoundTrip.Seconds())
	case event.WatchdogArmed, event.WatchdogFed, event.WatchdogFailed:
		m.watchdog.record(e)
	case event.AgentLate:
		m.stalls.Observe(e.Late.Seconds())

	case event.LinkOpened:
		m.link(e.Link).opened(true)
	case event.LinkClosed:
		m.link(e.Link).opened(false)
	case event.LinkUp:
		m.path(e.Peer, e.Link).turned("up", 1)
	case event.LinkDown:
		m.path(e.Peer, e.Link).turned("down", 0)

	case event.PeerStateChanged:
		m.stateChanged(e)
	case event.PeerIdentified:
		m.identified(e)
	case event.PeerDead:
		m.died(e)
	case event.PeerReturned:
		m.returned(e)
	case event.PeerFalseDeath:
		m.falseDeath(e, exemplar(r))
	case event.ConfigDrift:
		m.peer(e.Peer).agreement.say(e.File, e.Ours == e.Theirs)
	case event.SplitBrainSuspected:
		m.splitBrain(e)
	case event.SplitBrainCleared:
		m.unsplit(e.Peer)

	case event.HoldChanged:
		m.holds.set(e.To)
	case event.GroupStateChanged:
		m.groupChanged(e)
	case event.OwnerChanged:
		m.ownerChanged(e, exemplar(r))
	case event.ResourceOperation:
		m.operated(e, exemplar(r))
	case event.UnitStateChanged:
		m.unitChanged(e)
	case event.UnitRestarted:
		m.unitRestarted(e)
	case event.AddressChanged:
		m.addressChanged(e)
	case event.AddressConflict:
		m.addressConflict(e)
	case event.AddressConflictCleared:
		m.addressConflictCleared(e)
	case event.AddressAnnounced:
		m.announced(e)
	case event.TakeoverStarted:
		m.takeoverStarted(e)
	case event.TakeoverPhase:
		m.takeoverPhase(e, exemplar(r))
	case event.TakeoverCompleted:
		m.takeoverCompleted(r.Time, e, exemplar(r))
	case event.ReleaseStarted:
		m.releaseStarted(r.Time, e)
	case event.ReleaseCompleted:
		m.takeovers.released[e.Trigger].countIn(exemplar(r), e.Result)
	case event.FenceAttempted:
		m.fenceAttempted(e, exemplar(r))
	case event.FenceCompleted:
		m.fenceCompleted(e)
	case event.FenceFailed:
		m.fenceFails(true)
	case event.ReadinessChanged:
		m.judged(e)
	case event.PermissionChanged:
		m.permitted.changed(e)
	case event.ArbiterChanged:
		m.permitted.arbiter(e)
	case event.ConfigReloaded:
		m.reloaded(r.Time, e)
	case event.ConfigReloadFailed:
		m.reloads.fine.Set(0)
	case event.OperatorCommand:
		m.commanded(e)
	case event.RecorderDumped:
		if e.Error == "" {
			m.dumps.add(e.Trigger, 1)
		}
	}
}

func (m *Metrics) path(peer, link string) *path { return m.peer(peer).path(link) }

func (m *Metrics) peer(name string) *peer {
	if p, ok := m.peers[name]; ok {
		return p
	}
	return m.noPeer
}

func (m *Metrics) link(name string) *link {
	if l, ok := m.links[name]; ok {
		return l
	}
	return m.noLink
}

func (m *Metrics) ping(name string) *ping {
	if p, ok := m.pings[name]; ok {
		return p
	}
	return m.noPing
}
