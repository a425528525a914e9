package control

import "time"

// A Status is all there is to see of a node at one instant. Its JSON is what
// systole status --json prints; members are added, never renamed, within a
// protocol. Durations are seconds; what does not apply is left out.
type Status struct {
	Protocol   int       `json:"protocol"` // 1
	Time       time.Time `json:"time"`     // of this picture
	Sequence   uint64    `json:"sequence"` // of the newest event kept; where an event stream may begin
	Cluster    string    `json:"cluster"`
	Node       string    `json:"node"`
	Version    string    `json:"version"` // of systole
	Generation uint64    `json:"generation"`
	UUID       string    `json:"uuid"`
	Started    time.Time `json:"started"`
	State      string    `json:"state"` // init, up, active
	Keepalive  Seconds   `json:"keepalive_seconds"`
	Warntime   Seconds   `json:"warntime_seconds"`
	Deadtime   Seconds   `json:"deadtime_seconds"`

	Hold         string      `json:"hold"` // none, local, foreign, all, transition: as cl_status rscstatus
	Stable       bool        `json:"stable"`
	Activity     string      `json:"activity,omitempty"`     // what is under way, in words
	StandbySince time.Time   `json:"standby_since,omitzero"` // an operator put this node in standby
	SplitBrain   *SplitBrain `json:"split_brain,omitempty"`

	Permission Permission `json:"permission"`      // what lets this node hold addresses
	Lease      *Lease     `json:"lease,omitempty"` // by what it holds them; left out where they are held for good

	Readiness []Check   `json:"readiness"`         // whether a takeover here would work, by the last look; none before the first
	Pending   []Pending `json:"pending,omitempty"` // files that a restart would take

	Links     []Link     `json:"links"`     // in the order of ha.cf
	Nodes     []Member   `json:"nodes"`     // in the order of ha.cf, this one and ping nodes included
	Groups    []Group    `json:"groups"`    // in the order of haresources
	Takeovers []Takeover `json:"takeovers"` // this node's last 16, oldest first
}

// A Lease is how long this node may stand still and has lost its addresses: by
// their lifetime, or by the gate of nftables where deadtime is short.
type Lease struct {
	Length    Seconds `json:"seconds"`
	Weaker    bool    `json:"weaker,omitempty"`    // than is wanted: the gate cannot be had
	Unrenewed bool    `json:"unrenewed,omitempty"` // the last renewal failed, of some at least
}

// A Link is one medium.
type Link struct {
	Link   string `json:"link"`
	Medium string `json:"medium,omitempty"` // bcast, mcast, ucast, …
	Open   bool   `json:"open"`             // its socket or line is usable
	Error  string `json:"error,omitempty"`  // why it is not
}

// A Member is a node: this one, a peer or a ping node.
type Member struct {
	Node         string       `json:"node"`
	Self         bool         `json:"self,omitempty"`
	Type         string       `json:"type"`  // normal, ping
	State        string       `json:"state"` // unknown, init, up, active, leaving, dead; of a ping node unknown, ping, dead
	Heard        bool         `json:"heard"` // ever, since this daemon started
	LastHeard    time.Time    `json:"last_heard,omitzero"`
	Silence      *Seconds     `json:"silence_seconds,omitempty"`  // since it was last heard
	Deadtime     Seconds      `json:"deadtime_seconds,omitempty"` // the silence at which it is declared dead
	Margin       *Seconds     `json:"margin_seconds,omitempty"`   // how much of that is left; none for the dead
	Generation   uint64       `json:"generation,omitempty"`
	Wire         string       `json:"wire,omitempty"` // systole, heartbeat3
	Version      string       `json:"version,omitempty"`
	AutoFailback string       `json:"auto_failback,omitempty"`
	ConfigDrift  []string     `json:"config_drift,omitempty"` // its files that are not like ours
	RoundTrip    Seconds      `json:"round_trip_seconds,omitempty"`
	Recent       *Recent      `json:"recent,omitempty"` // the last minutes of its heartbeats
	Links        []MemberLink `json:"links"`            // none for ping nodes
}

// A MemberLink is one link as it reaches one node. This node's own links are up
// when its messages have come back on them.
type MemberLink struct {
	Link      string   `json:"link"`
	Up        bool     `json:"up"`
	Silence   *Seconds `json:"silence_seconds,omitempty"`
	RoundTrip Seconds  `json:"round_trip_seconds,omitempty"` // the newest
	Recent    *Recent  `json:"recent,omitempty"`
}

// A Group is one line of haresources.
type Group struct {
	Group     string     `json:"group"` // its first resource
	Preferred string     `json:"preferred"`
	State     string     `json:"state"`             // here: unknown, stopped, starting, running, stopping, failed
	Holders   []string   `json:"holders"`           // the nodes that hold it: one, none, or two that should not
	Since     time.Time  `json:"since,omitzero"`    // since when this node holds it
	Failure   string     `json:"failure,omitempty"` // why it would not start here
	Cut       string     `json:"cut,omitempty"`     // why its clients cannot be reached from here
	Resources []Resource `json:"resources"`
}

// A Resource is one word of the line.
type Resource struct {
	Resource string `json:"resource"`
	Driver   string `json:"driver"`
}

// A SplitBrain is evidence of two owners that has not been cleared.
type SplitBrain struct {
	Since    time.Time `json:"since"`
	Evidence string    `json:"evidence"`
	Peer     string    `json:"peer"`
	Groups   []string  `json:"groups"`
}

// A Takeover is one acquisition of groups by this node.
type Takeover struct {
	ID       uint64    `json:"id"`
	Trigger  string    `json:"trigger"`
	Peer     string    `json:"peer,omitempty"` // from whom
	Groups   []string  `json:"groups"`
	Started  time.Time `json:"started"`
	Finished time.Time `json:"finished,omitzero"` // none while it is under way
	Result   string    `json:"result,omitempty"`  // success, partial, failed
	Took     Seconds   `json:"took_seconds,omitempty"`
	Outage   Seconds   `json:"outage_seconds,omitempty"` // none where there was no owner before
	Phases   []Phase   `json:"phases"`                   // without gaps; those before the decision come first
	Failures []Failure `json:"failures,omitempty"`
}

// A Phase is one part of a takeover.
type Phase struct {
	Phase string  `json:"phase"`
	Took  Seconds `json:"seconds"`
}

// A Failure is a resource that a takeover could not bring up.
type Failure struct {
	Group    string `json:"group"`
	Resource string `json:"resource"`
	Error    string `json:"error"`
	Next     string `json:"next,omitempty"` // what is done about it
}

// Member finds a node by its name; nil if there is none.
func (s *Status) Member(name string) *Member {
	for i := range s.Nodes {
		if s.Nodes[i].Node == name {
			return &s.Nodes[i]
		}
	}
	return nil
}

// Peer is the other node; nil in a cluster of one.
func (s *Status) Peer() *Member {
	for i := range s.Nodes {
		if m := &s.Nodes[i]; !m.Self && m.Type == Normal {
			return m
		}
	}
	return nil
}

// The types of nodes, as cl_status nodetype spells them.
const (
	Normal = "normal"
	Ping   = "ping"
)
