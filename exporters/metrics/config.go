package metrics

import (
	"encoding/hex"
	"fmt"
	"time"
)

// Config is what is known before the first event: all label values there will
// ever be besides the closed sets. Names are spelled as events spell them.
type Config struct {
	Cluster, Node string // on every series
	Build         Build
	BootID        string // of the kernel
	InstanceID    string // of this node, stable over restarts
	AutoFailback  string // on, off
	Wire          string // the dialect this daemon speaks

	Keepalive, Warntime, Deadtime, Initdead time.Duration

	Links      []Link
	Peers      []string // all nodes but this one
	PingNodes  []string // ping and ping_group alike
	IPFail     bool     // groups move to the node that reaches more of them
	Groups     []Group
	Units      []string // of the groups
	Addresses  []Address
	Keys       []Key
	Files      []File
	Commands   []string // of operator.command; any other counts as "other"
	Sinks      []Sink
	Webhooks   []Webhook
	Permission bool     // a policy wants evidence before addresses are held
	Arbiters   []string // that have a vote
	Watchdog   bool     // a watchdog device is configured
	Fencing    []string // the methods that the peer is fenced by; none where it is not
	// SpansDropped counts spans that were lost, by reason, since the start; nil
	// where there are none. It is called by scrapes, from any goroutine.
	SpansDropped func() map[string]uint64

	// Outages are the books of who served; nil where nobody keeps them. They are
	// read by scrapes, from any goroutine.
	Outages Outages

	// Memory is what an earlier run of this daemon remembered. Remember is told
	// of every change of it, by Record: it must not block. It may be nil.
	Memory   Memory
	Remember func(Memory)

	// Now is the clock of the gauges that age between events; time.Now where nil.
	Now func() time.Time
}

// Build says what the daemon was made from, as promu's flags do.
type Build struct{ Version, Revision, Branch, GoVersion, GoOS, GoArch, Tags string }

// A Link is one medium of ha.cf.
type Link struct{ Name, Medium, Interface, Address string }

// A Group is one line of haresources.
type Group struct {
	Name      string
	Preferred string // the node it belongs to
	Resources []Resource
}

// A Resource is one word of that line.
type Resource struct {
	Name      string
	Driver    string // ipaddr, systemd
	Announces bool   // the driver can announce it again
}

// An Address is a virtual one of the groups, and the interface where it belongs,
// empty where the configuration names none.
type Address struct{ Name, Interface string }

// A Key is one line of authkeys without its secret.
type Key struct{ ID, Method string }

// A File is one configuration file and the SHA-256 of what it says, in hex.
type File struct{ Name, Hash string }

// A Sink is another exporter with a queue. Both functions are called by
// scrapes, from any goroutine, and must not block.
type Sink struct {
	Name    string
	Waiting func() int
	Dropped func() uint64 // since the start
}

// A Webhook is an endpoint that events are posted to.
type Webhook struct {
	Name string
	// Deliveries counts what became of posts since the start, by result. It is
	// called by scrapes, from any goroutine, and must not block.
	Deliveries func() map[string]uint64
}

// Outages are how long each group had no proven owner: see exporters/ledger.
type Outages interface {
	Total(group, cause string) time.Duration
	Open(group string) time.Duration
}

// low48 is the end of the hash as a number that a float64 holds exactly.
func (f File) low48() (float64, error) {
	b, err := hex.DecodeString(f.Hash)
	if err != nil {
		return 0, err
	}
	if len(b) < 6 {
		return 0, fmt.Errorf("%q is too short", f.Hash)
	}
	var n uint64
	for _, digit := range b[len(b)-6:] {
		n = n<<8 | uint64(digit)
	}
	return float64(n), nil
}
