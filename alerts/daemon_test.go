package alerts

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/exporters/ledger"
	"github.com/systole-ha/systole/exporters/metrics"
)

const (
	web  = "IPaddr::192.0.2.10" // prefers alpha
	mail = "IPaddr::192.0.2.20" // prefers beta
	hash = "0123456789ab"

	arbiter = "192.0.2.3"
)

// A daemon is the exporter of one node, without the agent: the test says what
// happens. Each scrape finds a heartbeat more from the peer on each link.
type daemon struct {
	*metrics.Metrics
	*httptest.Server
	books *ledger.Ledger
	mutex sync.Mutex
	peer  string     // "" when it is silent
	other event.Sink // told of everything too; nil for none
}

func newDaemon(t *testing.T, node, peer string) *daemon {
	t.Helper()
	unit := metrics.Resource{Name: "nginx", Driver: "systemd"}
	books := ledger.New(node, []string{web, mail}, ledger.Book{})
	m, err := metrics.New(metrics.Config{
		Cluster: "web", Node: node, Wire: "systole",
		Build:     metrics.Build{Version: "0.1.0"},
		Keepalive: 500 * time.Millisecond, Warntime: time.Second, Deadtime: 2 * time.Second, Initdead: 20 * time.Second,
		Links: []metrics.Link{{Name: "eth0", Medium: "bcast"}, {Name: "eth1", Medium: "bcast"}},
		Peers: []string{peer},
		Groups: []metrics.Group{
			{Name: web, Preferred: "alpha", Resources: []metrics.Resource{{Name: web, Driver: "ipaddr", Announces: true}, unit}},
			{Name: mail, Preferred: "beta", Resources: []metrics.Resource{{Name: mail, Driver: "ipaddr", Announces: true}}},
		},
		Units:      []string{"nginx.service"},
		Addresses:  []metrics.Address{{Name: "192.0.2.10", Interface: "eth0"}, {Name: "192.0.2.20", Interface: "eth0"}},
		Fencing:    []string{"fence_ipmilan"},
		Permission: true, Arbiters: []string{arbiter},
		Outages: books,
		Keys:    []metrics.Key{{ID: "1", Method: "md5"}},
		Files:   []metrics.File{{Name: "ha.cf", Hash: hash}, {Name: "haresources", Hash: hash}},
		Sinks:   []metrics.Sink{{Name: "journal", Waiting: func() int { return 0 }, Dropped: func() uint64 { return 0 }}},
	})
	if err != nil {
		t.Fatal(err)
	}
	d := &daemon{Metrics: m, books: books, peer: peer}
	d.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.heartbeats()
		m.Handler().ServeHTTP(w, r)
	}))
	t.Cleanup(d.Close)
	return d
}

func (d *daemon) tell(events ...event.Event) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	for _, e := range events {
		r := event.Record{Time: time.Now(), Event: e}
		d.Record(r)
		d.books.Record(r)
		if d.other != nil {
			d.other.Record(r)
		}
	}
}

func (d *daemon) heartbeats() {
	d.mutex.Lock()
	peer := d.peer
	d.mutex.Unlock()
	if peer == "" {
		return
	}
	for _, link := range []string{"eth0", "eth1"} {
		d.tell(event.HeartbeatReceived{
			Peer: peer, Link: link, Interval: 500 * time.Millisecond, Silence: 500 * time.Millisecond,
			Deadtime: 2 * time.Second, RoundTrip: 200 * time.Microsecond,
		})
	}
}

// join makes it one of two healthy nodes that holds one group.
func (d *daemon) join(group string) {
	d.tell(
		event.LinkUp{Peer: d.peer, Link: "eth0"}, event.LinkUp{Peer: d.peer, Link: "eth1"},
		event.PeerStateChanged{Peer: d.peer, From: "unknown", To: "init"},
		event.PeerIdentified{Peer: d.peer, Wire: "systole"},
		event.PeerStateChanged{Peer: d.peer, From: "init", To: "active"},
		event.GroupStateChanged{Group: group, From: "starting", To: "running"},
		event.HoldChanged{From: "none", To: "local"},
		event.PermissionChanged{From: "nothing", To: "peer"},
		event.ArbiterChanged{Arbiter: arbiter, Up: true},
	)
	for _, check := range readinessChecks {
		d.tell(event.ReadinessChanged{Check: check, Ready: true})
	}
}

// readinessChecks are all there are: with the last of them there is a verdict.
var readinessChecks = []string{"units_loadable", "interface_up", "address_free", "link_redundant", "config_match", "clock", "disk", "fence_device"}

// bury declares the peer dead and takes its group over.
func (d *daemon) bury(group string) {
	d.mutex.Lock()
	peer := d.peer
	d.peer = ""
	d.mutex.Unlock()
	d.tell(
		event.PeerStateChanged{Peer: peer, From: "active", To: "dead"},
		event.PeerDead{Peer: peer, Silence: 2 * time.Second, Deadtime: 2 * time.Second},
		event.LinkDown{Peer: peer, Link: "eth0"}, event.LinkDown{Peer: peer, Link: "eth1"},
		event.TakeoverStarted{ID: 1, Trigger: "peer_dead", Peer: peer, Groups: []string{group}},
		event.GroupStateChanged{Group: group, From: "starting", To: "running"},
		event.TakeoverPhase{ID: 1, Phase: "silence", Took: 2 * time.Second},
		event.TakeoverPhase{ID: 1, Phase: "services", Took: 90 * time.Millisecond},
		event.TakeoverCompleted{ID: 1, Trigger: "peer_dead", Peer: peer, Groups: []string{group}, Result: "success", Took: 100 * time.Millisecond, Trace: "0123456789abcdef0000000fffffffff"},
	)
}
